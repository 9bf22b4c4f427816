"""Loops that the range ops share: the extremes of the block before a row, from each of its rows."""

from __future__ import annotations

import math
from typing import Any


def tails_afresh(x: Any, t: int, window: int, state: Any) -> None:
    """Store, for the `window` rows before t, the extremes of rows k.. of them.

    state[k] is the minimum and state[window + 1 + k] the maximum of rows t-window+k .. t-1;
    k = window stands for no rows (van Herk 1992, Pattern Recognition Letters 13(7)).
    """
    top = window + 1
    low = math.inf
    high = -math.inf
    state[window] = low
    state[top + window] = high
    for k in range(window - 1, -1, -1):
        value = x[t - window + k]
        low = value if value < low else low
        high = value if value > high else high
        state[k] = low
        state[top + k] = high
