"""What a futures venue tells of its positions: premium, funding, open interest, forced orders.

None of it draws a number, so the market's trades and book are the same with and without it: the
premium, the funding rate and the open interest are slow waves of the venue's clock, and a move of
the mid by FORCING_BPS between two looks forces an order in its direction.
"""

from __future__ import annotations

from typing import NamedTuple

FUNDING_MS = 8 * 3_600_000
INTEREST_RATE = 0.0001  # per eight hours, around which the funding rate moves
OPEN_UNITS = 80_000  # around which the open interest moves
FORCING_BPS = 1.5
_MINUTE_MS = 60_000


class Forced(NamedTuple):
    """One forced order: its side (+1 buys), its limit in ticks and its size in lots."""

    sign: int
    price: int
    size: int


def premium(time_ms: int) -> float:
    """Return how far the contract stands above its index, as a fraction."""
    slow = 9e-4 * _wave(time_ms, 3_100 * _MINUTE_MS)
    return slow + 2e-4 * _wave(time_ms, 97 * _MINUTE_MS) + 5e-5 * _wave(time_ms, 3 * _MINUTE_MS)


def funding_rate(time_ms: int) -> float:
    """Return the rate announced for the next settlement, as a fraction per eight hours."""
    slow = 4e-4 * _wave(time_ms, 3_100 * _MINUTE_MS) + 1.5e-4 * _wave(time_ms, 410 * _MINUTE_MS)
    return INTEREST_RATE + slow + 2e-5 * _wave(time_ms, 7 * _MINUTE_MS)


def open_interest(time_ms: int) -> float:
    """Return the size of all open positions, in units of the base."""
    moved = 0.04 * _wave(time_ms, 1_500 * _MINUTE_MS) + 0.01 * _wave(time_ms, 31 * _MINUTE_MS)
    return OPEN_UNITS * (1 + moved + 0.002 * _wave(time_ms, 2 * _MINUTE_MS))


class Liquidations:
    """Say at each look at the mid which order was forced since the one before."""

    def __init__(self) -> None:
        self._middle = 0.0

    def look(self, middle: float) -> Forced | None:
        """Return the forced order of a move to `middle` (ticks), if there is one."""
        before, self._middle = self._middle, middle
        if not before or abs(middle - before) * 1e4 < FORCING_BPS * before:
            return None
        moved = middle - before
        size = 1 + int(abs(moved) * 1e4 / before * 40)
        return Forced(1 if moved > 0 else -1, max(1, round(middle + moved)), size)


def _wave(time_ms: int, period_ms: int) -> float:
    """Return a triangle between -1 and 1: sums and products only, so the same on every machine."""
    return 4 * abs(time_ms % period_ms / period_ms - 0.5) - 1
