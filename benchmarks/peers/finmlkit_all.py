"""finmlkit, in its own environment: tick and dollar bars over trades, triple-barrier labels.

    python finmlkit_all.py DATA.npz REPEATS      prints the CPU seconds per element as JSON

Its barriers look at closes alone and its vertical one is a time: bars are numbered by seconds, so
that a horizon in bars is one in seconds. Its bars leave out who bought.
"""

import json
import logging
import sys
import time
from importlib.metadata import version

import numba
import numpy as np

numba.set_num_threads(1)
logging.disable(logging.CRITICAL)

from finmlkit.bar.data_model import TradesData  # noqa: E402  the threads are set before it compiles
from finmlkit.bar.kit import DollarBarKit, TickBarKit  # noqa: E402
from finmlkit.label.tbm import triple_barrier  # noqa: E402


def seconds_of(run, elements, repeats):
    """Return the CPU seconds per element of every run after the first."""
    taken = []
    for _ in range(repeats + 1):
        begun = time.process_time()
        run()
        taken.append((time.process_time() - begun) / elements)
    return taken[1:]


def bars(data, repeats):
    """Time both kinds of bars."""
    ids = np.arange(len(data["price"]))
    side = data["side"].astype(np.int8)
    trades = TradesData(data["time"], data["price"], data["size"], ids, side=side)
    kinds = {
        "tick": lambda: TickBarKit(trades, int(data["count"][0])).build_ohlcv(),
        "dollar": lambda: DollarBarKit(trades, float(data["value"][0])).build_ohlcv(),
    }
    return {name: seconds_of(run, len(ids), repeats) for name, run in kinds.items()}


def labels(data, repeats):
    """Time the labels of every horizon."""
    close, width = data["close"], float(data["width"][0])
    times = np.arange(len(close)) * 1_000_000_000
    made = {}
    for horizon in data["horizons"].tolist():
        events = np.arange(len(close) - horizon)
        targets = np.full(len(events), width)

        def run(events=events, targets=targets, horizon=horizon):
            triple_barrier(times, close, events, targets, (1.0, 1.0), horizon, 0.0, None, 0.0)

        made[str(horizon)] = seconds_of(run, len(events), repeats)
    return made


def main(path, repeats):
    """Time what the data asks for and print it."""
    data = np.load(path)
    made = bars(data, repeats) if "price" in data else labels(data, repeats)
    print(json.dumps({"name": f"finmlkit {version('finmlkit')}", **made}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
