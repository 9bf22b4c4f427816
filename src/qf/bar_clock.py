"""How an entry of `state_engine.bars` becomes a bar clock: rule, thresholds, name, columns.

A rule's file has, besides its op, three things this module reads:

    USER        the signature a user sees, in the user's own units: text, parsed like any other
    CLOCK_NAME  the pattern of the clock's name; options that differ from the default are appended
    scale       user parameters and instrument units -> the kernel's whole numbers

and, where the fold must know more than the close codes, `fold_options`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from qf.errors import diagnostic, nearest
from qf.op import UNKNOWN_OP, Op, family, find
from qf.program import Column, Plan
from qf.schema import BIT, NULL_INT
from qf.signature import parse_signature

SAME_NAME = diagnostic(
    "QF450",
    "two bar rules give the clock {name!r}",
    hint="remove one of them, or make their parameters differ",
)
NO_TYPE = diagnostic("QF451", "a bar entry needs a type", hint="one of: {known}")
NOT_COUNTABLE = diagnostic(
    "QF452",
    "bar {rule}: {value} is {count} units of {unit}, and a rule counts up to 2^53 exactly",
    hint="choose a smaller threshold",
)

# Close codes of a rule, one per trade; bits 8 and up count the further closes of a split trade.
CLOSES_BEFORE = 1  # the trade opens the next bar
CLOSES_WITH = 2  # the trade belongs to the bar it closes
PARTS_SHIFT = 8
MOST_PARTS = 4095  # further closes of one trade; beyond it the last closed part takes what is left
DROP, CARRY, SPLIT = 0, 1, 2  # the option `overflow`, in signature order
FOREVER = 2**63 - 1
MOST_UNITS = 2**53  # parameters reach kernels as float64


def lots_worth(need, per_lot, lots):
    """Return the fewest whole lots worth `need` at `per_lot` each: at least 1, at most `lots`."""
    if per_lot <= 0:
        return lots
    return min(lots, max(1, -(-need // per_lot)))


def clear_codes(close, start, end):
    """Write that no trade closes anything: most do not, so rules write only where one does."""
    if end - start == 1:  # live: a call of memset costs more than the whole rule
        close[start] = 0
    else:
        for t in range(start, end):
            close[t] = 0


def day_stop(processed_time, start, end, day_end):
    """Return where the trades from `start` on that were received before `day_end` end."""
    stop = end
    if day_end < FOREVER:
        stop = start
        while stop < end and processed_time[stop] < day_end:
            stop += 1
    return stop


@dataclass(frozen=True)
class Units:
    """One instrument's units: what a tick, a lot and a value unit are worth, exactly."""

    tick: Fraction  # quote currency per tick of price
    lot: Fraction  # size unit (base currency, or contracts) per lot
    value: Fraction  # quote currency (COIN-M: USD) per unit of value

    def lots(self, size: float) -> int:
        """Return the fewest lots that are at least `size`."""
        return math.ceil(exact(size) / self.lot)

    def values(self, value: float) -> int:
        """Return the fewest value units that are at least `value`."""
        return math.ceil(exact(value) / self.value)


@dataclass(frozen=True)
class BarClock:
    """One bar clock: its name, its rule, and whole-number parameters of rule, fold and in_units."""

    name: str
    rule: Op
    parameters: dict[str, Any]
    fold: dict[str, Any]
    units: dict[str, Any]

    @property
    def period_ns(self) -> int:
        """Return the period of a time clock, whose empty bars are rows of its table; else 0."""
        return int(self.fold.get("period_ns", 0))


def exact(number: float) -> Fraction:
    """Return the decimal number that the user wrote, not its nearest binary fraction."""
    return Fraction(number) if isinstance(number, int) else Fraction(Decimal(repr(float(number))))


def bar_rules() -> dict[str, Op]:
    """Return the bar rules by name (the family's fold is not one of them)."""
    return {op.name: op for op in family("bars") if hasattr(sys.modules[op.module], "USER")}


def bar_clock(entry: Mapping[str, Any], units: Units) -> BarClock:
    """Return the clock that one YAML entry asks for. Errors: QF401-QF405, QF412, QF451, QF452."""
    given = dict(entry)
    known = bar_rules()
    name = given.pop("type", None)
    if name is None:
        raise NO_TYPE(known=", ".join(known))
    if name not in known:
        raise UNKNOWN_OP(what="bar rule", name=name, near=nearest(str(name), known))
    rule = known[name]
    module: Any = sys.modules[rule.module]
    user = parse_signature(module.USER).bind(given)
    scaled = module.scale(user, units)
    for key, count in scaled.items():
        if isinstance(count, int) and count > MOST_UNITS:
            value = ", ".join(f"{k} {v}" for k, v in user.items() if not isinstance(v, str))
            raise NOT_COUNTABLE(rule=name, value=value, count=count, unit=key)
    parameters = rule.bind(**scaled)
    options = getattr(module, "fold_options", None)
    view = {
        "price_num": units.tick.numerator,
        "price_den": units.tick.denominator,
        "size_num": units.lot.numerator,
        "size_den": units.lot.denominator,
        "value_num": units.value.numerator,
        "value_den": units.value.denominator,
    }
    fold = options(parameters) if options else {}
    return BarClock(clock_name(rule, user), rule, parameters, fold, view)


def bar_clocks(entries: Iterable[Mapping[str, Any]], units: Units) -> list[BarClock]:
    """Return the clocks of all entries. Errors: as `bar_clock`, and QF450 for equal names."""
    clocks: dict[str, BarClock] = {}
    for entry in entries:
        clock = bar_clock(entry, units)
        if clock.name in clocks:
            raise SAME_NAME(name=clock.name)
        clocks[clock.name] = clock
    return list(clocks.values())


def clock_name(rule: Op, user: Mapping[str, Any]) -> str:
    """Return the clock's name: the pattern with its numbers (p for the point), then the options."""
    module: Any = sys.modules[rule.module]
    signature = parse_signature(module.USER)
    numbers = {key: _spell(value) for key, value in user.items() if not isinstance(value, str)}
    name = module.CLOCK_NAME.format(**numbers)
    for parameter in signature.parameters:
        chosen = user[parameter.name]
        if chosen == parameter.default or "{" + parameter.name + "}" in module.CLOCK_NAME:
            continue
        name += (
            f"_{chosen}" if parameter.kind == "choice" else f"_{parameter.name}_{_spell(chosen)}"
        )
    return name


def add_bars(plan: Plan, clock: BarClock, tick: Mapping[str, Column]) -> dict[str, Column]:
    """Add rule and fold to the plan and return the bar clock's columns by name.

    `tick` holds the columns of the tick clock: price_ticks, size_lots, value_units, direction,
    event_time, processed_time, seq and quality (int), mid and spread (float).
    """
    rule_inputs = [tick[given.name] for given in clock.rule.signature.inputs]
    code = plan.add(clock.rule, rule_inputs, clock.parameters)[0][0]
    fold = find("fold", "bars")
    columns = {**tick, "code": code}
    for name in ("value_units", "quality"):  # the fold's outputs have these names
        columns["tick_" + name] = tick[name]
    bar = _call(plan, fold, columns, clock.fold, [plan.clock(clock.name)])
    return {**bar, **_call(plan, find("in_units", "bars"), bar, clock.units, ())}


def _call(
    plan: Plan, op: Op, columns: Mapping[str, Column], parameters: dict[str, Any], out: Any
) -> dict[str, Column]:
    """Add an op whose inputs are found by name; return its outputs by name."""
    inputs = [columns[given.name] for given in op.signature.inputs]
    made = plan.add(op, inputs, parameters, out)
    return {o.name: group[0] for o, group in zip(op.signature.outputs, made, strict=True)}


def with_empty_bars(
    bars: Mapping[str, np.ndarray], period_ns: int, before: Mapping[str, int] | None = None
) -> dict[str, np.ndarray]:
    """Return the finished bars of a time clock with a row for every period without a trade.

    `bars` has the columns of the fold, `before` the bar finished before them (its bar_id,
    feature_time, close_seq and known_row), if any. An empty bar runs from boundary to boundary,
    has volume 0 and null prices with the quality bit `undefined`, and became known with the trade
    that closed the bar before it; its rows are first_row > close_row, so it has no member.
    """
    ids = bars["bar_id"]
    if len(ids) == 0:
        return dict(bars)
    started = before is not None
    previous_ids = np.concatenate(([before["bar_id"] if started else ids[0] - 1], ids[:-1]))
    counts = ids - previous_ids - 1
    place = np.repeat(np.arange(len(ids)), counts)  # the bar that follows each empty one
    if len(place) == 0:
        return dict(bars)
    upto = np.cumsum(counts)
    nth = np.arange(len(place)) - np.repeat(upto - counts, counts)
    opens = (bars["open_time"][place] // period_ns - counts[place] + nth) * period_ns
    rows: dict[str, np.ndarray] = {
        "bar_id": previous_ids[place] + 1 + nth,
        "open_time": opens,
        "close_time": opens + period_ns,
        "first_row": bars["first_row"][place],
        "close_row": bars["first_row"][place] - 1,
        "quality": np.full(len(place), BIT["undefined"]),
        "duration_ms": np.full(len(place), period_ns / 1e6),
    }
    for name in ("feature_time", "close_seq", "known_row"):
        column = np.concatenate(([before[name] if started else 0], bars[name][:-1]))
        rows[name] = column[place]
    for name in _ZERO_WHEN_EMPTY:
        rows[name] = np.zeros(len(place), bars[name].dtype)
    return {
        name: np.insert(column, place, rows.get(name, _nulls(column, len(place))))
        for name, column in bars.items()
    }


_ZERO_WHEN_EMPTY = (
    "volume_lots",
    "value_units",
    "weighted_units",
    "buy_lots",
    "sell_lots",
    "trade_count",
    "volume",
    "value",
    "buy_volume",
    "sell_volume",
)


def _nulls(column: np.ndarray, count: int) -> np.ndarray:
    return np.full(count, NULL_INT if column.dtype == np.int64 else math.nan, column.dtype)


def _spell(number: float) -> str:
    """Return a number as a part of a name: no exponent, no trailing zeros, p for the point."""
    text = format(Decimal(repr(number)), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace(".", "p")
