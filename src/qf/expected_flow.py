"""What the expected-value bar rules share: exponential means of flow and of bar lengths.

A mean over n trades of span m weighs a trade k before the newest by d^k, d = 1 - 2 / (m + 1). While
there are fewer trades than the rule's window the span is their own number, so each new trade
changes all weights, and the sums are made afresh from the trades when a bar closes; from then on
the span stands still and the sums go on.
Source: López de Prado (2018), Advances in Financial Machine Learning, section 2.3.2.
"""

from __future__ import annotations

from typing import Any

TICKS, VALUE = 1, 2  # the option `of`, in signature order, after volume
LARGEST = 2**62


def decay_of(span: float) -> float:
    """Return the weight of the value before the newest, in an exponential mean of that span."""
    return 1.0 - 2.0 / (span + 1.0)


def span_mean(values: list[float], span: float) -> float:
    """Return the exponential mean of values, the newest last (definitions call this)."""
    total, weight = 0.0, 0.0
    for value in values:
        total, weight = total * decay_of(span) + value, weight * decay_of(span) + 1.0
    return total / weight


def faded(total: float, decay: float, value: float, counts: bool) -> float:
    """Return a fading sum with one more value where that `counts`; else the sum as it is."""
    return total * decay + value if counts else total


def amount_of(lots: int, value: int, of: int) -> float:
    """Return what a trade counts for; a value that did not fit an int64 counts for nothing."""
    amount = value if of == VALUE else lots
    if of == TICKS:
        amount = 1
    return float(amount) if 0 <= amount <= LARGEST else 0.0


def amounts_in(size_lots: Any, value_units: Any, of: str) -> list[float]:
    """Return what each trade counts for (definitions call this)."""
    which = ("volume", "ticks", "value").index(of)
    return [amount_of(*both, which) for both in zip(size_lots, value_units, strict=True)]


def count_side(direction: Any, first: int, stop: int, side: int) -> int:
    """Return how many of the trades first .. stop-1 are of the side."""
    count = 0
    for t in range(first, stop):
        count += 1 if direction[t] == side else 0
    return count


def put_length(value: float, count: int, bars: int, state: Any, at: int) -> None:
    """Remember a closed bar's number among the last `bars`, in a ring at state[at]."""
    state[at + count % bars] = value


def mean_of_lengths(count: int, bars: int, state: Any, at: int) -> float:
    """Return the exponential mean of the last `bars` remembered numbers, `count` were put in."""
    decay = decay_of(bars)
    total, weight = 0.0, 0.0
    for k in range(max(0, count - bars), count):
        total = total * decay + state[at + k % bars]
        weight = weight * decay + 1.0
    return total / weight


def within(value: float, first: float, floor: float, cap: float) -> float:
    """Return an expected length kept between floor and cap times the first expectation."""
    return min(max(value, floor * first), cap * first)
