"""What a trade shows of the book it met, whatever is read of it, and whether a level is unknown.

A book of which nobody reads a level behind the best keeps none ready: what is read of it is the
same as where everything is. Whether one of the first K levels is missing, or lies outside the
price range of the last snapshot, is told by a dictionary of levels.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qf.book.trades import VALUES, WORDS
from qf.program import Program
from qf.schema import BBO, BIT, BOOK_INVALID, DEPTH, SNAPSHOT, TRADE
from tests.book.model import MS, tape_of
from tests.book.programs import book_plan, read_all
from tests.book.test_trades_on_end_meet_one_book import bursts

START, MIDDLE = 1_700_000_000_000 * MS, 100_000
DEEP = ("bid_depth", "ask_depth")


def narrow_plan(rule, levels, names, clocks):
    """Return a plan of which some columns of some clocks are read."""
    plan, columns = book_plan(rule, levels)
    for clock in clocks:
        known = dict(zip(*columns[clock], strict=True))
        read_all(plan, names, [known[name] for name in names])
    return plan


def some_columns(rng, levels):
    """Return names of columns to read, and the clocks to read them of; mostly nothing deep."""
    least = [name for name in (*WORDS, *VALUES) if name not in DEEP]
    more = [*DEEP, "bid_price_0", f"ask_size_{levels - 1}", f"ofi_{levels - 1}"]
    names = [str(name) for name in rng.choice(least, int(rng.integers(1, 9)), replace=False)]
    names += [str(rng.choice(more))] if rng.random() < 0.4 else []
    clocks = (("tick",), ("prints",), ("tick", "prints"))
    return names, clocks[int(rng.integers(0, 3))]


@pytest.mark.parametrize("seed", range(48))
def test_reading_less_changes_no_bit(seed):
    rng, rule, levels = (
        np.random.default_rng(seed),
        ("spot", "spot", "futures")[seed % 3],
        1 + seed % 7,
    )
    tape = tape_of(sparse_book(seed) if seed % 3 == 0 else bursts(seed, rule))
    plan, columns = book_plan(rule, levels)
    for clock in ("tick", "prints"):
        read_all(plan, *columns[clock])
    whole = Program(plan, 64).push(tape)
    for _ in range(5):
        names, clocks = some_columns(rng, levels)
        made = Program(narrow_plan(rule, levels, names, clocks), 64).push(tape)
        for clock in clocks:
            for name in names:
                assert made[clock][name].tobytes() == whole[clock][name].tobytes(), (clock, name)


def sparse_book(seed, count=120):
    """Return frames of a book of few levels, near and far, some beyond the snapshot's range.

    Every frame comes a millisecond after the one before; a trade follows each.
    """
    rng = np.random.default_rng(seed)
    reach = int(rng.choice([3, 30, 200, 45_000]))

    def some(side, most, sizes):
        far = int(rng.choice([0, 0, 0, 33_000, 40_000]))
        steps = {int(step) + far for step in rng.integers(1, reach + 2, int(rng.integers(1, most)))}
        return [(side, MIDDLE - side * step, int(rng.choice(sizes))) for step in sorted(steps)]

    first = [*some(1, 40, [1, 5]), *some(-1, 40, [1, 5])]
    behind = [(side, MIDDLE - side * 50_000, 1) for side in (1, -1) if rng.random() < 0.5]
    frames, last = [{"kind": SNAPSHOT, "levels": first + behind, "first": 9, "last": 9}], 9
    for _ in range(count):
        if rng.random() < 0.2:
            far = int(rng.choice([0, 0, 0, 32_768]))  # as far away as the ring is long
            bid, ask = (MIDDLE - side * (far + int(rng.integers(1, reach + 2))) for side in (1, -1))
            ahead = last + int(rng.integers(0, 4))
            quote = [(1, bid, 3), (-1, ask, 4)]
            frames.append({"kind": BBO, "levels": quote, "first": ahead, "last": ahead})
            continue
        levels = [*some(1, 6, [0, 0, 2]), *some(-1, 6, [0, 0, 2])]
        levels += [(side, price, int(rng.choice([0, 3]))) for side, price, _ in behind]
        last += 1
        frames.append({"kind": DEPTH, "levels": levels, "first": last, "last": last})
    shown = []
    for place, frame in enumerate(frames):
        trade = {"kind": TRADE, "side": 1, "price": MIDDLE, "size": 1, "first": place}
        shown += [frame, trade | {"last": place}]
    times = [START + MS * place for place in range(len(shown))]
    return [
        frame | {"event_time": time, "received": time}
        for frame, time in zip(shown, times, strict=True)
    ]


def looks(frames, levels):
    """Return per trade whether a level is unknown, by dictionaries; None where no book is shown."""
    sides, worsts, last, ticker, found = {1: {}, -1: {}}, [], 0, {}, []
    for frame in frames:
        if frame["kind"] == TRADE:
            shown = []
            for side, book in sides.items():
                better = sorted(book, reverse=True)
                if ticker and ticker["last"] > last:
                    (quote,) = (s * p for s, p, _ in ticker["levels"] if s == side)
                    better = [quote, *(u for u in better if u < quote)]
                shown.append(better[:levels])
            unknown = any(
                len(seen) < levels or seen[-1] < worst
                for seen, worst in zip(shown, worsts, strict=True)
            )
            found.append(unknown if last > 9 and all(shown) else None)
        elif frame["kind"] == BBO:
            ticker = frame if not ticker or frame["last"] > ticker["last"] else ticker
        else:
            last = frame["last"]
            for side, price, size in frame["levels"]:
                sides[side][side * price] = size
                if not size:
                    sides[side].pop(side * price)
            if frame["kind"] == SNAPSHOT:
                worsts = [min(book) for book in sides.values()]
    return found


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from([1, 2, 5, 20]), st.booleans())
def test_a_level_is_unknown_where_the_dictionaries_say_so(seed, levels, deep):
    frames = sparse_book(seed)
    names = ["quality", "bid_depth"] if deep else ["quality"]
    made = Program(narrow_plan("spot", levels, names, ["tick"]), 64).push(tape_of(frames))["tick"]
    expected, compared = looks(frames, levels), 0
    for quality, unknown in zip(made["quality"].tolist(), expected, strict=True):
        if unknown is None or quality & BOOK_INVALID:
            continue
        assert bool(quality & BIT["unknown_depth"]) == unknown
        compared += 1
    assert compared > len(expected) // 2


@pytest.mark.parametrize("side", [1, -1])
def test_levels_a_rings_length_away_are_not_taken_for_those_behind_a_quote(side):
    near = [(s, MIDDLE - s * step, 1) for s in (1, -1) for step in range(1, 40)]
    last = [(s, MIDDLE - s * 60_000, 1) for s in (1, -1)]
    away = (side, MIDDLE - side * (32_768 + 20), 3)  # the ring's levels are at the same places
    trade = {"kind": TRADE, "side": 1, "price": MIDDLE, "size": 1}
    frames = [
        {"kind": SNAPSHOT, "levels": near + last, "first": 9, "last": 9},
        {"kind": DEPTH, "levels": near[:1], "first": 10, "last": 10},
        {"kind": BBO, "levels": [away, (-side, MIDDLE + side, 1)], "first": 20, "last": 20},
        trade | {"first": 1, "last": 1},
        {"kind": DEPTH, "levels": [(s, price, 0) for s, price, _ in last], "first": 11, "last": 11},
        trade | {"first": 2, "last": 2},
    ]
    frames = [
        frame | {"event_time": START + MS * place, "received": START + MS * place}
        for place, frame in enumerate(frames)
    ]
    plan = narrow_plan("spot", 2, ["quality"], ["tick"])
    quality = Program(plan, 64).push(tape_of(frames))["tick"]["quality"]
    assert (quality & BIT["unknown_depth"]).astype(bool).tolist() == [False, True]
