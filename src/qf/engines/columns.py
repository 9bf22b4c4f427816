"""The state part of a symbol's program: tape in, the tick clock, the book, the bars out.

1. `sync` checks the id chain of the book and lets only what may be applied through;
2. `pair` puts book messages where a trade may first see them, and `enrich` sets every trade
   beside the book it met: that is the tick clock;
3. `track` reads the same stream in arrival order: book rows and L2 snapshots;
4. every bar clock is a rule over the tick clock and one fold.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from fractions import Fraction

from qf.bar_clock import BarClock, Units, add_bars, bar_clocks
from qf.book.enrich import LEVEL_VALUES, VALUES, WORDS
from qf.book.track import BOOK_VALUES, BOOK_WORDS, SNAPSHOT_LEVELS, SNAPSHOT_WORDS
from qf.op import find
from qf.program import Column, Plan
from qf.project.model import Project
from qf.schema import TAPE
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


def add_state(project: Project, instrument: Instrument, continuity: str, levels: int) -> State:
    """Return a plan that turns the tape of one symbol into its clocks."""
    plan = Plan()
    plan.clock("events")
    tape = [plan.feed(column.name, "int") for column in TAPE]
    state = State(plan, instrument_units(instrument), levels)
    stream = plan.add(
        find("sync", "book"), tape[:1], {"rule": continuity}, out=[plan.clock("stream")]
    )[0]
    _add_trades(project, instrument, state, stream[0])
    _add_book(project, instrument, state, stream[0])
    entries = [{"type": bar.rule, **bar.params} for bar in project.bars]
    for clock in bar_clocks(entries, state.units):
        state.bar_clocks[clock.name] = clock
        state.bars[clock.name] = add_bars(plan, clock, state.tick)
    return state


def _scales(instrument: Instrument) -> dict[str, int]:
    price, size = instrument.price_scale, instrument.size_scale
    return {
        "price_num": price[0],
        "price_den": price[1],
        "size_num": size[0],
        "size_den": size[1],
    }


def _add_trades(project: Project, instrument: Instrument, state: State, stream: Column) -> None:
    plan, options, levels = state.plan, project.enrich, state.levels
    paired = plan.add(
        find("pair", "book"),
        [stream],
        {"quote_asof": options.quote_asof, "quote_lag_ms": round(options.quote_lag_ms)},
        out=[plan.clock("paired")],
    )[0]
    value = instrument.value_scale
    settings = {
        "levels": levels,
        "book_ttl_ms": round(options.book_ttl_ms),
        "include_non_market": "yes" if options.include_non_market else "no",
        "value_of": "price_size" if instrument.value_from_price else "size",
        **_scales(instrument),
        "value_num": value[0],
        "value_den": value[1],
        "level_values": len(LEVEL_VALUES) * levels,
    }
    out = [plan.clock("tick"), plan.clock("prints")]
    groups = plan.add(find("enrich", "book"), paired[:1], settings, out)
    ladder = (f"{name}_{level}" for name in LEVEL_VALUES for level in range(levels))
    names = (*WORDS, *VALUES, *ladder)
    state.tick = dict(zip(names, itertools.chain(*groups[:3]), strict=True))
    state.prints = dict(zip(names, itertools.chain(*groups[3:]), strict=True))


def _add_book(project: Project, instrument: Instrument, state: State, stream: Column) -> None:
    plan, depth = state.plan, project.snapshots.depth_levels
    settings = {
        "depth_levels": depth,
        "period_ms": project.snapshots.period_ns // 1_000_000,
        "book_ttl_ms": round(project.enrich.book_ttl_ms),
        "book_rows": "no",
        **_scales(instrument),
        "snapshot_values": len(SNAPSHOT_LEVELS) * depth,
    }
    out = [plan.clock("book"), plan.clock("snapshot")]
    words, values, marks, levels = plan.add(find("track", "book"), [stream], settings, out)
    state.book = dict(zip((*BOOK_WORDS, *BOOK_VALUES), (*words, *values), strict=True))
    names = [f"{name}_{level}" for name in SNAPSHOT_LEVELS for level in range(depth)]
    state.snapshot = dict(zip((*SNAPSHOT_WORDS, *names), (*marks, *levels), strict=True))
