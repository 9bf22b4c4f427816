"""How steady a bar clock is: do its bars keep their length, or did the rule run away?

Rules with expected values feed on their own bars. They fail in two ways: bars of a single trade,
one after the other, or ever longer bars until hardly one closes. Both show in the trades per bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

COLLAPSED_SHARE = 0.5  # of the bars with a single trade
RUNAWAY, FEW = 10.0, 8  # how far the last quarter of the bars may be from the first, from so many


@dataclass(frozen=True)
class Stability:
    """The trades per bar of one clock, and what is wrong with them ("" for nothing)."""

    bars: int
    mean: float
    median: float
    longest: int
    single: float  # share of the bars with one trade
    trend: float  # median of the last quarter of the bars over that of the first
    fault: str

    @property
    def words(self) -> str:
        """Return the numbers as one clause."""
        return (
            f"{self.bars} bars of {self.mean:.4g} trades (median {self.median:g}, longest "
            f"{self.longest}), {self.single:.0%} of one trade, the last quarter {self.trend:.2g} "
            "times as long as the first"
        )


def stability(trade_counts: Sequence[int]) -> Stability:
    """Return how steady a clock was, from the trades of its bars in their order."""
    counts = np.asarray(trade_counts, np.int64)
    if len(counts) == 0:
        return Stability(0, 0.0, 0.0, 0, 0.0, 1.0, "it closed no bar")
    quarter = max(1, len(counts) // 4)
    trend = float(np.median(counts[-quarter:]) / max(np.median(counts[:quarter]), 1.0))
    single = float((counts == 1).mean())
    fault = ""
    if len(counts) >= FEW and single > COLLAPSED_SHARE:
        fault = "it collapsed to bars of one trade"
    elif len(counts) >= FEW and trend > RUNAWAY:
        fault = "its bars run away: each makes the next ones longer"
    elif len(counts) >= FEW and trend < 1.0 / RUNAWAY:
        fault = "its bars shrink away"
    return Stability(
        bars=len(counts),
        mean=float(counts.mean()),
        median=float(np.median(counts)),
        longest=int(counts.max()),
        single=single,
        trend=trend,
        fault=fault,
    )
