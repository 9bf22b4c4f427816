"""The CUSUM's loop, and inside it the threshold for a wanted time between false alarms.

One side runs S = max(0, S + x - k) up to a threshold h, x independent standard normal. Its mean run
length L(z) from S = z solves an integral equation (Page 1954) whose kernel is smooth between 0 and
h and which has an atom at 0; on Gauss-Legendre nodes it is a small linear system:

    L(z) = 1 + L(0) P(x <= k - z) + sum of w_j phi(y_j + k - z) L(y_j)

It is solved without a subtraction, as a chain that is left at last (Grassmann, Taksar, Heyman
1985), so run lengths of a million rows keep their digits. Both sides never alarm at once: the
two-sided run length is half the one-sided one (Kemp 1961).
The first guess of h is Siegmund's: (exp(2kb) - 2kb - 1) / (2k^2) = L(0) with b = h + 1.166.
Source: Siegmund (1985), Sequential Analysis, section 2.6; Brook, Evans (1972), Biometrika 59(3),
539-549, whose Markov chain is the same equation on equal steps.
"""

from __future__ import annotations

import math
from typing import Any

from qf.missing import any_missing

EXCESS = 1.166  # twice the mean excess of a normal walk over a boundary, 0.583
FEWEST, PER_UNIT = 18, 1.25  # nodes: at least, and more per deviation of the threshold
CHORDS = 8  # steps of one slope: log L is nearly a line in h, so each gains two digits or more


def siegmund_limit(arl0: float, slack: float) -> float:
    """Return the threshold for a two-sided mean run length, to a few percent; slack > 0."""
    c = 4.0 * slack * slack * arl0
    v = math.log(c) + 1.5 if c >= 1.0 else math.sqrt(2.0 * c)
    for _ in range(40):  # a convex function from its right: steps only go left
        v -= (math.exp(v) - v - 1.0 - c) / (math.exp(v) - 1.0)
    return max(v / (2.0 * slack) - EXCESS, 0.2)


def nodes_for(arl0: float, slack: float) -> int:
    """Return how many nodes the equation is solved on."""
    return FEWEST + int(PER_UNIT * siegmund_limit(arl0, slack))


def words_for(arl0: float, slack: float) -> int:
    """Return how many words of state `limit_for` works in."""
    n = nodes_for(arl0, slack)
    return 2 * n + (n + 1) * (n + 3)


def gauss_legendre(n: int, state: Any, at: int) -> None:
    """Write n nodes on [-1, 1] from state[at] on, then their weights (Newton on the polynomial)."""
    for i in range(n):
        x = math.cos(math.pi * (i + 0.75) / (n + 0.5))
        slope = 1.0
        for _ in range(8):
            before, value = 1.0, x
            for m in range(2, n + 1):
                before, value = value, ((2 * m - 1) * x * value - (m - 1) * before) / m
            slope = n * (x * value - before) / (x * x - 1.0)
            x -= value / slope
        state[at + i] = x
        state[at + n + i] = 2.0 / ((1.0 - x * x) * slope * slope)


def run_length(threshold: float, slack: float, n: int, state: Any, at: int) -> float:
    """Return the mean run length of one side from 0; nodes and weights stand at state[at]."""
    first, wide = at + 2 * n, n + 3
    for i in range(n + 1):
        z = 0.5 * threshold * (1.0 + state[at + i - 1]) if i > 0 else 0.0
        row = first + i * wide
        state[row] = 0.5 * math.erfc((z - slack) / math.sqrt(2.0))
        for j in range(n):
            gap = 0.5 * threshold * (1.0 + state[at + j]) + slack - z
            density = math.exp(-0.5 * gap * gap) / math.sqrt(2.0 * math.pi)
            state[row + 1 + j] = 0.5 * threshold * state[at + n + j] * density
        state[row + n + 1] = 0.5 * math.erfc((threshold + slack - z) / math.sqrt(2.0))  # leaves
        state[row + n + 2] = 1.0  # takes one row
    for p in range(n, 0, -1):  # what is left at last is one equation for L(0)
        pivot = first + p * wide
        away = state[pivot + n + 1]
        for j in range(p):
            away += state[pivot + j]
        for i in range(p):
            row = first + i * wide
            factor = state[row + p] / away
            for j in range(p):
                state[row + j] += factor * state[pivot + j]
            state[row + n + 1] += factor * state[pivot + n + 1]
            state[row + n + 2] += factor * state[pivot + n + 2]
    return state[first + n + 2] / state[first + n + 1]


def limit_for(arl0: float, slack: float, state: Any, at: int) -> float:
    """Return the threshold with this two-sided mean run length; works in `words_for` words."""
    n = nodes_for(arl0, slack)
    gauss_legendre(n, state, at)
    goal = math.log(2.0 * arl0)
    h = siegmund_limit(arl0, slack)
    gap = math.log(run_length(h, slack, n, state, at)) - goal
    slope = (math.log(run_length(h + 0.05, slack, n, state, at)) - goal - gap) / 0.05
    for _ in range(CHORDS):
        h = max(h - gap / slope, 0.01)
        gap = math.log(run_length(h, slack, n, state, at)) - goal
    return h


def slide_cusum(
    x: Any, lo: int, hi: int, slack: float, threshold: float, score: Any, alarm: Any, state: Any
) -> None:
    """Write score and alarm of each row. state: 0 the sum upwards, 1 the sum downwards."""
    up, down = state[0], state[1]
    for t in range(lo, hi):
        up = max(0.0, up + x[t] - slack)
        down = max(0.0, down - x[t] - slack)
        found = up / threshold if up >= down else -down / threshold
        score[t] = found
        alarm[t] = 0.0
        if x[t] != x[t]:
            score[t] = math.nan
            alarm[t] = math.nan
            up, down = 0.0, 0.0
        elif found >= 1.0 or found <= -1.0:
            alarm[t] = 1.0
            up, down = 0.0, 0.0
    state[0], state[1] = up, down


def cusum_of(x: list[float], slack: float, threshold: float) -> tuple[float, float]:
    """Return score and alarm of the last row (definitions call this)."""
    up, down, found = 0.0, 0.0, math.nan
    for value in x:
        if any_missing([value]):
            up, down, found = 0.0, 0.0, math.nan
            continue
        up, down = max(0.0, up + value - slack), max(0.0, down - value - slack)
        found = up / threshold if up >= down else -down / threshold
        if abs(found) >= 1.0:
            up, down = 0.0, 0.0
    return found, math.nan if any_missing([found]) else float(abs(found) >= 1.0)
