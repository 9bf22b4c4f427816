"""bottleneck, TA-Lib, screamer and river, in the peers' environment: rolling functions of a column.

python rolling_peers.py COLUMNS.npz REPEATS      prints the CPU seconds by job and peer as JSON
"""

import json
import sys
import time
from functools import partial
from importlib.metadata import version

import bottleneck as bn
import numpy as np
import screamer as sc
import talib
from river import stats, utils

SLOW = 20  # river takes one number at a time: it is timed on a twentieth of the rows


def river_mean(values, window):
    mean = utils.Rolling(stats.Mean(), window)
    for value in values:
        mean.update(value)
        mean.get()


def peers_of(x, y, window, lag):
    """Return, by job and peer, what a user of the library calls."""
    shifted = np.r_[np.full(lag, np.nan), x[:-lag]]
    near, far = x[lag:].copy(), x[:-lag].copy()

    def talib_zscore():
        return (x - talib.SMA(x, window)) / talib.STDDEV(x, window)

    def bottleneck_zscore():
        return (x - bn.move_mean(x, window)) / bn.move_std(x, window, ddof=1)

    screamer = {
        "mean": lambda: sc.RollingMean(window)(x),
        "std": lambda: sc.RollingStd(window)(x),
        "zscore": lambda: sc.RollingZscore(window)(x),
        "min": lambda: sc.RollingMin(window)(x),
        "corr": lambda: sc.RollingCorr(window)(x, y),
        "autocorr": lambda: sc.RollingCorr(window)(x, shifted),
    }
    return {
        "screamer": screamer,
        "bottleneck": {
            "mean": partial(bn.move_mean, x, window),
            "std": partial(bn.move_std, x, window, ddof=1),
            "zscore": bottleneck_zscore,
            "min": partial(bn.move_min, x, window),
        },
        "TA-Lib": {
            "mean": partial(talib.SMA, x, window),
            "std": partial(talib.STDDEV, x, window),
            "zscore": talib_zscore,
            "min": partial(talib.MIN, x, window),
            "corr": partial(talib.CORREL, x, y, window),
            "autocorr": partial(talib.CORREL, near, far, window),
        },
    }


def seconds(run, repeats):
    """Return the CPU seconds of each run, after one that is not counted."""
    taken = []
    for _ in range(repeats + 1):
        begun = time.process_time()
        run()
        taken.append(time.process_time() - begun)
    return taken[1:]


def main(path, repeats):
    """Time every function and print the seconds."""
    data = np.load(path)
    x, y = data["x"].astype(float), data["y"].astype(float)
    window, lag = data["window"].tolist()
    found = {}
    for library, functions in peers_of(x, y, window, lag).items():
        for job, run in functions.items():
            found.setdefault(job, {})[f"{library} {version(library)}"] = seconds(run, repeats)
    for width in data["ranks"].tolist():
        peer = {
            f"screamer {version('screamer')}": seconds(partial(sc.RollingRank(width), x), repeats)
        }
        found[f"rank {width}"] = peer
        tenth = x[: len(x) // 10].copy()
        taken = seconds(partial(bn.move_rank, tenth, width), repeats)
        peer[f"bottleneck {version('bottleneck')}"] = [10 * one for one in taken]
    few = x[: len(x) // SLOW].tolist()
    taken = seconds(partial(river_mean, few, window), repeats)
    found["mean"][f"river {version('river')}"] = [SLOW * one for one in taken]
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
