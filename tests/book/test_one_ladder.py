"""Two books live by one ladder where they may: each then shows what it does with one of its own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qf.book.ladder import BEST_U, side_at
from qf.book.state import AHEAD, ARRIVED, OBSERVED, TAKEN, VISIBLE
from qf.book.top import FOLLOWER, LADDER, LADDER_AT
from qf.program import Program
from qf.schema import BBO, BIT, DEPTH, NULL_INT, SNAPSHOT, TRADE
from qf.simulator.books import side_of
from tests.book.model import MS, ModelBook, random_frames, tape_of
from tests.book.programs import book_plan, read_all

SMALL = {"held_words": 1024, "depth_words": 1024, "ticker_words": 1024}


def seldom_loaded(seed, rule, tardy_ms=60):
    """Return frames with few snapshots, whose trades are older than the books before them."""
    rng = np.random.default_rng(seed)
    frames, received = [], 0
    for place, frame in enumerate(
        random_frames(seed, "futures" if rule == "futures" else "spot", 300)
    ):
        if frame["kind"] == SNAPSHOT and place > 0 and rng.random() < 0.8:
            continue
        received = max(received, frame["received"])
        if (
            frame["kind"] == DEPTH and rng.random() < 0.3
        ):  # beyond the window, and now and then gone
            far = (1, int(rng.integers(5_000, 5_003)), int(rng.choice([0, 3, 4])))
            frame = frame | {"levels": [*frame["levels"], far]}
        late = int(rng.integers(0, tardy_ms)) * MS if frame["kind"] == TRADE else 0
        time = frame.get("event_time", received - 5 * MS) - late
        frames.append(frame | {"received": received, "event_time": time})
    return frames


def unruly(seed, rule, count=250):
    """Return frames of no true book: crossed, far, repeated, empty, too large, lost, too early."""
    rng = np.random.default_rng(seed)
    start, mid, update = 1_700_000_000_000 * MS, 100_000, 1_000
    troubles, trades = rng.choice([0.0, 0.02, 0.1], size=4), rng.choice([0.03, 0.25])
    frames, received = [], start

    def level(reach=20):
        side = int(rng.choice([1, -1]))
        away = int(rng.integers(-2 if rng.random() < troubles[0] else 1, reach))
        away += int(rng.integers(0, 3)) * 30_000 if rng.random() < troubles[1] else 0
        return side, mid - side * away, int(rng.choice([0, 0, 1, 2, 30]))

    for number in range(count):
        received += int(rng.integers(-60 if rng.random() < 0.02 else 0, 12)) * MS
        happened, draw = received - 5 * MS, rng.random()
        if draw < trades:
            frame = {"kind": TRADE, "side": 1, "price": mid, "size": 1, "first": number}
            happened -= int(rng.integers(0, 80)) * MS
        elif draw < 0.45:
            touch = [
                (k, mid - k * int(rng.integers(-1, 6)), int(rng.integers(1, 9))) for k in (1, -1)
            ]
            frame = {"kind": BBO, "levels": touch, "first": update + int(rng.integers(-2, 4))}
        elif draw < 0.5 or number == 0:
            held = {(k, mid - k * int(away)) for k in (1, -1) for away in rng.integers(1, 30, 20)}
            levels = [(k, price, int(rng.integers(1, 9))) for k, price in sorted(held)]
            frame = {"kind": SNAPSHOT, "levels": levels, "first": update + int(rng.integers(0, 3))}
        else:
            levels = [level() for _ in range(int(rng.integers(0, 7)))]
            levels += levels[:1]
            if rng.random() < troubles[2]:
                levels = [level(800) for _ in range(int(rng.integers(500, 1_100)))]
            first, before = update + 1, update
            update += int(rng.integers(1, 4))
            if rng.random() < troubles[3] / 2:
                continue  # lost on the way
            frame = {"kind": DEPTH, "levels": levels, "first": first, "last": update}
            frame |= {"prev": before} if rule == "futures" else {}
        frame.setdefault("last", frame["first"])
        if rule == "none" and frame["kind"] in (DEPTH, SNAPSHOT):
            frame |= {"first": NULL_INT, "last": NULL_INT}
        frames.append(frame | {"event_time": happened, "received": received})
    return frames


def plan_that_reads(rule, *clocks, period_ms=7, **words):
    """Return a plan of the book op that reads everything of some clocks."""
    plan, columns = book_plan(rule, levels=3, depth=6, period_ms=period_ms, **words)
    for clock in clocks:
        read_all(plan, *columns[clock])
    return plan


def book_words(program):
    """Return the book op's words where they lie."""
    return program._ints[: program.plan.instructions[0].ints]


def step_through(program, tape):
    """Push a tape row by row; yield what a row has made of both clocks, and the book's words."""
    for row in range(len(tape["seq"])):
        made = program.push({name: column[row : row + 1] for name, column in tape.items()})
        yield len(made["tick"]["seq"]), made["snapshot"]["quality"].tolist(), book_words(program)


@pytest.mark.parametrize("rule", ["spot", "futures", "none"])
@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    stream=st.sampled_from([unruly, unruly, seldom_loaded]),
    block=st.integers(1, 300),
    period_ms=st.sampled_from([1, 7, 50]),
    ttl_ms=st.sampled_from([20, 3_000]),
    words=st.sampled_from([{}, SMALL]),
)
def test_one_ladder_or_two_the_bits_are_the_same(
    rule, seed, stream, block, period_ms, ttl_ms, words
):
    tape = tape_of(stream(seed, rule))
    clocks = ("tick", "prints", "snapshot")
    settings = {"period_ms": period_ms, "book_ttl_ms": ttl_ms, **words}
    two = Program(plan_that_reads(rule, *clocks, "book", **settings), 512)
    one = Program(plan_that_reads(rule, *clocks, **settings), block)
    expected, made = two.push(tape), one.push(tape)
    assert book_words(two)[VISIBLE + FOLLOWER] == 0
    for clock in clocks:
        for name, column in expected[clock].items():
            assert made[clock][name].tobytes() == column.tobytes(), (clock, name)


def levels_of(words, at):
    """Return every level of the ladder at a place, by side, and both bests."""
    sides = [side_of(words, side_at(at, k))[0] for k in range(2)]
    return sides, [abs(int(words[side_at(at, k) + BEST_U])) for k in range(2)]


def test_a_ladder_that_is_ahead_holds_the_arrived_book_and_goes_back():
    ahead = parted = shared = 0
    for seed in range(4):
        frames = seldom_loaded(seed, "spot", 150)
        tape, model, done, was = tape_of(frames), ModelBook("spot"), 0, False
        program = Program(plan_that_reads("spot", "tick", "snapshot"), 1)
        for row, (trades, shown, words) in enumerate(step_through(program, tape)):
            now, kind = words[VISIBLE + FOLLOWER] != 0, tape["kind"][row]
            shared += now
            parted += was and not now and kind == DEPTH
            assert not (trades and words[AHEAD])
            # A snapshot is written when the next message comes: the ladder has all but that one.
            if now and words[AHEAD] and 0 in shown:
                want = [model.sides[1], model.sides[-1]]
                bests = [max(want[0]), min(want[1])]
                assert levels_of(words, int(words[VISIBLE + LADDER_AT])) == (want, bests)
                ahead += 1
            was = now
            if tape["last_row"][row]:
                model.take(frames[done])
                done += 1
    assert shared > 1000 and ahead > 100 and parted > 3, (shared, ahead, parted)


FIRST = [(1, 100, 5), (1, 99, 5), (-1, 102, 5), (-1, 40_000, 5)]
BEGUN = [
    (0, {"kind": SNAPSHOT, "levels": FIRST, "first": 1}),
    (2, {"kind": DEPTH, "levels": [(1, 98, 1)], "first": 2}),
    (4, {"kind": TRADE, "side": 1, "price": 102, "size": 1, "first": 1}),
]


def trade_at(at):
    """Return a trade of a moment, as a step of a stream."""
    return at, {"kind": TRADE, "side": 1, "price": 102, "size": 1, "first": at}


def stream(steps):
    """Return the tape of steps (ms, frame) after a beginning; ids are those of their `first`."""
    start = 1_700_000_000_000 * MS
    return tape_of(
        [
            {"last": f["first"], **f, "event_time": start + at * MS, "received": start + at * MS}
            for at, f in [*BEGUN, *steps]
        ]
    )


def both_ways(steps, **settings):
    """Return what a stream makes of trades and snapshots by one ladder; by two it is the same."""
    made = []
    for clocks in (("tick", "snapshot"), ("tick", "snapshot", "book")):
        made.append(Program(plan_that_reads("spot", *clocks, **settings), 1).push(stream(steps)))
    for clock in made[0]:
        for name, column in made[0][clock].items():
            assert made[1][clock][name].tobytes() == column.tobytes(), (clock, name)
    return made[0]


def test_what_trades_saw_crossed_the_arrived_book_was_too():
    steps = [
        (55, {"kind": DEPTH, "levels": [(1, 98, 3)], "first": 3}),
        (60, {"kind": DEPTH, "levels": [(1, 103, 5)], "first": 4}),
        trade_at(62),
        (64, {"kind": DEPTH, "levels": [(1, 103, 0)], "first": 5}),
        trade_at(66),
        (110, {"kind": DEPTH, "levels": [(1, 98, 2)], "first": 6}),
    ]
    assert both_ways(steps, period_ms=50)["snapshot"]["quality"].tolist()[-1] == BIT["crossed"]
    program = Program(plan_that_reads("spot", "tick", "snapshot", period_ms=50), 1)
    tape = stream(steps)
    program.push({name: column[:-1] for name, column in tape.items()})
    assert book_words(program)[VISIBLE + FOLLOWER] != 0
    book_words(program)[OBSERVED] = 1
    made = program.push({name: column[-1:] for name, column in tape.items()})["snapshot"]
    assert made["quality"].tolist()[-1] == BIT["crossed"]


def test_a_ticker_older_than_what_parts_the_books_lies_not_over_the_arrived_one():
    steps = [
        (10, {"kind": DEPTH, "levels": [(-1, 102, 0), (1, 20_100, 5)], "first": 3}),
        (11, {"kind": BBO, "levels": [(1, 105, 1), (-1, 101, 1)], "first": 3}),
        (60, {"kind": DEPTH, "levels": [(1, 98, 2)], "first": 4}),
    ]
    made = both_ways(steps, period_ms=50)["snapshot"]
    assert (made["quality"][-1], made["bid_price_0"][-1]) == (0, 20_100)


def test_half_of_a_large_message_does_not_cross_the_arrived_book():
    levels = [(1, 103, 5), *((1, 90 - i % 50, 1) for i in range(600)), (-1, 102, 0)]
    steps = [
        (10, {"kind": DEPTH, "levels": levels, "first": 3}),
        (11, {"kind": BBO, "levels": [(1, 103, 1), (-1, 104, 1)], "first": 4}),
        (60, {"kind": DEPTH, "levels": [(1, 98, 2)], "first": 5}),
        trade_at(70),
    ]
    made = both_ways(steps, period_ms=50, **SMALL)["snapshot"]
    assert (made["quality"][-1], made["bid_price_0"][-1]) == (0, 103)


def test_a_snapshot_that_mends_what_trades_see_alone_is_none_to_the_arrived_book():
    steps = [
        # Trades see by id: a ticker that is crossed, the snapshot, the ticker that is not.
        (20, {"kind": BBO, "levels": [(1, 105, 1), (-1, 101, 1)], "first": 3}),
        (21, {"kind": BBO, "levels": [(1, 100, 1), (-1, 102, 1)], "first": 5}),
        (22, {"kind": SNAPSHOT, "levels": [(1, 90, 7), (-1, 110, 7)], "first": 4}),
        trade_at(30),
        trade_at(40),
        (50, {"kind": DEPTH, "levels": [(1, 97, 1)], "first": 3, "last": 6}),
        trade_at(60),
        trade_at(70),
    ]
    made = both_ways(steps, period_ms=5)
    assert made["snapshot"]["bid_price_0"][-1] == 100.0
    assert made["tick"]["bid_price_0"][-1] == 97.0


def test_a_ticker_between_two_parts_does_not_judge_half_a_message():
    levels = [(1, 103, 5), *((1, 90 - i % 50, 1) for i in range(600)), (-1, 102, 0)]
    tape = stream(
        [
            (10, {"kind": BBO, "levels": [(1, 100, 1), (-1, 102, 1)], "first": 3}),
            (13, {"kind": DEPTH, "levels": levels, "first": 3, "last": 4}),
            trade_at(14),
            trade_at(20),
        ]
    )
    tape["event_time"][-2] -= 2 * MS  # older than the message, newer than the ticker
    made = Program(plan_that_reads("spot", "tick", **SMALL)).push(tape)["tick"]
    assert made["bid_price_0"][-1] == 103
    assert made["quality"][-1] & BIT["crossed"] == 0


def test_half_a_message_does_not_cross_the_book_of_who_comes_to_look():
    first = [(1, 100, 5), (-1, 102, 5), (-1, 105, 5)]
    up = [(1, 103, 5), (-1, 102, 0)]
    start = 1_700_000_000_000 * MS
    frames = [
        {"kind": SNAPSHOT, "levels": first, "first": 1, "last": 1, "received": start},
        {"kind": DEPTH, "levels": [(1, 98, 1)], "first": 2, "last": 2, "received": start + MS},
        {"kind": TRADE, "side": 1, "price": 102, "size": 1, "received": start + 9 * MS},
        {"kind": DEPTH, "levels": up, "first": 3, "last": 3, "received": start + 12 * MS},
        {"kind": DEPTH, "levels": up[:1], "first": 4, "last": 4, "received": start + 30 * MS},
    ]
    tape = tape_of([frame | {"event_time": frame["received"]} for frame in frames])
    half = int(np.flatnonzero(tape["seq"] == 3)[0]) + 1
    program = Program(plan_that_reads("spot", "tick", "snapshot"), 64)
    program.push({name: column[:half] for name, column in tape.items()})
    assert book_words(program)[VISIBLE + FOLLOWER] != 0
    book_words(program)[OBSERVED] = 1
    made = program.push({name: column[half:] for name, column in tape.items()})["snapshot"]
    assert made["quality"].tolist() == [0] * len(made["quality"])
    assert made["bid_price_0"][-1] == 103.0


def test_where_trades_are_rare_the_books_part_for_a_while():
    rng = np.random.default_rng(0)
    steps = []
    for number in range(3, 400):
        levels = [(1, 98 - int(k), int(rng.integers(0, 9))) for k in rng.integers(0, 40, 100)]
        steps.append((10 * number, {"kind": DEPTH, "levels": levels, "first": number}))
        steps += [trade_at(10 * number + 1)] if number % 40 == 0 else []
    both_ways(steps, period_ms=10)
    program, tape = (
        Program(plan_that_reads("spot", "tick", "snapshot", period_ms=10)),
        stream(steps),
    )
    shared = []
    for row in range(0, len(tape["seq"]), 1_000):
        program.push({name: column[row : row + 1_000] for name, column in tape.items()})
        shared.append(book_words(program)[VISIBLE + FOLLOWER] != 0)
    assert any(shared[:4])
    assert not any(shared[-10:])
    assert book_words(program)[TAKEN] < 0


def test_whoever_looks_from_outside_has_a_book_of_his_own_at_once():
    compared = 0
    for seed in range(6):
        frames = seldom_loaded(seed, "spot", 150)
        tape, model = tape_of(frames), ModelBook("spot")
        program = Program(plan_that_reads("spot", "tick", "snapshot"), 64)
        ends = np.flatnonzero(tape["last_row"]) + 1
        start = 0
        for done, end in enumerate(ends):
            program.push({name: column[start:end] for name, column in tape.items()})
            start = end
            model.take(frames[done])
            words = book_words(program)
            if done == len(ends) // 2:
                words[OBSERVED] = 1
            if done > len(ends) // 2:
                assert words[VISIBLE + FOLLOWER] == 0
                assert words[ARRIVED + LADDER_AT] == ARRIVED + LADDER
                if model.state == "synced" and all(model.sides.values()):
                    sides, _ = levels_of(words, ARRIVED + LADDER)
                    assert sides == [model.sides[1], model.sides[-1]]
                    compared += 1
    assert compared > 100
