"""Receive clocks and ids: what one wrong frame may and may not do to the frames after it."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.test_blocks_and_ranges_cut_between_frames import (
    INSTRUMENT,
    START,
    made_source,
    trade,
)
from qf.schema import BIT
from qf.tape.chain import CHAINS
from qf.tape.ingest import ingest, inspect
from qf.tape.reference import HOUR_NS, REFERENCE_MOVES_AFTER
from qf.tape.stamp import stamp

SECOND = 10**9
steps = st.one_of(
    st.integers(0, 5 * SECOND),
    st.integers(-5 * SECOND, 0),
    st.integers(-50 * HOUR_NS, 50 * HOUR_NS),
)


def stamped(times):
    return list(stamp((time, i, "") for i, time in enumerate(times)))


@given(st.lists(steps, max_size=60))
def test_stamped_times_never_run_back_and_no_frame_is_lost(moves):
    times = [START]
    for move in moves:
        times.append(times[-1] + move)
    found = stamped(times)
    assert [item[2] for item in found] == list(range(len(times)))
    assert [item[1] for item in found] == times
    assert all(a[0] <= b[0] for a, b in itertools.pairwise(found))
    for item in found:
        assert item[0] == item[1] or item[4]  # a changed time is always reported


@given(st.lists(st.integers(0, 60 * SECOND), min_size=1, max_size=30))
def test_a_clock_that_only_goes_forward_is_left_alone(moves):
    times = [START]
    for move in moves:
        times.append(times[-1] + move)
    assert [(item[0], item[4]) for item in stamped(times)] == [(time, ()) for time in times]


def test_one_stamp_a_day_ahead_takes_the_time_before_it():
    times = [START, START + 1, START + 24 * HOUR_NS, START + 2, START + 3]
    assert [item[0] - START for item in stamped(times)] == [0, 1, 1, 2, 3]
    assert [item[4] for item in stamped(times)] == [(), (), ("time_jump",), (), ()]


def test_a_real_outage_is_believed_and_reported_once():
    times = [START, START + 3 * HOUR_NS, START + 3 * HOUR_NS + 1, START + 3 * HOUR_NS + 2]
    assert [item[0] for item in stamped(times)] == times
    assert [item[4] for item in stamped(times)] == [(), ("time_jump",), (), ()]


def test_a_step_back_keeps_the_greatest_time_and_sets_the_bit(tmp_path):
    rows = [trade(i, START + i * SECOND) for i in range(6)]
    rows[3] = (START + SECOND, rows[3][1])
    tape = ingest([made_source("stepped", rows)], INSTRUMENT, tmp_path)
    (block,) = tape.blocks(10)
    assert ((block["processed_time"] - START) // SECOND).tolist() == [0, 1, 2, 2, 4, 5]
    assert (block["flags"] & BIT["clock_step"] != 0).tolist() == [0, 0, 0, 1, 0, 0]
    assert tape.findings_by_rule() == {"clock_step": 1}


def test_a_recorder_hours_off_is_an_offset_and_no_defect():
    rows = [(time - 5 * HOUR_NS, frame) for time, frame in
            (trade(i, START + i * SECOND) for i in range(30))]  # fmt: skip
    assert inspect([made_source("slow", rows)], INSTRUMENT).findings == []


def test_a_venue_clock_that_was_set_is_believed_after_eight_frames():
    rows = [trade(i, START + i * SECOND) for i in range(100)]
    for i in range(60, 100):
        rows[i] = (rows[i][0], trade(i, START + i * SECOND + 2 * HOUR_NS)[1])
    found = inspect([made_source("set", rows)], INSTRUMENT)
    refused = [seq for seq, _, rules in found.refused if "time_jump" in rules]
    assert refused == list(range(60, 60 + REFERENCE_MOVES_AFTER - 1))


def test_a_bad_first_frame_is_found_because_the_offset_is_probed():
    rows = [trade(i, START + i * SECOND) for i in range(50)]
    rows[0] = (START, trade(0, START + 9 * HOUR_NS)[1])
    found = inspect([made_source("first", rows)], INSTRUMENT)
    assert [(seq, rules) for seq, _, rules in found.refused] == [(0, ("time_jump",))]
    assert len(found.findings) == 1


@pytest.mark.parametrize(
    ("stream", "steps", "expected"),
    [
        ("trade", [(1, 1), (2, 2), (3, 3)], ["", "", ""]),
        ("trade", [(1, 1), (3, 3), (4, 4)], ["", "trade_gap", ""]),
        ("trade", [(1, 1), (2, 2), (2, 2), (3, 3)], ["", "", "id_repeat", ""]),
        ("trade", [(5, 5), (6, 6), (2, 2), (7, 7)], ["", "", "id_order", ""]),
        ("trade", [(5, 5), (99, 99), (7, 7), (8, 8)], ["", "trade_gap", "id_order", ""]),
        ("depth", [(1, 4), (5, 9), (10, 10)], ["", "", ""]),
        ("depth", [(1, 4), (6, 9), (10, 10)], ["", "id_gap", ""]),
        ("depth", [(1, 4), (3, 9), (10, 10)], ["", "id_order", ""]),
        ("depth", [(1, 4), (5, 9), (5, 9), (10, 11)], ["", "", "id_repeat", ""]),
        ("bbo", [(1, 1), (9, 9), (9, 9), (4, 4), (5, 5)], ["", "", "id_repeat", "id_order", ""]),
    ],
)
def test_one_break_in_the_ids_is_one_finding(stream, steps, expected):
    chain = CHAINS[stream]()
    assert [chain.step(first, last, -1, False) for first, last in steps] == expected


def test_futures_ids_follow_the_previous_messages_end_and_may_skip():
    chain = CHAINS["depth"]()
    messages = [(10, 14, 7), (20, 25, 14), (30, 31, 25), (40, 44, 33), (50, 51, 44)]
    assert [chain.step(*ids, False) for ids in messages] == ["", "", "", "id_gap", ""]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10**15)), max_size=40))
def test_a_chain_recovers_after_any_nonsense(history):
    for stream in ("trade", "depth"):
        chain = CHAINS[stream]()
        for quarantined, number in history:
            chain.step(number, number, -1, quarantined)
        chain.step(500, 500, -1, False)
        assert [chain.step(i, i, -1, False) for i in (501, 502, 503)] == ["", "", ""]
