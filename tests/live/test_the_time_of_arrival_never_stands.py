"""A wall clock that is set back makes no age 0: frames go on by the time that passed."""

from qf.live.arrival_clock import ArrivalClock


class Clocks:
    """A wall clock that can be set, and one that only counts."""

    def __init__(self) -> None:
        self.wall, self.counted = 1_000_000, 50

    def wall_ns(self) -> int:
        return self.wall

    def monotonic_ns(self) -> int:
        return self.counted

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""

    def go(self, ns: int) -> None:
        self.wall += ns
        self.counted += ns


def test_frames_go_on_by_the_time_that_passed_while_the_wall_clock_is_behind():
    clocks = Clocks()
    arrivals = ArrivalClock(clocks)
    clocks.go(10)
    assert arrivals.now_ns() == 1_000_010
    clocks.wall -= 500
    for k in range(1, 4):
        clocks.go(100)
        assert arrivals.now_ns() == 1_000_010 + 100 * k


def test_the_wall_clock_counts_again_once_it_is_ahead():
    clocks = Clocks()
    arrivals = ArrivalClock(clocks)
    clocks.wall += 700
    assert arrivals.now_ns() == 1_000_700
    clocks.wall -= 300
    clocks.go(100)
    assert arrivals.now_ns() == 1_000_800
    clocks.wall += 900
    assert arrivals.now_ns() == 1_001_400


def test_a_restart_goes_on_from_the_last_frame_though_the_wall_clock_is_behind():
    clocks = Clocks()
    arrivals = ArrivalClock(clocks)
    arrivals.go_on_from(1_005_000)
    clocks.go(10)
    assert arrivals.now_ns() == 1_005_010
    clocks.wall += 9_000
    assert arrivals.now_ns() == 1_009_010
    arrivals.go_on_from(-(2**63))
    assert arrivals.now_ns() == 1_009_010
