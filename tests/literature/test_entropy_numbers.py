"""Entropies of symbols: the published numbers, and processes whose entropy is known.

Bounds: the bias that the estimator is known for, and four Monte Carlo errors of the mean.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import qf
from literature.library_types import values

WORD = np.array([float(one) for one in "11100001"])
COIN = np.random.default_rng(3).integers(0, 2, 20_000).astype(np.float64)


def last(call, x):
    return qf.formula(call, columns=["x"]).run({"x": x})[-1]


def spaced(call, x, window):
    """Return the values of windows that do not overlap."""
    return qf.formula(call, columns=["x"]).run({"x": x})[window - 1 :: window]


@pytest.mark.parametrize(
    ("call", "published"),
    [
        ("rolling_entropy(x, 8, 2)", "1.0"),
        ("entropy_plug_in(x, 8)", ".985"),
        ("entropy_lempel_ziv(x, 8)", ".625"),
        ("entropy_kontoyiannis(x, 8)", ".9682"),
    ],
)
def test_the_published_numbers_come_out(call, published):
    digits = len(published.partition(".")[2])
    assert abs(last(call, WORD) - float(published)) <= 10.0**-digits


def test_the_newest_word_counts_when_asked():
    assert last('entropy_plug_in(x, 8, newest="in")', WORD) == pytest.approx(1.0, abs=1e-12)
    pairs = ["11", "11", "10", "00", "00", "00", "01"]
    shares = [pairs.count(one) / 7 for one in set(pairs)]
    expected = -sum(share * math.log2(share) for share in shares) / 2
    found = last('entropy_plug_in(x, 8, word=2, newest="in")', WORD)
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_coin_has_one_bit():
    window = 500
    plug_in = spaced(f'entropy_plug_in(x, {window}, word=3, newest="in")', COIN, window)
    bias = 7 / (2 * math.log(2) * window * 3)  # Miller (1955); the words overlap
    error = 4.0 * plug_in.std() / math.sqrt(len(plug_in))
    assert abs(plug_in.mean() - (1.0 - bias)) < error + bias
    ziv = spaced(f"entropy_lempel_ziv(x, {window})", COIN, window)
    rest = np.mean(ziv * np.log2(ziv * window))  # c log2(c) / n tends to the entropy, from above
    assert 1.0 < rest < 1.35
    short, long = (spaced(f"entropy_kontoyiannis(x, {n})", COIN[:4_000], n) for n in (50, 400))
    error = 4.0 * short.std() / math.sqrt(len(short))
    assert short.mean() < long.mean() + error < 1.0 + error  # slowly, from below
    assert long.mean() > 0.85


def test_a_chain_of_trades_has_less_and_all_three_see_it():
    draw = np.random.default_rng(4)
    stays = draw.random(20_000) < 0.9
    chain = (np.where(stays, 1, -1).cumprod() > 0).astype(float)
    rate = -(0.9 * math.log2(0.9) + 0.1 * math.log2(0.1))  # 0.469 bits
    words = spaced('entropy_plug_in(x, 2000, word=4, newest="in")', chain, 2000)
    blocks = (1.0 + 3.0 * rate) / 4.0  # the first symbol of four is as free as a coin
    error = 4.0 * words.std() / math.sqrt(len(words))
    assert abs(words.mean() - blocks) < error + 15 / (2 * math.log(2) * 2000 * 4)
    single = spaced("rolling_entropy(x, 2000, 2)", chain, 2000)
    assert single.mean() > 0.98  # one symbol at a time it looks like a coin
    for call in ("entropy_lempel_ziv(x, 200)", "entropy_kontoyiannis(x, 200)"):
        seen, coin = (spaced(call, x[:4_000], 200).mean() for x in (chain, COIN))
        assert seen < 0.8 * coin


def test_a_constant_says_nothing():
    same = {"close": np.exp(np.arange(300.0)), "direction": np.ones(300)}
    assert values("shannon_entropy", {"close": np.full(300, 7.0)})[-1] == 0.0
    sides = {"direction": same["direction"]}
    assert values("plug_in_entropy", sides)[-1] == 0.0
    assert values("lempel_ziv_entropy", sides, window=210)[-1] == 20 / 210  # 1, 11, 111 …
    assert values("kontoyiannis_entropy", sides)[-1] < 0.25
