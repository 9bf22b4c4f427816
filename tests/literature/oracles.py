"""Run by the interpreter of .peers/oracles: what kept libraries say of the given columns.

oracles.py GIVEN.npz MADE.npz: columns by name in, one answer per function below out.
"""

import sys

import numpy as np
import ruptures
import talib
from arch.unitroot import VarianceRatio
from river import drift, stats, utils
from scipy import stats as distributions
from scipy.signal import lfilter
from statsmodels.api import OLS, add_constant

WINDOW = 60
EVERY = 97  # a window ends at every so many rows: the slow ones


def rows(answer, *columns, length=WINDOW):
    """Return an answer at every EVERY-th row, from the `length` rows that end there; else NaN."""
    out = np.full(len(columns[0]), np.nan)
    for end in range(WINDOW, len(out), EVERY):
        out[end] = answer(*(column[end - length + 1 : end + 1] for column in columns))
    return out


def by_scipy(x, y):
    return {
        "scipy skew": rows(lambda w: distributions.skew(w, bias=False), x),
        "scipy kurt": rows(lambda w: distributions.kurtosis(w, bias=False), x),
        "scipy slope": rows(lambda w: distributions.linregress(np.arange(len(w)), w).slope, x),
        "scipy r2": rows(lambda w: distributions.linregress(np.arange(len(w)), w).rvalue ** 2, x),
        "scipy corr": rows(lambda v, w: distributions.pearsonr(v, w).statistic, x, y),
        "scipy rank corr": rows(lambda v, w: distributions.spearmanr(v, w).statistic, x, y),
        "scipy rank": rows(lambda w: (distributions.rankdata(w)[-1] - 0.5) / len(w), x),
        "scipy zscore": rows(lambda w: distributions.zscore(w, ddof=1)[-1], x),
        "scipy quantile": rows(lambda w: distributions.mstats.mquantiles(w, 0.9, 1, 1)[0], x),
        "scipy entropy": rows(
            lambda w: distributions.entropy(np.histogram(w, bins=10)[0], base=2), x
        ),
        "scipy normal": distributions.norm.cdf(x),
        "scipy decay": lfilter([1.0], [1.0, -0.9], x),
    }


def by_statsmodels(x, y):
    def reversion(w):
        return OLS(np.diff(w), add_constant(w[:-1])).fit()

    def impact(v, w):
        return OLS(np.diff(v), add_constant(w[1:])).fit().params[1]

    def half_life(w):
        slope = reversion(w).params[1]
        return -np.log(2.0) / np.log1p(slope) if -1 < slope < 0 else np.nan

    level = lfilter([1.0], [1.0, -0.8], x)
    return {
        "statsmodels half life": rows(half_life, level, length=WINDOW + 1),
        "statsmodels impact": rows(impact, np.cumsum(x), y, length=WINDOW + 1),
    }


def by_arch(price):
    def ratio(w):
        return VarianceRatio(np.log(w), lags=5, trend="c", debiased=True).vr

    return {"arch variance ratio": rows(ratio, price, length=WINDOW + 1)}


def by_talib(high, low, close):
    upper, middle, lower = talib.BBANDS(close, timeperiod=20, nbdevup=2, nbdevdn=2)
    macd, _, histogram = talib.MACD(close, 12, 26, 9)
    return {
        "talib rsi": talib.RSI(close, 14),
        "talib ema": talib.EMA(close, 12),
        "talib atr": talib.ATR(high, low, close, 14),
        "talib bollinger": (upper - lower) / middle,
        "talib macd": macd,
        "talib macd histogram": histogram,
        "talib roc": talib.ROCP(close, 10),
        "talib adx": talib.ADX(high, low, close, 14),
        "talib slope": talib.LINEARREG_SLOPE(close, WINDOW),
        "talib max": talib.MAX(high, WINDOW),
        "talib min": talib.MIN(low, WINDOW),
    }


def each(meter, x):
    """Return a running statistic's value after every row."""
    out = np.empty(len(x))
    for place, value in enumerate(x):
        meter.update(float(value))
        out[place] = meter.get()
    return out


def alarms(detector, x):
    """Return the rows at which a drift detector speaks."""
    found = []
    for place, value in enumerate(x):
        detector.update(float(value))
        if detector.drift_detected:
            found.append(place)
    return np.array(found, dtype=np.int64)


def by_river(x, shifted):
    span = shifted.min(), shifted.max()
    unit = (shifted - span[0]) / (span[1] - span[0])
    return {
        "river ewm": each(stats.EWMean(fading_factor=0.1), x),
        "river var": each(utils.Rolling(stats.Var(), window_size=WINDOW), x),
        "river mean": each(utils.Rolling(stats.Mean(), window_size=WINDOW), x),
        "river page hinkley": alarms(
            drift.PageHinkley(min_instances=30, delta=0.5, threshold=15.0, alpha=1.0), shifted
        ),
        "river adwin": alarms(drift.ADWIN(delta=0.002, clock=1, grace_period=10), unit),
    }


def by_ruptures(shifted):
    found = ruptures.Pelt(model="l2", min_size=30).fit(shifted).predict(pen=40.0)
    return {"ruptures changes": np.array(found[:-1], dtype=np.int64)}


def main(given, made):
    columns = dict(np.load(given, allow_pickle=False))
    x, y, shifted = columns["x"], columns["y"], columns["shifted"]
    high, low, close = columns["high"], columns["low"], columns["close"]
    np.savez(
        made,
        **by_scipy(x, y),
        **by_statsmodels(x, y),
        **by_arch(close),
        **by_talib(high, low, close),
        **by_river(x, shifted),
        **by_ruptures(shifted),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
