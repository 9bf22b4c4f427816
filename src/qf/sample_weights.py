"""Weights for labels that overlap: how much of each label is its own, and draws that respect it.

Labels whose paths share bars are not independent: a model that takes them for so many observations
is too sure of itself. A span is the bars a label's outcome comes from, `first` to `last` inclusive;
of a label of bar i that bar j decided those are i + 1 to j (the book also counts bar i).

    first, last = label_spans(bars["feature_time"], labels["bar_id"], labels["label_end"])
    weight = uniqueness(first, last)
    rows = sequential_bootstrap(first, last, draws=len(first), seed=7)

What is returned for a label depends on labels that begin before it ends, and so is known at its
label_end, as the label is. Rows are numbered from 0.
Source: López de Prado (2018), Advances in Financial Machine Learning, chapter 4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qf.errors import diagnostic

BAD_SPAN = diagnostic(
    "QF467", "label {row} spans bars {first} to {last}", hint="a span is first <= last, from bar 0"
)
BAD_WEIGHTS = diagnostic("QF468", "{what} for {labels} labels over {bars} bars: {why}")

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]


def label_spans(bar_time: ArrayLike, bar_id: ArrayLike, label_end: ArrayLike) -> tuple[Rows, Rows]:
    """Return first and last bar of each label's span, from the bars' and the labels' own columns.

    `bar_time` is the feature_time of all bars in order, from bar 0. Of several bars that share the
    time of label_end the last counts; a label that ended with its own bar spans the next. Errors:
    QF467 where a label's bar is not among the bars.
    """
    times, first = np.asarray(bar_time, np.int64), np.asarray(bar_id, np.int64) + 1
    last = np.searchsorted(times, np.asarray(label_end, np.int64), side="right") - 1
    last = np.maximum(last, first)
    _check(first, last)
    return first, last


def concurrency(first: ArrayLike, last: ArrayLike, bars: int = 0) -> Rows:
    """Return how many spans hold each bar, of `bars` bars or as many as the spans need (4.3).

    Errors: QF467.
    """
    start, end = np.asarray(first, np.int64), np.asarray(last, np.int64)
    _check(start, end)
    count = max(bars, int(end.max(initial=-1)) + 1)
    steps = np.zeros(count + 1, np.int64)
    np.add.at(steps, start, 1)
    np.add.at(steps, end + 1, -1)
    return np.cumsum(steps[:-1])


def uniqueness(first: ArrayLike, last: ArrayLike) -> Numbers:
    """Return each label's average uniqueness: the mean of 1 / concurrency over its span (4.4).

    1 where nothing overlaps, 1/k where k labels share every bar. Errors: QF467.
    """
    start, end = np.asarray(first, np.int64), np.asarray(last, np.int64)
    held = concurrency(start, end)
    return _mean_over(1.0 / np.maximum(held, 1), start, end)


def return_weights(first: ArrayLike, last: ArrayLike, log_return: ArrayLike) -> Numbers:
    """Return weights by the return that is each label's own; their mean is 1 (4.6).

        w[i] ~ | sum over its span of log_return[t] / concurrency[t] |

    `log_return` is of every bar, from bar 0. Errors: QF467, QF468.
    """
    start, end = np.asarray(first, np.int64), np.asarray(last, np.int64)
    held = concurrency(start, end)
    moves = np.asarray(log_return, np.float64)
    if len(moves) < len(held) or not np.isfinite(moves[: len(held)]).all():
        why = f"{len(moves)} returns, all of which must be known"
        raise BAD_WEIGHTS(what="return weights", labels=len(start), bars=len(held), why=why)
    shared = moves[: len(held)] / np.maximum(held, 1)
    size = np.abs(_mean_over(shared, start, end) * (end - start + 1))
    total = size.sum()
    return size * (len(size) / total) if total > 0.0 else np.ones(len(size))


def time_decay(weight: ArrayLike, oldest: float) -> Numbers:
    """Return factors that fall with age, measured in uniqueness, from 1 to `oldest` (4.7).

    `weight` is the uniqueness of each label in the order of label_end. `oldest` in [0, 1] is the
    factor where age began; in (-1, 0) that share of the oldest gets 0. Errors: QF468.
    """
    own = np.asarray(weight, np.float64)
    if not -1.0 < oldest <= 1.0:
        why = f"the oldest factor must be in (-1, 1], was {oldest:g}"
        raise BAD_WEIGHTS(what="time decay", labels=len(own), bars=0, why=why)
    age = np.cumsum(own)
    if not len(age):
        return age
    slope = (1.0 - oldest) / age[-1] if oldest >= 0.0 else 1.0 / ((oldest + 1.0) * age[-1])
    return np.maximum(1.0 - slope * (age[-1] - age), 0.0)


def sequential_bootstrap(first: ArrayLike, last: ArrayLike, draws: int, seed: int) -> Rows:
    """Return the numbers of `draws` labels, each drawn by its uniqueness among those before (4.5).

        p[i] ~ mean over the span of i of 1 / (1 + drawn spans that hold the bar)

    The same seed gives the same draws. A draw costs the bars and the labels. Errors: QF467, QF468.
    """
    start, end = np.asarray(first, np.int64), np.asarray(last, np.int64)
    _check(start, end)
    if draws < 0 or (draws and not len(start)):
        why = f"{draws} draws are asked for"
        raise BAD_WEIGHTS(what="a bootstrap", labels=len(start), bars=0, why=why)
    random = np.random.default_rng(seed)
    held = np.zeros(int(end.max(initial=-1)) + 1)
    chosen = np.empty(draws, np.int64)
    for turn in range(draws):
        chance = np.cumsum(_mean_over(1.0 / (1.0 + held), start, end))
        place = np.searchsorted(chance, random.random() * chance[-1], side="right")
        chosen[turn] = min(int(place), len(start) - 1)
        held[start[chosen[turn]] : end[chosen[turn]] + 1] += 1.0
    return chosen


def _mean_over(values: Numbers, first: Rows, last: Rows) -> Numbers:
    """Return the mean of `values` over each span."""
    before = np.concatenate([[0.0], np.cumsum(values)])
    return (before[last + 1] - before[first]) / (last - first + 1)


def _check(first: Rows, last: Rows) -> None:
    wrong = np.flatnonzero((first < 0) | (last < first))
    if len(wrong):
        row = int(wrong[0])
        raise BAD_SPAN(row=row, first=int(first[row]), last=int(last[row]))
