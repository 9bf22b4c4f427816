"""Back-off, budget, liveness, resync, trade holes, clock offset, latency: each by its laws."""

from __future__ import annotations

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from qf.live.backoff import Backoff
from qf.live.budget import MINUTE_NS, SHARE, Budget
from qf.live.clock_offset import ClockOffset
from qf.live.latency import BUCKETS, Latency, bucket_of, upper_edge
from qf.live.liveness import BUSY_NS, LEAST_NS, Liveness
from qf.live.resync import BRIDGE_NS, SETTLE_NS, Resync
from qf.live.trade_holes import GRACE_NS, LONGEST_NS, MOST_ASKED, MOST_HELD, TradeHoles

SECOND = 1_000_000_000
MS = 1_000_000


@given(st.integers(0, 2**32), st.integers(1, 200))
def test_a_wait_is_between_half_and_all_of_a_capped_doubling(seed, tries):
    backoff = Backoff(random.Random(seed), first_s=0.25, cap_s=30.0)
    for number in range(tries):
        ceiling = min(30.0, 0.25 * 2.0 ** min(number, 60))
        assert ceiling / 2 <= backoff.next() <= ceiling


def test_waits_are_not_the_same_for_all_and_only_what_held_resets_them():
    waits = {Backoff(random.Random(seed)).next() for seed in range(50)}
    assert len(waits) == 50
    backoff = Backoff(random.Random(1))
    for _ in range(9):
        backoff.next()
    backoff.held(1.0)
    assert backoff.next() > 10
    backoff.held(31.0)
    assert backoff.next() <= 0.25


@given(st.lists(st.tuples(st.integers(0, 5_000), st.sampled_from([5, 20, 250])), max_size=200))
def test_no_minute_sees_more_than_four_fifths_of_the_limit(questions):
    budget, now, spent = Budget(2_400), 10 * SECOND, []
    for pause_ms, weight in questions:
        now += pause_ms * MS
        if budget.wait_ns(weight, now) == 0:
            budget.spend(weight, now)
            spent.append((now, weight))
    for end, _ in spent:
        within = sum(weight for at, weight in spent if end - MINUTE_NS < at <= end)
        assert within <= SHARE * 2_400 + 1e-3


@given(st.integers(1, 720), st.integers(0, 10**9))
def test_what_has_to_wait_may_leave_when_it_has_waited(weight, early):
    budget = Budget(2_400)
    now = 5 * SECOND
    while budget.wait_ns(weight, now) == 0:
        budget.spend(weight, now)
    wait = budget.wait_ns(weight, now)
    assert budget.wait_ns(weight, max(now, now + wait - early - 10_000)) > 0
    assert budget.wait_ns(weight, now + wait) == 0


@given(
    st.sampled_from([418, 429]),
    st.sampled_from(["", "30", "0", "-5", "soon", "9" * 30, " 7 ", "1.5"]),
)
def test_a_ban_lasts_as_long_as_it_was_told(status, told):
    budget = Budget(6_000)
    budget.answered(status, told, "", SECOND)
    seconds = float(told) if told.strip().isdigit() and len(told) < 10 else 60.0
    assert budget.is_banned(SECOND + int(seconds * SECOND) - 1)
    assert not budget.is_banned(SECOND + int((seconds + 1.0) * SECOND))
    assert budget.wait_ns(1, SECOND + int(seconds * SECOND) - 1) > 0


def test_a_ban_outlives_the_process_by_the_wall_clock_and_a_clock_run_back_shortens_nothing():
    budget = Budget(6_000)
    budget.answered(418, "100", "", 50 * SECOND)
    kept = budget.saved(60 * SECOND, wall=1_000 * SECOND)
    later, back = Budget(6_000), Budget(6_000)
    later.load(kept, now=5 * SECOND, wall=1_040 * SECOND)
    assert later.is_banned(55 * SECOND) and not later.is_banned(57 * SECOND)
    back.load(kept, now=5 * SECOND, wall=900 * SECOND)
    assert back.is_banned(95 * SECOND)


def test_weight_that_others_spent_counts_too():
    budget = Budget(6_000)
    budget.answered(200, "", "4900", SECOND)
    assert budget.wait_ns(1, 2 * SECOND) > 0 and budget.wait_ns(1, 62 * SECOND) == 0


@given(st.integers(1, 120), st.integers(16, 300))
def test_a_busy_stream_is_stalled_between_one_and_three_seconds(gap_ms, count):
    stream = Liveness(60 * SECOND)
    for number in range(count + 1):
        stream.payload(number * gap_ms * MS)
    last = count * gap_ms * MS
    assert not stream.is_stalled(last + LEAST_NS)
    assert stream.is_stalled(last + 3 * SECOND - 200 * MS)
    assert stream.limit_ns <= BUSY_NS


def test_a_quiet_stream_is_judged_by_its_own_time_to_live():
    stream = Liveness(60 * SECOND)
    assert not stream.is_live and not stream.is_stalled(10**18)
    for number in range(100):
        stream.payload(number * 2 * SECOND)
    last = 198 * SECOND
    assert not stream.is_stalled(last + 59 * SECOND) and stream.is_stalled(last + 61 * SECOND)


def test_one_snapshot_is_asked_for_at_a_time_and_later_each_time():
    resync = Resync(Backoff(random.Random(3)))
    now, asked = 0, []
    for _ in range(3_000):
        now += 100 * MS
        if resync.wants("gap", True, now):
            resync.ask()
            asked.append(now)
            assert not resync.wants("gap", True, now + 3_600 * SECOND)
            resync.answered(now)
    gaps = [b - a for a, b in itertools.pairwise(asked)]
    assert 8 < len(asked) < 25 and min(gaps) > SETTLE_NS and gaps[-1] > 10 * SECOND


def test_a_snapshot_waits_for_differences_and_for_its_bridge():
    resync = Resync(Backoff(random.Random(3)))
    assert not resync.wants("unsynced", False, 0)
    assert not resync.wants("", True, 0) and not resync.wants("stale", True, 0)
    assert not resync.wants("awaiting", True, SECOND)
    assert not resync.wants("awaiting", True, BRIDGE_NS)
    assert resync.wants("awaiting", True, SECOND + BRIDGE_NS)
    assert resync.wants("crossed", True, 100 * SECOND)


@given(st.permutations(range(1, 25)), st.sets(st.integers(2, 24)), st.integers(0, 2**32))
def test_trades_go_on_once_each_in_order_however_they_come(order, lost, seed):
    """Before anything is given up what went on is 1, 2, 3 … whoever brought it."""
    holes = TradeHoles[int](1)
    chance = random.Random(seed)
    out, now = [], 0
    for each in order:
        if each in lost:
            continue
        now += 10 * MS
        out += holes.take(each, each, 100, now)
        if chance.random() < 0.3 and (missing := holes.missing(now + GRACE_NS)):
            for number in range(missing[0], missing[1] + 1):
                out += holes.fill(number, number, now)
    fresh = list(dict.fromkeys(out))
    assert fresh == list(range(1, len(fresh) + 1))
    while holes.held:
        out += holes.give_up(now)
    assert set(range(1, 25)) - lost <= set(out)
    assert holes.held == {} and holes.opened is None and holes.bytes_held == 0


def test_a_repeat_goes_on_and_a_hole_too_large_to_ask_for_is_declared_at_once():
    holes = TradeHoles[str]()
    assert holes.take(5, "a", 1, 0) == ["a"]
    assert holes.take(5, "again", 1, 1) == ["again"]
    assert holes.take(7 + MOST_ASKED, "far", 1, 2) == ["far"]
    assert holes.declared == MOST_ASKED + 1 and holes.take(8 + MOST_ASKED, "b", 1, 3) == ["b"]


def test_what_is_held_is_bounded():
    holes = TradeHoles[int](1)
    out = []
    for number in range(2, MOST_HELD + 100):
        out += holes.take(number, number, 1, 0)
        assert len(holes.held) <= MOST_HELD + 1
    assert len(out) + len(holes.held) == MOST_HELD + 98


def test_a_hole_is_asked_for_after_the_grace_and_ends_when_its_time_is_up():
    holes = TradeHoles[int](1)
    assert holes.take(4, 4, 1, 0) == []
    assert holes.missing(GRACE_NS - 1) is None and holes.missing(GRACE_NS) == (1, 3)
    assert holes.fill(2, 2, 0) == []  # out of order: it would turn round on the tape
    assert holes.fill(1, 1, SECOND) == [1] and holes.missing(SECOND) == (2, 3)
    assert not holes.is_late(LONGEST_NS) and holes.is_late(SECOND + LONGEST_NS)


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**8)), min_size=1, max_size=300))
def test_the_offset_is_the_least_delay_and_no_delay_is_below_it(rows):
    clock, now, least = ClockOffset(wall=10**18, monotonic=0), 0, None
    for pause, delay in sorted(rows)[:60]:
        now += pause % (5 * SECOND)
        found = clock.add(10**18 + now - delay - 70 * MS, now)
        least = delay if least is None else min(least, delay)
        assert found >= 0
    assert clock.offset_ns is not None and clock.offset_ns >= least + 70 * MS


def test_the_offset_forgets_after_ten_minutes():
    clock = ClockOffset(wall=0, monotonic=0)
    clock.add(-5 * MS, 0)
    for second in range(1, 700):
        clock.add(second * SECOND - 50 * MS, second * SECOND)
    assert clock.offset_ns == 50 * MS


@given(st.integers(-5, 2**60))
def test_a_bucket_holds_what_is_put_in(ns):
    bucket = bucket_of(ns)
    assert 0 <= bucket < BUCKETS
    if 0 <= ns < 2**58:
        assert ns <= upper_edge(bucket) <= max(ns * 1.125, ns + 1)
        assert bucket == 0 or upper_edge(bucket - 1) < ns


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=400))
def test_a_quantile_is_never_too_low_and_an_eighth_too_high_at_most(values):
    latency = Latency()
    for value in values:
        latency.add(value, 0)
    for share in (0.5, 0.95, 0.99):
        exact = sorted(values)[max(0, -int(-share * len(values) // 1) - 1)]
        assert exact <= latency.quantile(share) <= exact * 1.125 + 1


def test_old_durations_are_forgotten():
    latency = Latency(span_ns=SECOND)
    assert latency.quantile(0.5) is None
    latency.add(10**9, 0)
    for second in (1, 2, 3):
        latency.add(1_000, second * SECOND)
    assert latency.summary()["p99_ms"] < 1
