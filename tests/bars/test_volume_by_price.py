"""The rows of a footprint equal a dictionary over the bar's trades, however the tape is cut."""

from __future__ import annotations

import numpy as np
import pytest

from bars.test_footprint import OP as FOOTPRINT
from bars.test_footprint import _tape as footprint_tape
from qf.aggregations.volume_by_price import WINDOW_FULL
from qf.bar_clock import add_bars, bar_clock
from qf.op import find
from qf.testing.contract_bars import FOLD_ENTRIES, UNITS, run, tick_plan

OP = find("volume_by_price", "aggregations")
OUTPUTS = tuple(output.name for output in OP.signature.outputs)
SCALES = {"price_num": 1, "price_den": 100, "size_num": 1, "size_den": 1000}
ROWS = ("bar_id", "feature_time", "first_row", "close_row", "quality")


def _plan(entry):
    plan, tick = tick_plan()
    clock = bar_clock(entry, UNITS)
    bar = add_bars(plan, clock, tick)
    trades = [tick[name] for name in ("price_ticks", "size_lots", "direction")]
    inputs = [*(bar[name] for name in ROWS), *trades]
    out = [plan.clock("footprint"), tick["price_ticks"].clock]
    groups = plan.add(OP, inputs, SCALES, out)
    for name, group in zip(OUTPUTS, groups, strict=True):
        plan.read(f"row.{name}", group[0])
    for name in ROWS:
        plan.read(f"bar.{name}", bar[name])
    rows = [bar["first_row"], bar["close_row"]]
    units = {name: SCALES[name] for name in ("price_num", "price_den")}
    clocks = [plan.clock(clock.name)]
    groups = plan.add(FOOTPRINT, [*trades, *rows], units, clocks)
    for output, group in zip(FOOTPRINT.signature.outputs, groups, strict=True):
        plan.read(f"bar.{output.name}", group[0])
    return plan


def _columns(made):
    return {name: column for clock in made.values() for name, column in clock.items()}


def model(tape, made):
    """Return the rows, slowly: a dictionary from price row to volumes for every bar."""
    ticks, lots, sides = (tape[name].tolist() for name in ("price_ticks", "size_lots", "direction"))
    bars = zip(*(made[f"bar.{name}"].tolist() for name in ROWS), strict=True)
    found, closed = [], -1
    for bar, known, first, last, quality in bars:
        alone = [row for row in range(first, last + 1) if row > closed] or [first]
        closed = last
        height = max(1, ticks[alone[0]] // 10_000)
        start, volumes, outside = ticks[alone[0]] // height, {}, 0
        for row in range(first, last + 1):
            place = ticks[row] // height
            if not start - 256 <= place <= start + 255:
                outside = WINDOW_FULL
                continue
            own = volumes.setdefault(place, [0, 0, 0])
            own[0] += lots[row] if sides[row] > 0 else 0
            own[1] += lots[row] if sides[row] < 0 else 0
            own[2] += lots[row]
        for place in sorted(volumes):
            buy, sell, both = (lots_ / 1000 for lots_ in volumes[place])
            low, high = place * height / 100, (place * height + height - 1) / 100
            found.append((bar, known, low, high, buy, sell, both, quality | outside))
    return found


@pytest.mark.parametrize("entry", FOLD_ENTRIES, ids=lambda entry: entry["type"])
def test_rows_are_the_models_and_no_cut_changes_one(entry):
    for seed, base, spread in ((1, 6_000_000, 900), (2, 500, 2), (3, 6_000_000, 60_000)):
        tape = footprint_tape(seed, base, spread)
        made = _columns(run(_plan(entry), tape))
        parts = _columns(run(_plan(entry), tape, (1, 7, 90, 91, 250), 5))
        rows = list(zip(*(made[f"row.{name}"].tolist() for name in OUTPUTS), strict=True))
        assert rows == model(tape, made)
        for name, column in made.items():
            assert column.tobytes() == parts[name].tobytes(), name


@pytest.mark.parametrize("entry", FOLD_ENTRIES, ids=lambda entry: entry["type"])
def test_the_bars_own_numbers_are_read_off_the_rows(entry):
    made = _columns(run(_plan(entry), footprint_tape(1, 6_000_000, 900)))
    for place, bar in enumerate(made["bar.bar_id"].tolist()):
        own = made["row.bar_id"] == bar
        volume = made["row.volume"][own]
        assert made["bar.poc_share"][place] == pytest.approx(volume.max() / volume.sum())
        busiest = np.flatnonzero(volume == volume.max())[0]
        low, high = made["row.low"][own][busiest], made["row.high"][own][busiest]
        assert low <= made["bar.poc_price"][place] <= high
