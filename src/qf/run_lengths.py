"""How long a two-sided CUSUM runs between false alarms, and the threshold for a wanted length.

    mean_run_length(3.0, slack=0.0)            9 rows, for independent standard normal x
    threshold_for(1000.0, slack=0.5)           the other way round
    threshold_on(sample, 1000.0, slack=0.5)    the same for data as they are

Serial dependence and fat tails shorten the time between false alarms many times over: at h = 5 and
k = 0.5 it is 465 rows for independent normal x and 28 for AR(1) with 0.9. `threshold_on` draws long
paths from a sample in stretches (stationary bootstrap), which keeps both.
Source: Page (1954), Biometrika 41(1/2), 100-115; Politis, Romano (1994), JASA 89(428), 1303-1313.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qf.cusum_limits import siegmund_limit
from qf.errors import diagnostic

Floats = NDArray[np.float64]
TOO_SHORT = diagnostic(
    "QF475",
    "{rows} rows in control are too few to draw stretches of {stretch} rows from",
    hint="give at least ten stretches, without missing values",
)
NODES, PATHS = 96, 400


def mean_run_length(threshold: float, slack: float, nodes: int = NODES) -> float:
    """Return the rows between false alarms for independent standard normal x, from sums of 0."""
    points, weights = np.polynomial.legendre.leggauss(nodes)
    y = 0.5 * threshold * (1.0 + points)
    z = np.concatenate(([0.0], y))
    density = np.exp(-0.5 * (y[None, :] + slack - z[:, None]) ** 2) / math.sqrt(2.0 * math.pi)
    moves = np.column_stack((tail(z - slack), 0.5 * threshold * weights * density))
    leaves, rows = tail(threshold + slack - z), np.ones(nodes + 1)
    for p in range(nodes, 0, -1):  # take one place after the other out of the chain
        factor = moves[:p, p] / (leaves[p] + moves[p, :p].sum())
        moves[:p, :p] += factor[:, None] * moves[p, :p]
        leaves[:p] += factor * leaves[p]
        rows[:p] += factor * rows[p]
    return float(rows[0] / leaves[0]) / 2.0


def tail(x: Floats) -> Floats:
    """Return the probability that a standard normal value is above x."""
    return np.array([0.5 * math.erfc(each / math.sqrt(2.0)) for each in x])


@lru_cache(maxsize=256)
def threshold_for(arl0: float, slack: float) -> float:
    """Return the threshold with `arl0` rows between false alarms, x independent standard normal."""
    goal, h = math.log(arl0), siegmund_limit(arl0, slack)
    gap = math.log(mean_run_length(h, slack)) - goal
    slope = (math.log(mean_run_length(h + 0.05, slack)) - goal - gap) / 0.05
    for _ in range(30):
        h -= gap / slope
        gap = math.log(mean_run_length(h, slack)) - goal
        if abs(gap) < 1e-13:
            break
    return h


def stretches(sample: Floats, rows: int, stretch: int, draw: Any) -> Floats:
    """Return PATHS paths made of stretches of `stretch` rows on average; the sample's end wraps."""
    starts = draw.random((PATHS, rows)) < 1.0 / stretch
    starts[:, 0] = True
    begun = np.maximum.accumulate(np.where(starts, np.arange(rows), 0), axis=1)
    place = draw.integers(0, len(sample), (PATHS, rows))
    at = np.take_along_axis(place, begun, axis=1) + np.arange(rows) - begun
    return sample[at % len(sample)]


def realised_run_length(paths: Floats, threshold: float, slack: float) -> float:
    """Return the rows between alarms over all paths, each alarm starting the sums anew.

    All rows over all alarms: unlike the mean of finished runs, it leaves no long run out.
    """
    up, down = np.zeros(len(paths)), np.zeros(len(paths))
    alarms = 0
    for column in np.ascontiguousarray(paths.T):
        up = np.maximum(0.0, up + column - slack)
        down = np.maximum(0.0, down - column - slack)
        hit = np.maximum(up, down) >= threshold
        alarms += int(hit.sum())
        up[hit] = 0.0
        down[hit] = 0.0
    return paths.size / max(alarms, 1)


def threshold_on(
    sample: Floats, arl0: float, slack: float = 0.5, stretch: int = 50, seed: int = 0
) -> float:
    """Return the threshold with `arl0` rows between false alarms on data like the sample.

    The sample is in control, in its own deviations from its own mean; a stretch should be longer
    than its memory. The error is about 1 / sqrt(alarms), some percent. Errors: QF475.
    """
    if len(sample) < 10 * stretch or not np.isfinite(sample).all():
        raise TOO_SHORT(rows=int(np.isfinite(sample).sum()), stretch=stretch)
    rows = int(min(max(2.0 * arl0, 200.0), 20_000.0))
    paths = stretches(sample, rows, stretch, np.random.default_rng(seed))
    low, high = 0.0, siegmund_limit(arl0, max(slack, 0.05))
    while realised_run_length(paths, high, slack) < arl0:
        low, high = high, 2.0 * high
    for _ in range(12):
        middle = 0.5 * (low + high)
        longer = realised_run_length(paths, middle, slack) > arl0
        low, high = (low, middle) if longer else (middle, high)
    return 0.5 * (low + high)
