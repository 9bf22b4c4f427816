"""The footprint of a bar equals its slow definition, on every kind of bar and however it is cut."""

from __future__ import annotations

import numpy as np
import pytest

from qf.bar_clock import add_bars, bar_clock
from qf.op import find
from qf.testing.contract_bars import FOLD_ENTRIES, UNITS, random_tape, run, tick_plan

OP = find("footprint", "aggregations")
NAMES = ("poc_price", "poc_share", "buy_stack", "sell_stack")


def _plan(entry):
    plan, tick = tick_plan()
    clock = bar_clock(entry, UNITS)
    bar = add_bars(plan, clock, tick)
    inputs = [tick[name] for name in ("price_ticks", "size_lots", "direction")]
    units = {"price_num": 1, "price_den": 100}
    rows = [bar["first_row"], bar["close_row"]]
    groups = plan.add(OP, [*inputs, *rows], units, [plan.clock(clock.name)])
    for name, group in zip(NAMES, groups, strict=True):
        plan.read(name, group[0])
    for name in ("first_row", "close_row"):
        plan.read(name, bar[name])
    return plan


def _tape(seed, base, spread):
    tape = random_tape(seed, 300)
    rng = np.random.default_rng(seed)
    tape["price_ticks"] = base + np.cumsum(rng.integers(-spread, spread + 1, 300))
    return tape


@pytest.mark.parametrize("entry", FOLD_ENTRIES, ids=lambda entry: entry["type"])
def test_it_equals_its_definition_and_no_cut_changes_a_bit(entry):
    met = 0
    for seed, base, spread in ((1, 6_000_000, 900), (2, 500, 2), (3, 6_000_000, 60_000)):
        tape = _tape(seed, base, spread)
        (made,) = run(_plan(entry), tape).values()
        (parts,) = run(_plan(entry), tape, (1, 7, 90, 91, 250), 5).values()
        firsts, lasts = made["first_row"].tolist(), made["close_row"].tolist()
        trades = [tape[name].tolist() for name in ("price_ticks", "size_lots", "direction")]
        want = np.array(
            [
                OP.rules["definition"](*trades, firsts[: k + 1], lasts[: k + 1], 1, 100)
                for k in range(len(firsts))
            ]
        ).reshape(-1, 4)
        for place, name in enumerate(NAMES):
            np.testing.assert_allclose(made[name], want[:, place], rtol=1e-12)
            assert parts[name].tobytes() == made[name].tobytes()
        met += int((made["buy_stack"] + made["sell_stack"] > 0).sum())
    assert met > 0


def test_a_bar_worked_out_by_hand():
    # Rows of one tick: bought 3 at 101 over 1 sold at 100, bought 9 at 102 over 2 sold at 101.
    prices, sizes, sides = [100, 101, 101, 102, 103], [1, 3, 2, 9, 1], [-1, 1, -1, 1, 0]
    answer = OP.rules["definition"](prices, sizes, sides, [0], [4], 1, 1)
    assert answer == (102.0, 9 / 16, 2.0, 0.0)
