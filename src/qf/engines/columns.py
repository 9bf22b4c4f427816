"""The state part of a symbol's program: tape in, the tick clock, the book, the bars out.

1. one pass of `book` over the tape makes the tick clock (every trade beside the book it met), the
   prints made outside the book, a row per book frame, and the L2 snapshots; another, where a
   formula reads it, puts beside each trade what the venue published last;
2. every bar clock is a rule over the tick clock and one fold.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from dataclasses import dataclass, field
from fractions import Fraction

from qf.bar_clock import BarClock, Units, add_bars, bar_clocks
from qf.book import published
from qf.book.snapshots import BOOK_VALUES, BOOK_WORDS, SNAPSHOT_LEVELS, SNAPSHOT_WORDS
from qf.book.trades import LEVEL_VALUES, VALUES, WORDS
from qf.op import find
from qf.program import Column, Plan
from qf.project.model import Project
from qf.schema import PUBLISHED, TAPE
from qf.tape.instruments import Instrument


@dataclass
class State:
    """The clocks of one symbol, as columns by name."""

    plan: Plan
    units: Units
    levels: int
    tick: dict[str, Column] = field(default_factory=dict)
    prints: dict[str, Column] = field(default_factory=dict)
    book: dict[str, Column] = field(default_factory=dict)
    snapshot: dict[str, Column] = field(default_factory=dict)
    bars: dict[str, dict[str, Column]] = field(default_factory=dict)
    bar_clocks: dict[str, BarClock] = field(default_factory=dict)


def instrument_units(instrument: Instrument) -> Units:
    """Return what a tick, a lot and a value unit of an instrument are worth."""
    return Units(
        Fraction(*instrument.price_scale),
        Fraction(*instrument.size_scale),
        Fraction(*instrument.value_scale),
    )


def add_state(
    project: Project,
    instrument: Instrument,
    continuity: str,
    levels: int,
    footprints: Collection[str] = (),
    marks: bool = False,
) -> State:
    """Return a plan that turns the tape of one symbol into its clocks.

    `footprints` are the bar clocks whose volume by price some formula reads; `marks` says whether
    one reads what the venue publishes beside its trades and book.
    """
    plan = Plan()
    plan.clock("events")
    tape = [plan.feed(column.name, "int") for column in TAPE]
    state = State(plan, instrument_units(instrument), levels)
    _add_book(project, instrument, state, tape[0], continuity)
    if marks:
        _add_marks(state, tape)
    entries = [{"type": bar.rule, **bar.params} for bar in project.bars]
    for clock in bar_clocks(entries, state.units):
        state.bar_clocks[clock.name] = clock
        state.bars[clock.name] = add_bars(plan, clock, state.tick)
        if clock.name in footprints:
            _add_footprint(state, clock.name)
    return state


def _add_marks(state: State, tape: list[Column]) -> None:
    given = dict(zip((field.name for field in TAPE), tape, strict=True))
    inputs = [given[name] for name in ("kind", "seq", "side", "price", "processed_time")]
    inputs += [state.tick["seq"], state.tick["processed_time"]]
    (values,) = state.plan.add(published.op, inputs, {}, [state.tick["seq"].clock])
    state.tick |= dict(zip(PUBLISHED, values, strict=True))


def _add_footprint(state: State, clock: str) -> None:
    op, bar = find("footprint", "aggregations"), state.bars[clock]
    inputs = [state.tick[name] for name in ("price_ticks", "size_lots", "direction")]
    units = {"price_num": state.units.tick.numerator, "price_den": state.units.tick.denominator}
    rows = [bar["first_row"], bar["close_row"]]
    groups = state.plan.add(op, [*inputs, *rows], units, [bar["bar_id"].clock])
    bar |= {o.name: group[0] for o, group in zip(op.signature.outputs, groups, strict=True)}


def add_volume_by_price(state: State, clock: str, name: str) -> dict[str, Column]:
    """Add the rows of a clock's footprints, on a clock called `name`, and return their columns."""
    op, bar, tick, units = find("volume_by_price"), state.bars[clock], state.tick, state.units
    rows = ("bar_id", "feature_time", "first_row", "close_row", "quality")
    inputs = [bar[each] for each in rows]
    inputs += [tick[each] for each in ("price_ticks", "size_lots", "direction")]
    price, size = units.tick.as_integer_ratio(), units.lot.as_integer_ratio()
    given = {"price_num": price[0], "price_den": price[1]}
    given |= {"size_num": size[0], "size_den": size[1]}
    out = [state.plan.clock(name), tick["seq"].clock]
    groups = state.plan.add(op, inputs, given, out)
    return {o.name: group[0] for o, group in zip(op.signature.outputs, groups, strict=True)}


def _add_book(
    project: Project, instrument: Instrument, state: State, tape: Column, continuity: str
) -> None:
    plan, options, levels = state.plan, project.enrich, state.levels
    depth = project.snapshots.depth_levels
    price, size, value = instrument.price_scale, instrument.size_scale, instrument.value_scale
    settings = {
        "price_num": price[0],
        "price_den": price[1],
        "size_num": size[0],
        "size_den": size[1],
        "value_num": value[0],
        "value_den": value[1],
        "value_of": "price_size" if instrument.value_from_price else "size",
        "rule": continuity,
        "quote_asof": options.quote_asof,
        "quote_lag_ms": round(options.quote_lag_ms),
        "levels": levels,
        "ladder_values": 4 * levels,
        "book_ttl_ms": round(options.book_ttl_ms),
        "include_non_market": "yes" if options.include_non_market else "no",
        "depth_levels": depth,
        "snapshot_values": len(SNAPSHOT_LEVELS) * depth,
        "period_ms": project.snapshots.period_ns // 1_000_000,
    }
    out = [plan.clock(name) for name in ("tick", "prints", "book", "snapshot")]
    groups = plan.add(find("book", "book"), [tape], settings, out)
    ladder = (f"{name}_{level}" for name in LEVEL_VALUES for level in range(levels))
    names = (*WORDS, *VALUES, *ladder)
    state.tick = dict(zip(names, itertools.chain(*groups[:4]), strict=True))
    state.prints = dict(zip(names, itertools.chain(*groups[4:8]), strict=True))
    book = (*BOOK_WORDS, *BOOK_VALUES)
    state.book = dict(zip(book, itertools.chain(*groups[8:10]), strict=True))
    shown = (f"{name}_{level}" for name in SNAPSHOT_LEVELS for level in range(depth))
    state.snapshot = dict(
        zip((*SNAPSHOT_WORDS, *shown), itertools.chain(*groups[10:]), strict=True)
    )
