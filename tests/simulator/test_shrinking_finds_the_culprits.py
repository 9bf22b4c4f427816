"""Delta debugging: what is left still fails, and nothing of it can go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qf.simulator.shrink import shortest, smallest


@given(st.sets(st.integers(0, 60), min_size=1, max_size=5))
def test_what_is_left_are_the_culprits(culprits):
    def fails(items: list[int]) -> bool:
        return culprits <= set(items)

    assert set(smallest(range(61), fails, 10_000)) == culprits


def test_it_stops_after_so_many_tries():
    runs = []

    def fails(items: list[int]) -> bool:
        runs.append(items)
        return 7 in items

    assert 7 in smallest(range(1000), fails, 12)
    assert len(runs) == 12


def test_the_time_is_halved_while_it_fails():
    assert shortest(64, 1, lambda minutes: minutes >= 10) == 16
    assert shortest(64, 20, lambda minutes: True) == 32
