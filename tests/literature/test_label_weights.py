"""Weights of overlapping labels: the book's own numbers, and brute force (AFML, chapter 4)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qf.errors import QuantflowError
from qf.sample_weights import (
    concurrency,
    label_spans,
    return_weights,
    sequential_bootstrap,
    time_decay,
    uniqueness,
)

BOOK = (np.array([0, 2, 4]), np.array([2, 3, 5]))  # the example of section 4.5.3
spans = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)), min_size=1, max_size=25)


def matrix(first, last) -> np.ndarray:
    """Return the indicator matrix of the book: bars down, labels across."""
    held = np.zeros((max(last) + 1, len(first)))
    for label, (start, end) in enumerate(zip(first, last, strict=True)):
        held[start : end + 1, label] = 1
    return held


def brute_uniqueness(held: np.ndarray) -> np.ndarray:
    total = held.sum(axis=1, keepdims=True)
    shares = np.divide(held, total, out=np.zeros_like(held), where=total > 0)
    return np.array([shares[held[:, k] > 0, k].mean() for k in range(held.shape[1])])


def test_the_book_s_example_has_its_numbers():
    assert concurrency(*BOOK).tolist() == [1, 1, 2, 1, 1, 1]
    assert uniqueness(*BOOK) == pytest.approx([5 / 6, 3 / 4, 1.0])


def test_after_the_book_s_first_draw_its_chances_are_drawn():
    """Section 4.5.3: once the second label is drawn, the chances are 5/14, 3/14 and 6/14."""
    drawn = [sequential_bootstrap(*BOOK, draws=2, seed=seed) for seed in range(9000)]
    after = [second for first, second in drawn if first == 1]
    assert len(after) > 2700
    for label, chance in enumerate((5 / 14, 3 / 14, 6 / 14)):
        error = math.sqrt(chance * (1 - chance) / len(after))
        assert abs(after.count(label) / len(after) - chance) < 4 * error


@settings(max_examples=60)
@given(spans)
def test_uniqueness_is_that_of_the_indicator_matrix(drawn):
    first = np.array([start for start, _ in drawn])
    last = np.array([start + size for start, size in drawn])
    held = matrix(first, last)
    assert concurrency(first, last).tolist() == held.sum(axis=1).tolist()
    assert uniqueness(first, last) == pytest.approx(brute_uniqueness(held), rel=1e-12)


@settings(max_examples=40)
@given(spans, st.integers(0, 2**32))
def test_weights_by_return_are_those_of_the_indicator_matrix(drawn, seed):
    first = np.array([start for start, _ in drawn])
    last = np.array([start + size for start, size in drawn])
    held = matrix(first, last)
    moves = np.random.default_rng(seed).normal(size=len(held))
    shared = moves / np.maximum(held.sum(axis=1), 1)
    want = np.abs(shared @ held)
    made = return_weights(first, last, moves)
    assert made == pytest.approx(want * len(want) / want.sum(), rel=1e-9, abs=1e-12)


def test_a_sequential_draw_is_more_unique_than_a_plain_one():
    """The book's simulation (4.9: 10 labels of 1 to 5 bars within 100) has medians .6 and .7."""
    draw = np.random.default_rng(11)
    plain, sequential = [], []
    for turn in range(400):
        first = draw.integers(0, 100, 10)
        last = first + draw.integers(1, 5, 10)
        held = matrix(first, last)
        plain.append(brute_uniqueness(held[:, draw.integers(0, 10, 10)]).mean())
        chosen = sequential_bootstrap(first, last, draws=10, seed=turn)
        sequential.append(brute_uniqueness(held[:, chosen]).mean())
    gain = np.array(sequential) - np.array(plain)
    assert gain.mean() > 4 * gain.std() / math.sqrt(len(gain))
    assert abs(np.median(plain) - 0.6) < 0.03 and abs(np.median(sequential) - 0.7) < 0.05


def test_the_same_seed_draws_the_same_labels():
    one, other = (sequential_bootstrap(*BOOK, draws=50, seed=3) for _ in range(2))
    assert one.tolist() == other.tolist()
    assert one.tolist() != sequential_bootstrap(*BOOK, draws=50, seed=4).tolist()


def test_labels_that_do_not_overlap_are_drawn_alike_and_whole():
    first = np.arange(0, 40, 4)
    assert uniqueness(first, first + 3).tolist() == [1.0] * 10
    counts = np.bincount(sequential_bootstrap(first, first + 3, draws=6000, seed=1), minlength=10)
    assert np.abs(counts - 600).max() < 4 * math.sqrt(600)


def test_what_a_label_weighs_is_known_when_it_ends():
    """Labels that begin after a label's last bar change nothing of its uniqueness."""
    draw = np.random.default_rng(2)
    first = np.sort(draw.integers(0, 200, 60))
    last = first + draw.integers(0, 15, 60)
    whole = uniqueness(first, last)
    for label in range(60):
        known = first <= last[label]
        assert uniqueness(first[known], last[known])[label] == pytest.approx(whole[label], rel=1e-9)


def test_decay_falls_to_the_oldest_factor_in_uniqueness():
    own = np.array([0.5, 0.5, 1.0, 1.0, 1.0])
    assert time_decay(own, 1.0).tolist() == [1.0] * 5
    assert time_decay(own, 0.5) == pytest.approx([0.5625, 0.625, 0.75, 0.875, 1.0])
    assert time_decay(own, -0.5) == pytest.approx([0.0, 0.0, 0.0, 0.5, 1.0])


def test_spans_come_from_the_columns_of_bars_and_labels():
    times = np.array([10, 20, 30, 30, 40, 50])
    first, last = label_spans(times, [0, 1, 3], [30, 20, 50])
    assert (first.tolist(), last.tolist()) == ([1, 2, 4], [3, 2, 5])


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("QF467", lambda: uniqueness([3], [2])),
        ("QF467", lambda: concurrency([-1], [2])),
        ("QF468", lambda: return_weights([0], [2], [0.1, math.nan, 0.2])),
        ("QF468", lambda: time_decay([1.0], 1.5)),
        ("QF468", lambda: sequential_bootstrap([], [], draws=1, seed=0)),
    ],
)
def test_what_makes_no_sense_is_refused(code, call):
    with pytest.raises(QuantflowError) as caught:
        call()
    assert caught.value.code == code
