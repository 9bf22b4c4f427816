"""screamer, in the peers' environment: the same 15 features, batch with numpy and live by functors.

python screamer_pack.py COLUMNS.npz REPEATS      prints the CPU seconds as JSON
"""

import json
import sys
import time

import numpy as np
import screamer as sc

LIVE_ROWS, WARM_ROWS = 20_000, 1_000
ORDER = (
    "price", "size", "buy_volume", "sell_volume", "bid_price_0", "bid_size_0", "ask_price_0",
    "ask_size_0", "bid_depth", "ask_depth",
)  # fmt: skip


def lag(x, rows):
    return sc.Lag(rows)(x)


def mean(x, window):
    return sc.RollingMean(window)(x)


def std(x, window):
    return sc.RollingStd(window)(x)


def zscore(x, window):
    return sc.RollingZscore(window)(x)


def minmax(x, window):
    low = sc.RollingMin(window)(x)
    return (x - low) / (sc.RollingMax(window)(x) - low)


def batch(columns):
    """Return the 15 columns."""
    price, size, bought, sold, bid, bid_size, ask, ask_size, bids, asks = columns
    change = price / lag(price, 1) - 1
    volume = size / mean(size, 100)
    depth, spread = bids + asks, ask - bid
    momentum = price / lag(price, 10) - 1
    flow = sc.EwMean(alpha=0.05)(sc.ContOFI()(bid, ask, bid_size, ask_size))
    strength = (price / lag(price, 50) - 1) * volume
    volatility = std(change, 20)
    return [
        zscore(strength, 100),
        zscore(volume, 100),
        minmax(volatility, 100),
        minmax(sc.RollingRank(300)(volatility) / 300, 100),
        zscore(flow, 50),
        zscore(sc.RollingSum(200)(bought - sold), 100),
        minmax(depth / lag(depth, 50) - 1, 100),
        np.abs(mean(strength, 50) / std(strength, 50)),
        mean(strength, 100) / std(strength, 100),
        minmax(std(change, 300), 100),
        minmax(spread / mean(spread, 100), 100),
        zscore(momentum, 50),
        sc.RollingCorr(100)(momentum, lag(momentum, 10)),
        2e4 * spread / (ask + bid),
        depth,
    ]


class Live:
    """The pack as functors that take one number at a time."""

    def __init__(self):
        self.lags = [sc.Lag(1), sc.Lag(50), sc.Lag(10), sc.Lag(10), sc.Lag(50)]
        self.means = [sc.RollingMean(w) for w in (100, 100, 50, 100)]
        self.stds = [sc.RollingStd(w) for w in (20, 300, 50, 100)]
        self.zscores = [sc.RollingZscore(w) for w in (100, 100, 50, 100, 50)]
        self.ranges = [(sc.RollingMin(100), sc.RollingMax(100)) for _ in range(5)]
        self.rank, self.flow = sc.RollingRank(300), sc.ContOFI()
        self.smooth, self.sum = sc.EwMean(alpha=0.05), sc.RollingSum(200)
        self.corr = sc.RollingCorr(100)

    def minmax(self, place, x):
        low, high = self.ranges[place]
        least = low(x)
        return (x - least) / ((high(x) - least) or float("nan"))

    def step(self, row):
        """Return the 15 values of one event."""
        price, size, bought, sold, bid, bid_size, ask, ask_size, bids, asks = row
        nan = float("nan")
        l1, l50, l10, l10b, ld = self.lags
        mean_size, mean_spread, mean50, mean100 = self.means
        std20, std300, std50, std100 = self.stds
        z1, z2, z5, z6, z12 = self.zscores
        change = price / l1(price) - 1
        volume = size / mean_size(size)
        depth, spread = bids + asks, ask - bid
        momentum = price / l10(price) - 1
        flow = self.smooth(self.flow(bid, ask, bid_size, ask_size))
        strength = (price / l50(price) - 1) * volume
        volatility = std20(change)
        return (
            z1(strength),
            z2(volume),
            self.minmax(0, volatility),
            self.minmax(1, self.rank(volatility) / 300),
            z5(flow),
            z6(self.sum(bought - sold)),
            self.minmax(2, depth / ld(depth) - 1),
            abs(mean50(strength) / (std50(strength) or nan)),
            mean100(strength) / (std100(strength) or nan),
            self.minmax(3, std300(change)),
            self.minmax(4, spread / mean_spread(spread)),
            z12(momentum),
            self.corr(momentum, l10b(momentum)),
            2e4 * spread / (ask + bid),
            depth,
        )


def time_live(rows):
    """Return the CPU seconds of LIVE_ROWS steps after a warm-up."""
    pack = Live()
    for row in rows[:WARM_ROWS]:
        pack.step(row)
    begun = time.process_time()
    for row in rows[WARM_ROWS:]:
        pack.step(row)
    return time.process_time() - begun


def main(path, repeats):
    """Time both forms and print the seconds."""
    data = np.load(path)
    columns = [np.ascontiguousarray(data[name]) for name in ORDER]
    seconds = []
    for _ in range(repeats + 1):
        begun = time.process_time()
        batch(columns)
        seconds.append(time.process_time() - begun)
    rows = [tuple(row) for row in np.vstack(columns).T[: WARM_ROWS + LIVE_ROWS].tolist()]
    live = [time_live(rows) for _ in range(repeats)]
    print(json.dumps({"batch": seconds[1:], "live": live}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
