"""What scipy, statsmodels, arch, TA-Lib, river and ruptures say of the same columns.

They run in an environment of their own (make peers), one process for all (oracles.py). A bound is
the tolerance that the op declares, widened where the two begin differently and forget it.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

import qf
from literature.library_types import values
from tests.peers import interpreter_of

ROWS, WINDOW = 4_000, 60
CHANGES = (900, 1_700, 2_600)
MEANS = (0.0, 2.5, -1.0, 1.5)
ORACLES = Path(__file__).with_name("oracles.py")


def columns():
    draw = np.random.default_rng(20_240_101)
    close = 30_000.0 * np.exp(np.cumsum(draw.normal(0.0, 2e-3, ROWS)))
    before = np.concatenate([close[:1], close[:-1]])
    reach = np.abs(draw.normal(0.0, 30.0, (2, ROWS)))
    noise = draw.normal(size=(3, ROWS))
    level = np.repeat(MEANS, np.diff([0, *CHANGES, ROWS]))
    return {
        "x": noise[0] + 0.1 * noise[0] ** 2,
        "y": 0.6 * noise[0] + noise[1],
        "shifted": level + noise[2],
        "close": close,
        "high": np.maximum(close, before) + reach[0],
        "low": np.minimum(close, before) - reach[1],
    }


@pytest.fixture(scope="module")
def given():
    return columns()


@pytest.fixture(scope="module")
def said(given, tmp_path_factory):
    """Give every answer by its name."""
    folder = tmp_path_factory.mktemp("oracles")
    np.savez(folder / "given.npz", **given)
    order = [interpreter_of("oracles"), ORACLES, folder / "given.npz", folder / "made.npz"]
    subprocess.run(order, check=True, timeout=300)
    return dict(np.load(folder / "made.npz", allow_pickle=False))


FORMULAS = {
    "scipy skew": ("rolling_skew(x, 60)", 1e-9),
    "scipy kurt": ("rolling_kurt(x, 60)", 1e-9),
    "scipy slope": ("rolling_slope(x, 60)", 1e-9),
    "scipy r2": ("rolling_r2(x, 60)", 1e-8),
    "scipy corr": ("rolling_corr(x, y, 60)", 1e-9),
    "scipy rank corr": ("rolling_rank_corr(x, y, 60)", 1e-9),
    "scipy rank": ("rolling_rank(x, 60)", 1e-12),
    "scipy zscore": ("rolling_zscore(x, 60)", 1e-9),
    "scipy quantile": ("rolling_quantile(x, 60, 0.9)", 1e-12),
    "scipy entropy": ("rolling_entropy(x, 60, 10)", 1e-12),
    "scipy normal": ("normal_cdf(x)", 1e-12),
    "scipy decay": ("decay_sum(x, 0.9)", 1e-11),
    "statsmodels impact": ("kyle_lambda(cum_sum(x), y, 60)", 1e-8),
    "statsmodels half life": ("ou_half_life(decay_sum(x, 0.8), 60, 1, 0, 60)", 1e-7),
    "arch variance ratio": ("variance_ratio(close, 60, 5)", 1e-8),
    "talib roc": ("pct_change(close, 10)", 1e-9),
    "talib slope": ("rolling_slope(close, 60)", 1e-8),
    "talib max": ("rolling_max(high, 60)", 0.0),
    "talib min": ("rolling_min(low, 60)", 0.0),
    "river ewm": ("ewm_mean(x, 0.1)", 1e-9),
    "river var": ("rolling_var(x, 60)", 1e-8),
    "river mean": ("rolling_mean(x, 60)", 1e-9),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_is_the_librarys(name, given, said):
    call, bound = FORMULAS[name]
    ours, theirs = qf.formula(call, columns=list(given)).run(given), said[name]
    both = np.isfinite(ours) & np.isfinite(theirs)
    assert both.sum() >= (ROWS - WINDOW) // 97, "too few rows to say anything"
    assert (np.isfinite(ours) >= np.isfinite(theirs))[WINDOW:].all()
    np.testing.assert_allclose(ours[both], theirs[both], rtol=bound, atol=bound)


# TA-Lib begins a smoothing with a plain mean where a type begins with the first row; the weight
# of either is below 1e-9 after these rows.
INDICATORS = {
    "talib rsi": ("rsi", {"window": 14}, 100.0, 300),
    "talib ema": ("ema", {"window": 12}, 1.0, 200),
    "talib atr": ("atr", {"window": 14}, 1.0, 400),
    "talib bollinger": ("bollinger_width", {"window": 20, "deviations": 2.0}, 1.0, 20),
    "talib macd": ("macd", {"fast": 12, "slow": 26}, 1.0, 600),
    "talib macd histogram": (
        "macd_histogram",
        {"fast": 12, "slow": 26, "smooth": 9},
        1.0,
        600,
    ),
    "talib adx": ("adx_trend_strength", {"window": 14}, 100.0, 700),
}


@pytest.mark.parametrize("name", INDICATORS)
def test_an_indicator_is_the_librarys(name, given, said):
    kind, params, scale, settled = INDICATORS[name]
    ours, theirs = values(kind, given, **params)[settled:], said[name][settled:]
    assert np.isfinite(ours).all() and np.isfinite(theirs).all()
    np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-7 * scale)


def test_page_hinkley_speaks_at_the_rows_of_river(given, said):
    call = "where(page_hinkley.alarm(shifted, 0.5, 15.0, 30), 1, 0)"
    ours = np.flatnonzero(qf.formula(call, columns=["shifted"]).run(given) == 1.0)
    assert len(ours) >= len(CHANGES)
    assert ours.tolist() == said["river page hinkley"].tolist()


def test_adwin_finds_what_river_finds(given, said):
    span = given["shifted"].min(), given["shifted"].max()
    unit = (given["shifted"] - span[0]) / (span[1] - span[0])
    call = "where(adwin.alarm(u, 0.002, 1), 1, 0)"
    ours = np.flatnonzero(qf.formula(call, columns=["u"]).run({"u": unit}) == 1.0)
    for change in CHANGES:
        first = [int(rows[rows >= change][0]) for rows in (ours, said["river adwin"])]
        assert abs(first[0] - first[1]) <= 10, (change, first)
        assert first[0] - change < 60


def test_bocpd_dates_the_changes_where_ruptures_does(given, said):
    """The run length says how long ago the change was: online, 80 rows after it."""
    run = qf.formula("bocpd.run(shifted, 250, 400)", columns=["shifted"]).run(given)
    dated = said["ruptures changes"]
    assert len(dated) == len(CHANGES)
    for change, found in zip(CHANGES, dated.tolist(), strict=True):
        online = change + 80 - run[change + 80]
        assert abs(found - change) <= 3
        assert abs(online - found) <= 4, (change, found, online)


def test_cusum_finds_each_change_that_ruptures_dates(given, said):
    """Against the level before the change, a move of 2.5 deviations is found within 20 rows."""
    for place, found in enumerate(said["ruptures changes"].tolist()):
        start = [0, *CHANGES][place]
        part = given["shifted"][start:] - MEANS[place]
        call = "where(cusum.alarm(x, 5000, 1.0), 1, 0)"
        rows = np.flatnonzero(qf.formula(call, columns=["x"]).run({"x": part}) == 1.0) + start
        assert 0 <= rows[rows >= found][0] - found <= 20
