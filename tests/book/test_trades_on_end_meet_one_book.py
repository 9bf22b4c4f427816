"""Trades on end are written in one go; one row at a time they never are: both give the same bits.

Bursts of trades hold everything that ends a run: no side, bits of their own, ids that repeat, jump
or are missing, times that run back or are missing, silence, frames of several rows, book messages
that wait, snapshots that fall due, values that are no trades, a venue's clock that is set back.
"""

from __future__ import annotations

import numpy as np
import pytest

from qf.program import Program
from qf.schema import BBO, BIT, MARK, NULL_INT, TRADE
from tests.book.model import MS, random_frames, tape_of
from tests.book.programs import book_plan, read_all

OWN_BITS = (0, BIT["non_market"], BIT["clock_step"])


def bursts(seed, rule):
    """Return frames of a book with trades on end between them."""
    rng = np.random.default_rng(seed)
    frames, received, trade_id, price = [], 0, 500, 100_000
    for place, frame in enumerate(random_frames(seed, rule, count=150)):
        received = max(received, frame["received"])
        time = frame.get("event_time", received - 5 * MS)
        time -= 900 * MS if seed % 3 == 2 and place > 60 else 0  # the venue sets its clock back
        late = int(rng.integers(0, 10)) * MS if frame["kind"] == BBO else 0
        frames.append(frame | {"received": received, "event_time": time + late})
        frames.append({"kind": MARK, "side": 1, "event_time": time, "received": received})
        time -= int(rng.integers(0, 4)) * MS
        for _ in range(int(rng.choice([0, 1, 6, 25], p=[0.4, 0.2, 0.3, 0.1]))):
            time += int(rng.integers(0, 3)) * MS
            received += int(rng.integers(0, 2)) * MS
            received += 4_000 * MS if rng.random() < 0.01 else 0
            if rng.random() < 0.1:
                frames.append({"kind": MARK, "side": 2, "event_time": time, "received": received})
            trade_id += int(rng.choice([1, 0, 3], p=[0.94, 0.03, 0.03]))
            price += int(rng.integers(-1, 2))
            side = int(rng.choice([-1, 1, 0], p=[0.45, 0.45, 0.1]))
            early = int(rng.integers(1, 60)) * MS if rng.random() < 0.05 else 0
            one = (side, price, int(rng.integers(1, 9)))
            known = rng.random() > 0.03
            frames.append(
                {"kind": TRADE, "levels": [one] * int(rng.choice([1, 2, 3], p=[0.94, 0.03, 0.03])),
                 "first": trade_id if known else NULL_INT, "last": trade_id,
                 "event_time": time - early if rng.random() > 0.02 else NULL_INT,
                 "received": received, "flags": int(rng.choice(OWN_BITS, p=[0.94, 0.03, 0.03]))}
            )  # fmt: skip
    return frames


def everything(rule, **settings):
    """Return a plan of the book op that reads trades, prints and snapshots."""
    plan, columns = book_plan(rule, levels=3, period_ms=50, **settings)
    for clock in ("tick", "prints", "snapshot"):
        read_all(plan, *columns[clock])
    return plan


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("asof", ["exchange_strict", "arrival"])
@pytest.mark.parametrize("rule", ["spot", "futures", "none"])
def test_in_one_go_or_one_by_one_the_bits_are_the_same(rule, asof, seed):
    tape = tape_of(bursts(seed, "futures" if rule == "futures" else "spot"))
    plan = everything(rule, quote_asof=asof, quote_lag_ms=3 if asof == "arrival" else 0)
    together, alone = Program(plan, 512), Program(plan, 1)
    made, expected = together.push(tape), alone.push(tape)
    assert len(expected["tick"]["seq"]) > 300
    for clock, columns in expected.items():
        for name, column in columns.items():
            assert made[clock][name].tobytes() == column.tobytes(), (clock, name)
    assert together.save() == alone.save()


@pytest.mark.parametrize("read", ["mid", "weighted_mid", "bid_depth", "bid_price_0", "ofi_0"])
def test_whatever_is_read_of_the_book_is_the_same(read):
    tape = tape_of(bursts(1, "spot"))
    plan, columns = book_plan("spot", levels=3)
    plan.read(read, dict(zip(*columns["tick"], strict=True))[read])
    made = [Program(plan, block).push(tape)["tick"][read] for block in (512, 1)]
    assert np.isfinite(made[0]).sum() > 100
    assert made[0].tobytes() == made[1].tobytes()
