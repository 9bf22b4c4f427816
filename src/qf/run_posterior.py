"""Bayesian online change points: the loops of bocpd, one step in two passes over the run lengths.

Run r holds the last r rows. Its Student-t predictive, with a = alpha + 1/2 and t below, is
C_r beta^(-1/2) t^(-a), where t = 1 + d^2 kappa / (2 (kappa + 1) beta) also updates beta' = beta t:
one logarithm and one exponential a run. Both are polynomials on the bits of the number, so the
compiler makes vectors of them, and plain Python gives the same bits.

Arrays are WIDE words apart, a constant: then the compiler knows that they do not overlap.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from qf.kernel import inlined

WIDE = 520  # words per array: the longest run, and enough that arrays share no cache set
PROBABILITY, MEAN, BETA, LOG_BETA = 0, WIDE, 2 * WIDE, 3 * WIDE
CONSTANT, POWER, SPREAD, GAIN = 4 * WIDE, 5 * WIDE, 6 * WIDE, 7 * WIDE
LOG_T, WEIGHT = 8 * WIDE, 9 * WIDE
WORDS = 10 * WIDE
MANTISSA, ONE, TWO_52 = 0x000FFFFFFFFFFFFF, 0x3FF0000000000000, 0x4330000000000000
LARGE = 4503599627370496.0  # 2^52: adding it puts a small whole number into the lowest bits
LN2, LOG2E, ROOT2 = 0.6931471805599453, 1.4426950408889634, 1.4142135623730951
LEAST, NOTHING = -700.0, 1e-290  # exponents below it count as it; weights below it as 0


@inlined
def logarithm(x: float) -> float:
    """Return ln x for a normal x > 0: exponent and mantissa, then the series of artanh.

    Neighbours of a series are added in pairs: an addition need not wait for all the others.
    """
    bits = int(np.float64(x).view(np.int64))
    exponent = float(np.int64((bits >> 52) | TWO_52).view(np.float64)) - (LARGE + 1023.0)
    m = float(np.int64((bits & MANTISSA) | ONE).view(np.float64))
    high = 1.0 if m > ROOT2 else 0.0
    m *= 1.0 - 0.5 * high
    s = (m - 1.0) / (m + 1.0)
    q = s * s
    q2 = q * q
    low = (1.0 / 3 + q * (1.0 / 5)) + q2 * (1.0 / 7 + q * (1.0 / 9))
    rest = (1.0 / 11 + q * (1.0 / 13)) + q2 * (1.0 / 15)
    series = low + (q2 * q2) * rest  # to 2e-12 of the result
    return (exponent + high) * LN2 + 2.0 * s * (1.0 + q * series)


@inlined
def exponential(y: float) -> float:
    """Return exp y for -700 <= y <= 700: a power of two times a short series, in pairs again."""
    whole = float(np.floor(y * LOG2E + 0.5))
    x = y - whole * LN2
    x2 = x * x
    low = (1.0 + x) + x2 * (0.5 + x * (1.0 / 6))
    rest = (1.0 / 24 + x * (1.0 / 120)) + x2 * (1.0 / 720 + x * (1.0 / 5040))
    end = 1.0 / 40320 + x * (1.0 / 362880)  # to 7e-12 of the result
    bits = int(np.float64(whole + (LARGE + 1023.0)).view(np.int64))
    power = float(np.int64((bits & 0xFFF) << 52).view(np.float64))
    return (low + (x2 * x2) * (rest + (x2 * x2) * end)) * power


def prepare(state: Any, lengths: int) -> None:
    """Write what depends on the run length alone: kappa = 1 + r, alpha = 1 + r / 2."""
    ratio = 0.5 * math.sqrt(math.pi)  # gamma(alpha + 1/2) / gamma(alpha)
    for r in range(lengths):
        kappa, alpha = 1.0 + r, 1.0 + 0.5 * r
        state[CONSTANT + r] = math.log(ratio) - 0.5 * math.log(
            2.0 * math.pi * (kappa + 1.0) / kappa
        )
        state[POWER + r] = alpha + 0.5
        state[SPREAD + r] = 0.5 * kappa / (kappa + 1.0)
        state[GAIN + r] = 1.0 / (kappa + 1.0)
        ratio = alpha / ratio


def begin(state: Any, probability: float, beta: float, log_beta: float) -> None:
    """Begin a run of no rows yet, of which nothing but the prior is known."""
    state[PROBABILITY] = probability
    state[MEAN] = 0.0
    state[BETA] = beta
    state[LOG_BETA] = log_beta


def weigh(state: Any, value: float, runs: int) -> float:
    """Write each run's probability times its density at the value; return their sum."""
    for r in range(runs):  # three loops: many short chains of operations run side by side
        d = value - state[MEAN + r]
        state[WEIGHT + r] = 1.0 + d * d * state[SPREAD + r] / state[BETA + r]
    for r in range(runs):
        state[LOG_T + r] = logarithm(float(state[WEIGHT + r]))
    for r in range(runs):
        y = (
            float(state[CONSTANT + r])
            - 0.5 * state[LOG_BETA + r]
            - state[POWER + r] * state[LOG_T + r]
        )
        y = y if y > LEAST else LEAST
        y = y if y < -LEAST else -LEAST
        weight = state[PROBABILITY + r] * exponential(y)
        state[WEIGHT + r] = weight if weight > NOTHING else 0.0
    a = b = c = e = 0.0
    r = 0
    while r + 4 <= runs:
        a += state[WEIGHT + r]
        b += state[WEIGHT + r + 1]
        c += state[WEIGHT + r + 2]
        e += state[WEIGHT + r + 3]
        r += 4
    while r < runs:
        a += state[WEIGHT + r]
        r += 1
    return (a + b) + (c + e)


def grow(state: Any, value: float, runs: int, lengths: int, share: float) -> int:
    """Lengthen every run by the value; the longest is left as long as it is. Return the runs."""
    last = runs if runs < lengths else lengths - 1
    longest = state[WEIGHT + lengths - 1] * share if runs == lengths else 0.0
    for k in range(last):
        r = last - 1 - k  # from the end: nothing is read after it was overwritten
        d = value - state[MEAN + r]
        state[MEAN + r + 1] = state[MEAN + r] + d * state[GAIN + r]
        state[BETA + r + 1] = state[BETA + r] + d * d * state[SPREAD + r]
        state[LOG_BETA + r + 1] = state[LOG_BETA + r] + state[LOG_T + r]
        state[PROBABILITY + r + 1] = state[WEIGHT + r] * share
    state[PROBABILITY + last] += longest
    return last + 1


def likeliest(state: Any, runs: int) -> int:
    """Return the most probable run length, the shortest of equals."""
    best, place = state[PROBABILITY], 0
    for r in range(1, runs):
        if state[PROBABILITY + r] > best:
            best, place = state[PROBABILITY + r], r
    return place
