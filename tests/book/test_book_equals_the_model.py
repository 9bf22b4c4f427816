"""The compiled book against dictionaries, over random streams with every kind of trouble."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qf.book.continuity import COUNTS
from qf.book.frames import RECORD_HEAD
from qf.program import Program
from qf.schema import BIT, DEPTH, NULL_INT, SNAPSHOT
from tests.book.model import MS, ModelBook, random_frames, tape_of, trade_times
from tests.book.programs import book_plan, enrich_plan, read_all, track_plan

RULES = ("spot", "futures")
INVALID = BIT["unsynced"] | BIT["gap"] | BIT["resyncing"]


def model_rows(frames, rule):
    """Return what the model says of every applied difference: (seq, bid, ask)."""
    book, rows = ModelBook(rule), {}
    for seq, frame in enumerate(frames):
        done = book.take(frame)
        if frame["kind"] == DEPTH and done == "applied":
            rows[seq] = (book.best(1), book.best(-1))
    return rows


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_the_best_after_every_applied_difference_is_the_models(rule, seed):
    frames = random_frames(seed, rule)
    want = model_rows(frames, rule)
    made = Program(track_plan(rule), 64).push(tape_of(frames))["book"]
    rows = {}
    for i in np.nonzero(made["kind"] == DEPTH)[0]:
        rows.setdefault(int(made["seq"][i]), i)
    for seq, (bid, ask) in want.items():
        if bid is None or ask is None:
            assert seq not in rows
            continue
        i = rows[seq]
        assert (made["ladder_bid_ticks"][i], made["ladder_bid_lots"][i]) == bid, seq
        assert (made["ladder_ask_ticks"][i], made["ladder_ask_lots"][i]) == ask, seq
    # The compiled book emits rows for what it replays after a snapshot too; nothing else.
    replays = set(rows) - set(want)
    assert all(frames[seq]["kind"] != DEPTH for seq in replays)


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_the_snapshots_are_the_models_levels_at_or_before_the_boundary(rule, seed):
    depth, period = 5, 100 * MS
    frames = random_frames(seed, rule)
    made = Program(track_plan(rule, depth), 128).push(tape_of(frames))["snapshot"]
    good = made["quality"] == 0
    for i in np.nonzero(good)[0]:
        boundary = int(made["snapshot_time"][i])
        assert boundary % period == 0
        book = ModelBook(rule)
        for frame in frames:
            if frame["received"] > boundary:
                break
            book.take(frame)
        assert book.state == "synced"
        for side, name in ((1, "bid"), (-1, "ask")):
            top = book.top(side, depth)
            for k in range(depth):
                price, size = made[f"{name}_price_{k}"][i], made[f"{name}_size_{k}"][i]
                if k < len(top):
                    assert (price, size) == top[k]
                else:
                    assert math.isnan(price) and math.isnan(size)


def single_changes(seed, count=200):
    """Return a snapshot, and frames a millisecond apart that change a level or a few of a book."""
    rng = np.random.default_rng(seed)
    start, first = 1_700_000_000_000 * MS, [(1, 999, 5), (1, 997, 2), (-1, 1_002, 4)]
    frames = [{"kind": SNAPSHOT, "levels": first, "first": 9, "last": 9, "received": start}]
    for number in range(10, 10 + count):
        side = int(rng.choice([1, -1]))
        levels = [
            (side, 1_000 - side * int(rng.integers(1, 7)), int(rng.choice([0, 0, 1, 2, 30])))
            for _ in range(1 if rng.random() < 0.8 else 3)
        ]
        received = start + (number - 9) * MS
        frames.append(
            {"kind": DEPTH, "levels": levels, "first": number, "last": number, "received": received}
        )
    return [frame | {"event_time": frame["received"]} for frame in frames]


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 7), st.integers(1, 3), st.integers(1, 64))
def test_a_snapshot_after_every_few_changes_has_the_models_levels(seed, depth, period, block):
    frames = single_changes(seed)
    made = Program(track_plan("spot", depth, period), block).push(tape_of(frames))["snapshot"]
    rows = dict(zip(made["snapshot_time"].tolist(), range(len(made["quality"])), strict=True))
    book, compared = ModelBook("spot"), 0
    for frame in frames[:-1]:
        book.take(frame)
        if frame["received"] % (period * MS):
            continue
        usable = book.state == "synced" and book.best(1) and book.best(-1)
        i = rows.get(frame["received"])
        assert bool(usable) == (i is not None and made["quality"][i] == 0)
        if not usable:
            continue
        for side, name in ((1, "bid"), (-1, "ask")):
            top = book.top(side, depth) + [(math.nan, math.nan)] * depth
            for k in range(depth):
                pair = made[f"{name}_price_{k}"][i], made[f"{name}_size_{k}"][i]
                assert np.array_equal(pair, top[k], equal_nan=True), (frame, name, k)
        compared += 1
    assert compared > 20


def far_changes(seed, count=150):
    """Return a snapshot, and frames that empty a side and let it come back far away, or in parts.

    Prices lie around a few places, some of them as far apart as the ring of levels is long.
    """
    rng = np.random.default_rng(seed)
    start, first = 1_700_000_000_000 * MS, [(1, 140_000, 5), (-1, 500_000, 4)]
    frames = [{"kind": SNAPSHOT, "levels": first, "first": 9, "last": 9, "received": start}]
    held = {1: {140_000}, -1: {500_000}}
    for number in range(10, 10 + count):
        levels = []
        for side, low in ((1, 0), (-1, 500_000)):
            gone = [(side, price, 0) for price in sorted(held[side])]
            levels += gone if rng.random() < 0.4 else gone[:1]
            for _ in range(int(rng.integers(0, 5))):
                place = int(rng.choice([1_000, 33_768, 33_770, 66_500, 107_000, 140_000]))
                price = low + place + int(rng.integers(0, 70))
                levels.append((side, price, int(rng.choice([0, 1, 7]))))
        for side, price, size in levels:
            held[side] = held[side] | {price} if size else held[side] - {price}
        received = start + (number - 9) * MS
        frames.append(
            {"kind": DEPTH, "levels": levels, "first": number, "last": number, "received": received}
        )
    return [frame | {"event_time": frame["received"]} for frame in frames]


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_a_side_that_comes_back_far_away_has_the_models_levels(seed):
    frames = far_changes(seed)
    program = Program(track_plan("spot", 5, 1), 64)
    made = program.push(tape_of(frames))["snapshot"]
    rows = dict(zip(made["snapshot_time"].tolist(), range(len(made["quality"])), strict=True))
    book, compared = ModelBook("spot"), 0
    for frame in frames[:-1]:
        book.take(frame)
        if book.state != "synced" or not (book.best(1) and book.best(-1)):
            continue
        i = rows[frame["received"]]
        for side, name in ((1, "bid"), (-1, "ask")):
            top = book.top(side, 5) + [(math.nan, math.nan)] * 5
            for k in range(5):
                pair = made[f"{name}_price_{k}"][i], made[f"{name}_size_{k}"][i]
                assert np.array_equal(pair, top[k], equal_nan=True), (frame, name, k)
        compared += 1
    assert compared > 20


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_a_trade_sees_the_book_strictly_before_it_or_nothing(rule, seed):
    frames = random_frames(seed, rule)
    made = Program(enrich_plan(rule, levels=3), 32).push(tape_of(frames))["tick"]
    looks = {seq: (newest, late) for seq, newest, late in trade_times(frames)}
    for i in range(len(made["seq"])):
        seq = int(made["seq"][i])
        book, seen = ModelBook(rule), ModelBook(rule)
        for frame in frames[:seq]:
            book.take(frame)
        newest, late = looks[seq]
        assert bool(made["quality"][i] & BIT["out_of_order"]) == late
        broken = False
        for frame in frames[:seq]:
            if frame["kind"] in (2, 3) and frame["event_time"] >= newest:
                broken = True  # the queue holds it, and everything of the book behind it
            if frame["kind"] == 5 or not broken:
                seen.take(frame)
        if book.state != "synced":
            assert made["quality"][i] & INVALID
            assert math.isnan(made["mid"][i])
        elif seen.state == "synced" and not made["quality"][i] & (INVALID | BIT["crossed"]):
            bid = made["bid_price_0"][i], made["bid_size_0"][i]
            ask = made["ask_price_0"][i], made["ask_size_0"][i]
            tickers = [f for f in frames[:seq] if f["kind"] == 4 and f["event_time"] < newest]
            over = tickers and tickers[-1]["last"] > seen.last
            if over:
                assert bid == tickers[-1]["levels"][0][1:]
                assert ask == tickers[-1]["levels"][1][1:]
            else:
                assert bid == seen.best(1)
                assert ask == seen.best(-1)


@settings(max_examples=10)
@given(
    seed=st.integers(0, 10**6),
    cuts=st.lists(st.integers(1, 2000), max_size=8),
    block=st.sampled_from([1, 7, 64, 4096]),
)
def test_cuts_saves_and_blocks_change_no_bit(seed, cuts, block):
    frames = random_frames(seed, "spot", count=250)
    tape = tape_of(frames)
    rows = len(tape["seq"])
    for plan in (enrich_plan("spot"), track_plan("spot")):
        whole = Program(plan, 512).push(tape)
        edges = [0, *sorted({c for c in cuts if c < rows}), rows]
        program, parts = Program(plan, block), []
        for low, high in itertools.pairwise(edges):
            saved = program.save()
            program = Program(plan, block)
            program.restore(saved)
            parts.append(program.push({name: c[low:high] for name, c in tape.items()}))
        for clock, columns in whole.items():
            for name, column in columns.items():
                joined = np.concatenate([part[clock][name] for part in parts])
                assert joined.tobytes() == column.tobytes(), (clock, name)


def test_a_level_can_lie_anywhere_and_the_window_follows():
    levels = [(1, 1_000_000 - i * 997, i + 1) for i in range(400)]
    levels += [(-1, 1_000_001 + i * 1_511, i + 1) for i in range(400)]
    start = 1_700_000_000_000 * MS
    frames = [
        {"kind": 3, "levels": levels, "first": 1, "last": 1, "received": start, "event_time": start}
    ]
    # Eat the bids from the top: the best walks through the ring into the far map.
    for i in range(399):
        frames.append(
            {
                "kind": DEPTH, "levels": [(1, 1_000_000 - i * 997, 0)], "first": i + 2,
                "last": i + 2, "received": start + i, "event_time": start + i,
            }
        )  # fmt: skip
    made = Program(track_plan("spot"), 64).push(tape_of(frames))["book"]
    best = made["ladder_bid_ticks"][made["kind"] == DEPTH]
    assert best.tolist() == [1_000_000 - (i + 1) * 997 for i in range(399)]
    assert made["ladder_bid_lots"][-1] == 400


def test_nothing_of_the_book_is_shown_before_the_bridge():
    start = 1_700_000_000_000 * MS
    frames = [
        {"kind": 3, "levels": [(1, 10, 1), (-1, 11, 1)], "first": 5, "last": 5,
         "received": start, "event_time": start},
        {"kind": 1, "side": 1, "price": 11, "size": 1, "first": 1, "last": 1,
         "received": start + 2 * MS, "event_time": start + 2 * MS},
        {"kind": DEPTH, "levels": [(1, 10, 3)], "first": 6, "last": 6,
         "received": start + 3 * MS, "event_time": start + 3 * MS},
        {"kind": 1, "side": 1, "price": 11, "size": 1, "first": 2, "last": 2,
         "received": start + 5 * MS, "event_time": start + 5 * MS},
    ]  # fmt: skip
    made = Program(enrich_plan("spot"), 64).push(tape_of(frames))["tick"]
    assert made["quality"][0] & BIT["unsynced"] and math.isnan(made["mid"][0])
    assert made["mid"][1] == 10.5 and not made["quality"][1] & INVALID
    assert math.isnan(made["ofi_0"][1])  # the first trade after a resync
    assert NULL_INT not in made["event_time"]


def test_a_clock_that_was_set_back_hides_the_future_again_after_a_while():
    start, step = 1_700_000_000_000 * MS, 60_000 * MS
    frames = [
        {"kind": 3, "levels": [(1, 10, 1), (-1, 20, 1)], "first": 1, "last": 1,
         "received": start, "event_time": start}
    ]  # fmt: skip
    for i in range(1, 200):  # each trade just before a book that is received ahead of it
        now = start + i * MS
        ahead = step if i < 50 else 0  # the venue's clock is a minute ahead, then set back
        frames.append({"kind": DEPTH, "levels": [(1, 10, i + 1)], "first": i + 1, "last": i + 1,
                       "received": now, "event_time": now + ahead})  # fmt: skip
        frames.append({"kind": 1, "side": 1, "price": 20, "size": 1, "first": i, "last": i,
                       "received": now, "event_time": now + ahead})  # fmt: skip
    made = Program(enrich_plan("spot", levels=3), 16).push(tape_of(frames))["tick"]
    late = (made["quality"] & BIT["out_of_order"]) != 0
    assert np.nonzero(late)[0].tolist() == list(range(49, 49 + 64))
    seen = made["bid_size_0"]
    # The book of the trade's own instant would be i + 1. The last one of the clock that was ahead
    # holds up the others until 64 trades have spoken; that one sees all, the next are strict.
    assert seen[1:49].tolist() == list(range(2, 50))
    assert seen[49:112].tolist() == [49.0] * 63
    assert seen[112:].tolist() == [114.0, *range(114, 200)]


@pytest.mark.parametrize("block", [5, 4096])
def test_a_frame_larger_than_its_queue_is_taken_in_parts(block):
    start = 1_700_000_000_000 * MS
    levels = [(1, 100_000 - i, i + 1) for i in range(900)]
    levels += [(-1, 100_001 + i, i + 1) for i in range(900)]
    frames = [
        {"kind": 3, "levels": levels, "first": 1, "last": 1, "received": start, "event_time": start}
    ]
    for i in range(400):
        frames.append(
            {"kind": DEPTH, "levels": [(1, 100_000 - i, 0), (-1, 100_001 + i, 7)], "first": i + 2,
             "last": i + 2, "received": start + i * MS, "event_time": start + i * MS}
        )  # fmt: skip
    last = start + 500 * MS
    frames.append({"kind": 1, "side": 1, "price": 100_001, "size": 1, "first": 1, "last": 1,
                   "received": last, "event_time": last})  # fmt: skip
    tape = tape_of(frames)
    small = {"depth_words": 1024, "ticker_words": 1024, "held_words": 1024}
    made = []
    for sizes in ({}, small):
        plan, columns = book_plan("spot", 5, 20, period_ms=100, **sizes)
        for clock in ("tick", "book", "snapshot"):
            read_all(plan, *columns[clock])
        made.append(Program(plan, block).push(tape))
    for clock, columns in made[0].items():
        for name, column in columns.items():
            assert column.tobytes() == made[1][clock][name].tobytes(), (clock, name)
    assert made[1]["tick"]["bid_price_0"][0] == 100_000 - 400


def test_a_ticker_between_two_parts_of_a_frame_is_still_a_ticker():
    start = 1_700_000_000_000 * MS
    first = [(1, 100_000 - i, 5) for i in range(700)] + [(-1, 100_001 + i, 5) for i in range(700)]
    gone = [(1, 100_000 - i, 0) for i in range(600)]
    steps = [
        {"kind": 3, "levels": first, "first": 1, "last": 1},
        {"kind": DEPTH, "levels": [(1, 99_900, 6)], "first": 2, "last": 2},
        {"kind": 1, "side": 1, "price": 100_001, "size": 1, "first": 1, "last": 1},
        {"kind": 4, "levels": [(1, 100_000, 9), (-1, 100_001, 9)], "first": 2, "last": 2},
        {"kind": DEPTH, "levels": gone, "first": 3, "last": 3},
        {"kind": 1, "side": 1, "price": 100_001, "size": 1, "first": 2, "last": 2},
        {"kind": 1, "side": 1, "price": 100_001, "size": 1, "first": 3, "last": 3},
        {"kind": DEPTH, "levels": [(-1, 100_002, 7)], "first": 4, "last": 4},
    ]  # fmt: skip
    # The trade after the differences is as old as they are: it may see the ticker, not them.
    happened = [0, 5, 10, 20, 30, 30, 40, 200]
    received = [0, 5, 10, 20, 30, 31, 41, 200]
    frames = [
        frame | {"event_time": start + at * MS, "received": start + got * MS}
        for frame, at, got in zip(steps, happened, received, strict=True)
    ]
    plan, columns = book_plan("spot", 5, 20, period_ms=100, depth_words=1024)
    for clock in ("tick", "snapshot"):
        read_all(plan, *columns[clock])
    made = Program(plan, 64).push(tape_of(frames))
    assert made["tick"]["bid_price_0"].tolist()[-1] == 99_400
    assert made["snapshot"]["bid_price_0"].tolist()[-1] == 99_400
    assert made["snapshot"]["quality"].tolist()[-1] == 0


def test_a_snapshot_that_is_due_knows_no_part_of_the_frame_that_comes():
    start = 1_700_000_000_000 * MS
    first = [(1, 100_000 - i, 5) for i in range(700)] + [(-1, 100_001 + i, 5) for i in range(700)]
    gone = [(1, 100_000 - i, 0) for i in range(600)]
    frames = [
        {"kind": 3, "levels": first, "first": 1, "last": 1, "received": start},
        {"kind": DEPTH, "levels": first[:1], "first": 2, "last": 2, "received": start + 9 * MS},
        {"kind": DEPTH, "levels": gone, "first": 3, "last": 3, "received": start + 110 * MS},
        {"kind": DEPTH, "levels": first[-1:], "first": 4, "last": 4, "received": start + 250 * MS},
    ]
    tape = tape_of([frame | {"event_time": frame["received"]} for frame in frames])
    for block in (64, 4096):
        plan, columns = book_plan("spot", 5, 20, period_ms=100, depth_words=1024)
        for clock in ("tick", "snapshot"):
            read_all(plan, *columns[clock])
        made = Program(plan, block).push(tape)["snapshot"]
        assert made["bid_price_0"].tolist()[-2:] == [100_000, 99_400]


def test_a_full_buffer_loses_its_oldest_frames_and_counts_them():
    start = 1_700_000_000_000 * MS
    frames = [
        {"kind": DEPTH, "levels": [(1, 10, i + 1), (-1, 20, i + 1)], "first": i + 1, "last": i + 1,
         "received": start + i, "event_time": start + i}
        for i in range(200)
    ]  # fmt: skip
    frames.append({"kind": 3, "levels": [(1, 9, 1), (-1, 21, 1)], "first": 150, "last": 150,
                   "received": start + 300, "event_time": start + 300})  # fmt: skip
    plan, columns = book_plan("spot", held_words=1024)
    read_all(plan, *columns["book"])
    program = Program(plan, 64)
    made = program.push(tape_of(frames))["book"]
    held = 1024 // (RECORD_HEAD + 4)
    lost = program.ints_of("book")[COUNTS + 4 * DEPTH + 1]
    assert lost == 150  # the oldest that did not fit, and those that the snapshot contains
    assert held < 200 - 50
    assert made["bid_lots"][-1] == 200 and made["last_id"].tolist()[-50:] == list(range(151, 201))
