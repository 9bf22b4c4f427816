"""The laws of bar rules, aggregations and their tapes: each takes an op and raises QF820.

Thresholds, counts and options come from each rule's own USER signature, so a new file in bars/ or
aggregations/ is held to the laws without a new test. Labels have theirs in contract_labels.
"""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qf.bar_clock import BarClock, Units, add_bars, bar_clock, clock_name
from qf.clock import DAY_NS, SECOND_NS
from qf.op import Op, find
from qf.program import Column, Plan, Program
from qf.schema import NULL_INT
from qf.signature import parse_signature
from qf.testing.contract.compare import BROKEN_LAW, close, same_bits

Columns = dict[str, NDArray[Any]]

UNITS = Units(tick=Fraction(1, 100), lot=Fraction(1, 10), value=Fraction(1, 1000))
INTS = [
    "price_ticks",
    "size_lots",
    "value_units",
    "direction",
    "event_time",
    "processed_time",
    "seq",
    "quality",
]
FLOATS = ("mid", "spread", "x")
ROWS = 120
CUTS = (1, 2, 17, 18, 60, 119)
_LADDER = (7, 0.5, 40, 3)
MIDNIGHT = 19_000 * DAY_NS


def random_tape(seed: int, rows: int = ROWS) -> Columns:
    """Return a tick clock's columns: ties, unknown sides, nulls, a midnight, times running back."""
    draw = np.random.default_rng(seed)
    price = 1_000 + np.cumsum(draw.integers(-3, 4, rows))
    size = draw.integers(1, 21, rows) * draw.choice([1, 1, 1, 6], rows)
    steps = draw.choice([0, 0, 40_000_000, 300_000_000, 9 * SECOND_NS], rows)
    received = MIDNIGHT - 60 * SECOND_NS + np.cumsum(steps)
    x = draw.normal(0.0, 1.0, rows).round(1) + 60_000.0
    x[draw.random(rows) < 0.2] = np.nan
    return {
        "price_ticks": price,
        "size_lots": size,
        "value_units": price * size,
        "direction": draw.choice([1, 1, -1, -1, 0], rows),
        "event_time": received + draw.choice([0, 0, 0, -100_000_000], rows),
        "processed_time": received,
        "seq": np.cumsum(draw.integers(1, 4, rows)),
        "quality": np.where(draw.random(rows) < 0.1, 1 << draw.integers(0, 12, rows), 0),
        "mid": price + 0.5,
        "spread": draw.random(rows),
        "x": x,
    }


def rule_clocks(rule: Op) -> Iterator[BarClock]:
    """Yield clocks of a rule: every combination of options, with two to four sizes of numbers."""
    module: Any = sys.modules[rule.module]
    parameters = parse_signature(module.USER).parameters
    choices = list(itertools.product(*(p.choices for p in parameters if p.kind == "choice")))
    for turn, chosen in enumerate(choices):
        for start in range(4) if len(choices) <= 4 else (turn % 2, turn % 2 + 2):
            options = iter(chosen)
            entry: dict[str, Any] = {"type": rule.name}
            for place, parameter in enumerate(parameters):
                number = _LADDER[(start + place) % 4]
                if parameter.kind != "choice":
                    number = min(max(number, parameter.low), parameter.high)
                whole = parameter.kind == "int"
                is_choice = parameter.kind == "choice"
                entry[parameter.name] = next(options) if is_choice else number
                if whole:
                    entry[parameter.name] = max(1, int(number))
            yield bar_clock(entry, UNITS)


def tick_plan() -> tuple[Plan, dict[str, Column]]:
    """Return a plan that is fed `random_tape`, and its tick columns."""
    plan = Plan()
    plan.clock("tick")
    tick = {name: plan.feed(name, "int") for name in INTS}
    return plan, tick | {name: plan.feed(name) for name in FLOATS}


def bar_plan(clock: BarClock) -> Plan:
    """Return a plan that makes the bars of one clock and reads the close codes and all columns."""
    plan, tick = tick_plan()
    for name, column in add_bars(plan, clock, tick).items():
        plan.read(name, column)
    inputs = [tick[given.name] for given in clock.rule.signature.inputs]
    plan.read("code", plan.add(clock.rule, inputs, clock.parameters)[0][0])
    return plan


def run(
    plan: Plan, tape: Columns, cuts: Sequence[int] = (), block: int = 256
) -> dict[str, Columns]:
    """Return what each clock made of the tape, saving and restoring at every cut."""
    rows = len(next(iter(tape.values())))
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < rows}), rows]
    twins = (Program(plan, block), Program(plan, block)) if cuts else (Program(plan, block),) * 2
    saved = twins[0].save()
    parts = []
    for turn, (low, high) in enumerate(itertools.pairwise(edges)):
        program = twins[turn % 2]
        if cuts:
            program.restore(saved)
        parts.append(program.push({name: c[low:high].copy() for name, c in tape.items()}))
        saved = program.save()
    return {
        clock: {name: np.concatenate([part[clock][name] for part in parts]) for name in columns}
        for clock, columns in parts[0].items()
    }


def open_bars(program: Program) -> dict[str, dict[str, int]]:
    """Return, per bar clock, the sums of the open bar as the fold's state holds them."""
    module: Any = sys.modules[find("fold", "bars").module]
    at, found = 0, {}
    for instruction in program.plan.instructions:
        if (instruction.op.family, instruction.op.name) == ("bars", "fold"):
            words = program._ints[at : at + instruction.ints].tolist()
            is_open = words[module.COUNT] > 0
            places = ("COUNT", "LOTS", "VALUE", "BUY_LOTS", "SELL_LOTS", "FIRST_ROW")
            name = program.plan.clocks[instruction.clocks[1]]
            found[name] = {p.lower(): words[getattr(module, p)] * is_open for p in places}
        at += instruction.ints
    return found


def _lists(tape: Columns, op: Op, upto: int) -> list[list[Any]]:
    return [tape[given.name][:upto].tolist() for given in op.signature.inputs]


def rule_equals_definition(rule: Op) -> None:
    """Hold every close code to the definition, which is given the prefix of the tape alone."""
    for seed, clock in enumerate(rule_clocks(rule)):
        tape = random_tape(seed)
        got = run(bar_plan(clock), tape)["tick"]["code"]
        want = [
            rule.rules["definition"](*_lists(tape, rule, t + 1), **clock.parameters)
            for t in range(ROWS)
        ]
        wrong = np.flatnonzero(got != np.array(want))
        if len(wrong):
            what = f"code at trade {wrong[0]} is {got[wrong[0]]}, the definition says "
            what += f"{want[wrong[0]]} ({clock.name}, {len(wrong)} trades)"
            raise BROKEN_LAW(op=rule.name, law="rule_equals_definition", what=what)


def plain_python_equals_compiled(rule: Op) -> None:
    """Demand that the kernel's text means in Python what it means compiled."""
    for seed, clock in enumerate(rule_clocks(rule)):
        tape = random_tape(5000 + seed)
        want = run(bar_plan(clock), tape)["tick"]["code"]
        blocks: dict[str, Any] = {
            **{given.name: tape[given.name] for given in rule.signature.inputs},
            "close": np.zeros(ROWS, np.int64),
            "params": rule.signature.encode(clock.parameters),
            "state": [0.0] * rule.amount("slots", clock.parameters),
            "ints": [0] * rule.amount("ints", clock.parameters),
            "lo": 0,
            "hi": ROWS,
            "row": 0,
        }
        kernel = rule.rules["kernel"]
        kernel(**{name: blocks[name] for name in inspect.signature(kernel).parameters})
        got = {"code": blocks["close"]}
        same_bits(rule, "plain_python_equals_compiled", got, {"code": want}, where=clock.name)


def fold_equals_definition(rule: Op) -> None:
    """Hold the bar rows of every clock of the rule to the fold's definition, column by column."""
    fold = find("fold", "bars")
    for seed, clock in enumerate(rule_clocks(rule)):
        tape = random_tape(1000 + seed)
        made = run(bar_plan(clock), tape)
        columns = {**tape, "code": made["tick"]["code"]}
        columns |= {"tick_value_units": tape["value_units"], "tick_quality": tape["quality"]}
        bound = fold.bind(**clock.fold)
        rows = fold.rules["definition"](*_lists(columns, fold, ROWS), **bound)
        got = made[clock.name]
        want = {
            o.name: np.array([row[o.name] for row in rows], got[o.name].dtype)
            for o in fold.signature.outputs
        }
        if len(got["bar_id"]) != len(rows):
            what = f"{len(got['bar_id'])} bars, the definition says {len(rows)} ({clock.name})"
            raise BROKEN_LAW(op="fold", law="fold_equals_definition", what=what)
        same_bits(fold, "fold_equals_definition", got, want, where=clock.name)


def bars_partition_the_tape(rule: Op) -> None:
    """Demand that each trade is in exactly one bar or the open one, and sums are the tape's."""
    for seed, clock in enumerate(rule_clocks(rule)):
        program = Program(bar_plan(clock))
        tape = random_tape(2000 + seed)
        bars = program.push(tape)[clock.name]
        what = partition_error(bars, open_bars(program)[clock.name], tape, "split" in clock.fold)
        if what:
            law = "bars_partition_the_tape"
            raise BROKEN_LAW(op=rule.name, law=law, what=f"{what} ({clock.name})")


def partition_error(bars: Columns, rest: dict[str, int], tape: Columns, divides: bool) -> str:
    """Return how bars and open bar fail to partition the tape, or "" where they do not fail."""
    side = tape["direction"]
    lots = tape["size_lots"]
    sums = {
        "volume_lots": (int(lots.sum()), rest["lots"]),
        "value_units": (int(tape["value_units"].sum()), rest["value"]),
        "buy_lots": (int(lots[side > 0].sum()), rest["buy_lots"]),
        "sell_lots": (int(lots[side < 0].sum()), rest["sell_lots"]),
    }
    if not divides:
        sums["trade_count"] = (len(lots), rest["count"])
    for name, (whole, still_open) in sums.items():
        closed = int(bars[name].sum())
        if closed + still_open != whole:
            return f"{name}: bars {closed} + open {still_open} != tape {whole}"
    starts = np.append(bars["first_row"], rest["first_row"] if rest["count"] else len(lots))
    ends = np.insert(bars["close_row"], 0, -1)
    gaps = starts - ends
    if not (np.isin(gaps, (0, 1)) if divides else gaps == 1).all():
        return "the members of the bars do not follow each other without hole or overlap"
    if (bars["known_row"] - bars["close_row"] > 1).any() or (bars["close_row"] < starts[:-1]).any():
        return "a bar has no member, or was made late"
    return ""


def cutting_the_stream_changes_no_bit(rule: Op) -> None:
    """Cut the tape, save and restore at each cut, in small blocks: no bit of a bar changes."""
    for seed, clock in enumerate(rule_clocks(rule)):
        cut_clock(clock, 3000 + seed, CUTS, 7)


def cut_clock(clock: BarClock, seed: int, cuts: Sequence[int], block: int) -> None:
    """Compare one clock's bars of a tape cut at the given trades with those of one push."""
    law = "cutting_the_stream_changes_no_bit"
    tape = random_tape(seed)
    plan = bar_plan(clock)
    whole, parts = run(plan, tape), run(plan, tape, cuts, block)
    where = f"{clock.name}, cut at {cuts}, blocks of {block}"
    if len(parts[clock.name]["bar_id"]) != len(whole[clock.name]["bar_id"]):
        raise BROKEN_LAW(op=clock.rule.name, law=law, what=f"another number of bars ({where})")
    for name, made in whole.items():
        same_bits(clock.rule, law, parts[name], made, where=where)


def the_past_never_changes(rule: Op, upto: int = 77) -> None:
    """Demand that the bars of the first `upto` trades are the same whatever comes after."""
    for seed, clock in enumerate(rule_clocks(rule)):
        tape = random_tape(4000 + seed)
        plan = bar_plan(clock)
        past = run(plan, {name: column[:upto] for name, column in tape.items()})[clock.name]
        whole = run(plan, tape)[clock.name]
        early = {name: column[whole["known_row"] < upto] for name, column in whole.items()}
        same_bits(rule, "the_past_never_changes", early, past, where=clock.name)


def clock_names_tell_rules_apart(rule: Op) -> None:
    """Demand that different parameters give different, lower-case, table-safe clock names."""
    module: Any = sys.modules[rule.module]
    names = [clock.name for clock in rule_clocks(rule)]
    bad = [name for name in names if not name.replace("_", "").isalnum() or name.lower() != name]
    signature = parse_signature(module.USER)
    numbers = {p.name: 1 for p in signature.parameters if p.kind != "choice"}
    plain = clock_name(rule, signature.bind(dict(numbers)))
    if len(set(names)) != len(names) or bad or not plain.startswith(rule.name):
        what = f"names {sorted(names)[:4]}, unusable: {bad}"
        raise BROKEN_LAW(op=rule.name, law="clock_names_tell_rules_apart", what=what)


def says_what_it_means(op: Op) -> None:
    """Demand a title with the call, the unit, the null rule and the source."""
    title, _, body = op.doc.strip().partition("\n")
    lost = [word for word in ("Source:", "Null", "Unit") if word not in body]
    if not title.startswith(op.name + "(") or lost:
        what = f"the title is {title!r}; without {', '.join(lost) or 'nothing'}"
        raise BROKEN_LAW(op=op.name, law="says_what_it_means", what=what)


RULE_LAWS = (
    says_what_it_means,
    rule_equals_definition,
    plain_python_equals_compiled,
    fold_equals_definition,
    bars_partition_the_tape,
    cutting_the_stream_changes_no_bit,
    the_past_never_changes,
    clock_names_tell_rules_apart,
)

# Clocks that between them close with, before, several times on one trade, and hardly ever.
FOLD_ENTRIES: tuple[dict[str, Any], ...] = (
    {"type": "tick", "count": 7},
    {"type": "volume", "threshold": 3, "overflow": "split"},
    {"type": "time", "seconds": 3},
    {"type": "run", "window": 3, "reset": "day"},
)


def is_aggregation(op: Op) -> bool:
    """Say whether the op folds one tick column into bars (`latest` joins two clocks instead)."""
    return [i.name for i in op.signature.inputs] == ["x", "first_row", "close_row"]


def aggregation_plan(op: Op, entry: dict[str, Any]) -> Plan:
    """Return a plan that folds `x` (for integer ops `quality`) into the bars of one clock."""
    plan, tick = tick_plan()
    clock = bar_clock(entry, UNITS)
    bar = add_bars(plan, clock, tick)
    x = tick["x" if op.signature.inputs[0].kind == "float" else "quality"]
    out = plan.add(op, [x, bar["first_row"], bar["close_row"]], out=[plan.clock(clock.name)])
    for name, column in {
        "out": out[0][0],
        **{n: bar[n] for n in ("first_row", "close_row")},
    }.items():
        plan.read(name, column)
    return plan


def aggregation_tape(op: Op, seed: int) -> Columns:
    """Return a tape where now and then a whole bar is null or constant, in floats and integers."""
    tape = random_tape(seed, 200)
    tape["x"][40:60] = np.nan
    tape["x"][80:110] = 60_000.1
    tape["quality"][tape["seq"] % 7 == 0] = NULL_INT if op.name == "bit_or" else 0
    return tape


def aggregation_equals_definition(op: Op) -> None:
    """Hold an aggregation to its definition on bars of every kind."""
    for seed, entry in enumerate(FOLD_ENTRIES):
        tape = aggregation_tape(op, seed)
        made = next(iter(run(aggregation_plan(op, entry), tape, CUTS, 16).values()))
        x = tape["x" if op.signature.inputs[0].kind == "float" else "quality"].tolist()
        firsts, lasts = made["first_row"].tolist(), made["close_row"].tolist()
        want = [
            op.rules["definition"](x[: lasts[k] + 1], firsts[: k + 1], lasts[: k + 1])
            for k in range(len(firsts))
        ]
        column = {"out": np.array(want, made["out"].dtype)}
        close(op, "aggregation_equals_definition", made, column, where=str(entry))


def aggregation_survives_cuts(op: Op, cuts: Sequence[int] = CUTS, block: int = 5) -> None:
    """Cut the stream, save and restore: no bit of an aggregated value changes."""
    for seed, entry in enumerate(FOLD_ENTRIES):
        tape = aggregation_tape(op, 500 + seed)
        plan = aggregation_plan(op, entry)
        ((name, whole),) = run(plan, tape).items()
        parts = run(plan, tape, cuts, block)[name]
        same_bits(op, "aggregation_survives_cuts", parts, whole, where=f"{entry}, cut at {cuts}")


AGGREGATION_LAWS = (aggregation_equals_definition, aggregation_survives_cuts)
