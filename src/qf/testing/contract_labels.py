"""The laws of labels: each takes a label op and raises QF820 where it is broken.

Options come from each label's own USER signature and numbers from a ladder, so a new file in
labels/ is held to the laws without a new test. The labels lie on bars of random trades, made by
rules that close with a trade, before one, and several times on one.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from qf.bar_clock import add_bars, bar_clock
from qf.errors import QuantflowError
from qf.label_spec import LabelSpec, add_label, label_spec
from qf.op import Op, family, find
from qf.program import Plan
from qf.schema import BIT, NULL_INT
from qf.signature import Parameter, parse_signature
from qf.testing.contract.compare import BROKEN_LAW, close, same_bits
from qf.testing.contract_bars import UNITS, Columns, run

TRADES = 360
CUTS = (1, 2, 30, 31, 90, 149, 150, 350)
COST = 0.003
ENTRIES: tuple[dict[str, Any], ...] = (
    {"type": "tick", "count": 3},
    {"type": "time", "seconds": 2},
    {"type": "volume", "threshold": 3, "overflow": "split"},
)
DRAWS = 8  # of numbers, until a label takes them
_LADDER = (1, 5, 20, 60)
_WIDTHS = (0.001, 0.0004, 0.0, 0.01)
_INTS = (
    "price_ticks",
    "size_lots",
    "value_units",
    "direction",
    "event_time",
    "processed_time",
    "seq",
    "quality",
    "side",
)
_LEVELS = [
    f"{side}_{what}_{level}"
    for side in ("bid", "ask")
    for what in ("price", "size")
    for level in range(5)
]
_FLOATS = ("mid", "spread", "price", "volatility", *_LEVELS)


def random_trades(seed: int, trades: int = TRADES) -> Columns:
    """Return a tick clock's columns: wide steps, ties in time, times running back, null quotes."""
    draw = np.random.default_rng(seed)
    ticks = 10_000 + np.cumsum(draw.integers(-6, 7, trades) * draw.choice([0, 1, 1], trades))
    size = draw.integers(1, 21, trades) * draw.choice([1, 1, 1, 6], trades)
    steps = draw.choice([0, 0, 1, 400_000_000, 900_000_000], trades)
    received = 10**18 + np.cumsum(steps)
    venue = received // 500_000_000 * 500_000_000 + draw.choice([0, 0, 0, -(10**9)], trades)
    bid = ticks - draw.integers(0, 4, trades)
    ask = bid + draw.integers(1, 9, trades)
    lost = draw.random(trades) < 0.08
    quotes = {"bid_price_0": bid / 100, "ask_price_0": ask / 100}
    for quote in quotes.values():
        quote[lost | (draw.random(trades) < 0.03)] = np.nan
    bits = np.where(draw.random(trades) < 0.05, 1 << draw.integers(5, 12, trades), 0)
    volatility = np.abs(draw.normal(0.0, 0.001, trades))
    volatility[draw.random(trades) < 0.1] = draw.choice([np.nan, 0.0])
    return {
        "price_ticks": ticks,
        "size_lots": size,
        "value_units": ticks * size,
        "direction": draw.choice([1, -1, 0], trades),
        "event_time": venue,
        "processed_time": received,
        "seq": np.cumsum(draw.integers(1, 4, trades)),
        "quality": bits | np.where(lost, BIT["unsynced"], 0),
        "side": draw.choice([1, -1, 0, NULL_INT], trades, p=[0.45, 0.45, 0.05, 0.05]),
        "mid": (quotes["bid_price_0"] + quotes["ask_price_0"]) / 2,
        "spread": quotes["ask_price_0"] - quotes["bid_price_0"],
        "price": ticks / 100,
        **quotes,
        **_depth(quotes, seed),
        "volatility": volatility,
    }


def _depth(quotes: Columns, seed: int) -> Columns:
    """Return the levels behind the best quotes and all sizes, some of them null or 0."""
    draw = np.random.default_rng([seed, 5])
    made: Columns = {}
    for name in _LEVELS:
        side, what, level = name.split("_")
        best = quotes[f"{side}_price_0"]
        away = int(level) / 100
        if what == "price" and away:
            made[name] = best + away if side == "ask" else best - away
        if what == "size":
            made[name] = draw.choice([0.0, 0.0004, 0.0005, 0.004, 0.02], len(best))
            made[name][np.isnan(best) | (draw.random(len(best)) < 0.02)] = np.nan
    return made


def label_specs(op: Op, seed: int = 0, share: int = 1) -> Iterator[tuple[int, LabelSpec]]:
    """Yield a number and a label for every combination of options, with drawn numbers.

    With `share` only one combination in so many, another one for each seed. Numbers that a label
    refuses together are drawn again, a few times.
    """
    draw = np.random.default_rng(seed)
    module: Any = sys.modules[op.module]
    parameters = parse_signature(module.USER).parameters
    options = [p for p in parameters if p.kind == "choice"]
    numbers = [p for p in parameters if p.kind != "choice" and p.name != "horizon"]
    for turn, chosen in enumerate(itertools.product(*(p.choices for p in options))):
        given: dict[str, Any] = {p.name: c for p, c in zip(options, chosen, strict=True)}
        for _ in range(DRAWS):
            given |= {p.name: _number(p, given, draw) for p in numbers}
            if turn % share != seed % share:
                break
            try:
                yield seed + turn, label_spec(f"{op.name}_{turn}", op.name, given, COST)
                break
            except QuantflowError:  # a refused combination of numbers
                continue


def _number(parameter: Parameter, given: Mapping[str, Any], draw: np.random.Generator) -> float:
    """Return a legal number for one parameter of a label."""
    ladder: tuple[float, ...] = _LADDER if parameter.kind == "int" else _WIDTHS
    number = ladder[draw.integers(4)]
    unit = given.get("barrier_unit", "fraction")
    if "barrier" in parameter.name and parameter.kind == "float" and unit != "fraction":
        number *= 1000 if unit == "volatility" else 1 / COST
    if parameter.name.endswith("seconds"):
        number = (0.0, 1.0, 3.5, 0.0)[draw.integers(4)]
    return max(number, parameter.low)


def label_plan(spec: LabelSpec, turn: int = 0) -> Plan:
    """Return a plan that is fed `random_trades` and reads the label's columns and its bars'."""
    plan = Plan()
    plan.clock("tick")
    tick = {name: plan.feed(name, "int") for name in _INTS}
    tick |= {name: plan.feed(name) for name in _FLOATS}
    clock = bar_clock(ENTRIES[turn % len(ENTRIES)], UNITS)
    bar = add_bars(plan, clock, tick)
    rows, out, given = [bar["first_row"], bar["close_row"]], [bar["bar_id"].clock], {}
    for name, aggregation in (("volatility", "last"), ("side", "last_int")):
        folded = plan.add(find(aggregation, "aggregations"), [tick[name], *rows], out=out)
        given[name] = folded[0][0]
    for name, column in {**bar, **given}.items():
        plan.read(name, column)
    for name, column in add_label(plan, spec, bar, "labels", given, tick).items():
        plan.read(name, column)
    return plan


def decided_labels(spec: LabelSpec, made: dict[str, Columns], trades: Columns) -> Columns:
    """Return what the definition says of whole columns, in the kernel's order."""
    bars = next(columns for clock, columns in made.items() if clock not in ("tick", "labels"))
    named: dict[str, Any] = dict.fromkeys((i.name for i in spec.op.signature.inputs), bars["close"])
    named |= {**bars, "position": bars["side"]}
    rows = spec.parameters.get("window", 0) + 1
    joined = [
        np.bitwise_or.reduce(bars["quality"][max(0, t + 1 - rows) : t + 1]) for t in _of(bars)
    ]
    named["path_quality"] = np.array(joined, np.int64)
    columns = [named[spec.columns.get(i.name, i.name)] for i in spec.op.signature.inputs]
    for place, given in enumerate(spec.op.signature.inputs):
        if given.name in spec.trades:
            columns[place] = trades[spec.trades[given.name]]
    rows = spec.op.rules["definition"](*(c.tolist() for c in columns), **spec.parameters)
    kinds = {o.name: np.int64 if o.kind == "int" else np.float64 for o in spec.op.signature.outputs}
    return {name: np.array([row[name] for row in rows], kind) for name, kind in kinds.items()}


def _of(bars: Columns) -> range:
    return range(len(bars["bar_id"]))


def label_equals_definition(op: Op, start: int = 0, share: int = 1) -> None:
    """Hold every label to the brute-force definition: the same rows, in the same order."""
    for seed, spec in label_specs(op, start, share):
        trades = random_trades(seed)
        made = run(label_plan(spec, seed), trades)
        got, want = made["labels"], decided_labels(spec, made, trades)
        where = f"{spec.parameters}, trades {seed}"
        if len(got["label"]) != len(want["label"]):
            what = f"{len(got['label'])} labels, the definition says {len(want['label'])} ({where})"
            raise BROKEN_LAW(op=op.name, law="label_equals_definition", what=what)
        close(op, "label_equals_definition", got, want, where=where, tolerance=1e-15)


def label_ends_after_its_bar(op: Op) -> None:
    """Demand label_end >= feature_time, rows in order of label_end, one per bar at most.

    A label is null only with a reason in its quality.
    """
    for seed, spec in label_specs(op, 1000, 3):
        got = run(label_plan(spec, seed), random_trades(seed))["labels"]
        early = np.flatnonzero(got["label_end"] < got["feature_time"])
        back = np.flatnonzero(np.diff(got["label_end"]) < 0)
        twice = len(set(got["bar_id"].tolist())) != len(got["bar_id"])
        mute = np.flatnonzero(np.isnan(got["label"]) & (got["quality"] == 0))
        if len(early) or len(back) or twice or len(mute):
            what = f"{len(early)} end before their bar, {len(back)} out of order, twice: {twice},"
            what += f" {len(mute)} null without a reason ({spec.parameters})"
            raise BROKEN_LAW(op=op.name, law="label_ends_after_its_bar", what=what)


def only_decided_labels_are_rows(op: Op, upto: int = 200) -> None:
    """Demand that trades yet to come change no label: what is written early is written for good."""
    for seed, spec in label_specs(op, 2000, 3):
        trades = random_trades(seed)
        plan = label_plan(spec, seed)
        early = run(plan, {name: column[:upto] for name, column in trades.items()})["labels"]
        whole = run(plan, trades)["labels"]
        kept = {name: column[: len(early[name])] for name, column in whole.items()}
        same_bits(op, "only_decided_labels_are_rows", early, kept, where=str(spec.parameters))
        late = whole["label_end"][len(early["label"]) :] < trades["processed_time"][upto - 1]
        if late.any():
            what = f"a label was decided, and not written until later ({spec.parameters})"
            raise BROKEN_LAW(op=op.name, law="only_decided_labels_are_rows", what=what)


def cutting_the_trades_changes_no_bit(op: Op) -> None:
    """Cut the trades, save and restore at each cut, in small blocks: no bit of a label changes."""
    for seed, spec in label_specs(op, 3001, 3):
        cut_label(spec, seed, CUTS, 7)


def cut_label(spec: LabelSpec, seed: int, cuts: Sequence[int], block: int) -> None:
    """Compare one label of trades cut at the given rows with that of one push."""
    trades = random_trades(seed)
    plan = label_plan(spec, seed)
    whole = run(plan, trades)["labels"]
    parts = run(plan, trades, cuts, block)["labels"]
    where = f"{spec.parameters}, cut at {cuts}, blocks of {block}"
    law = "cutting_the_trades_changes_no_bit"
    if len(parts["label"]) != len(whole["label"]):
        raise BROKEN_LAW(op=spec.op.name, law=law, what=f"another number of labels ({where})")
    same_bits(spec.op, law, parts, whole, where=where)


def no_formula_can_call_it(op: Op) -> None:
    """Demand that the label's name means nothing to the language."""
    if op.name in {each.name for each in family("ops")}:
        raise BROKEN_LAW(op=op.name, law="no_formula_can_call_it", what="a function has its name")


LABEL_LAWS = (
    label_equals_definition,
    label_ends_after_its_bar,
    only_decided_labels_are_rows,
    cutting_the_trades_changes_no_bit,
    no_formula_can_call_it,
)
