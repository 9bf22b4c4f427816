"""mlfinpy, in its own environment: tick, dollar, imbalance and run bars over trades.

    python mlfinpy_bars.py TRADES.npz REPEATS      prints the CPU seconds per trade as JSON

Its imbalance and run bars close at an expectation that it learns from the bars before (López de
Prado 2018, chapter 2), not at a fixed one. It walks rows in Python, so TRADES trades are taken.
"""

import contextlib
import io
import json
import sys
import time
from importlib.metadata import version

import numpy as np
import pandas as pd
from mlfinpy.data_structure.imbalance_bars import get_const_tick_imbalance_bars
from mlfinpy.data_structure.run_bars import get_const_tick_run_bars
from mlfinpy.data_structure.standard_bars import get_dollar_bars, get_tick_bars

TRADES = 20_000


def main(path, repeats):
    """Time every rule and print the seconds per trade."""
    data = np.load(path)
    count, value = int(data["count"][0]), float(data["value"][0])
    frame = pd.DataFrame(
        {
            "date_time": pd.to_datetime(data["time"][:TRADES]),
            "price": data["price"][:TRADES],
            "volume": data["size"][:TRADES],
        }
    )
    learnt = {"expected_imbalance_window": 1000, "exp_num_ticks_init": 100, "verbose": False}
    rules = {
        "tick": lambda: get_tick_bars(frame, threshold=count, verbose=False),
        "dollar": lambda: get_dollar_bars(frame, threshold=value, verbose=False),
        "imbalance_afml": lambda: get_const_tick_imbalance_bars(frame, **learnt),
        "run_afml": lambda: get_const_tick_run_bars(frame, num_prev_bars=3, **learnt),
    }
    made = {"name": f"mlfinpy {version('mlfinpy')}"}
    for name, run in rules.items():
        seconds = []
        for _ in range(min(repeats, 3)):
            begun = time.process_time()
            with contextlib.redirect_stdout(io.StringIO()):
                run()
            seconds.append((time.process_time() - begun) / TRADES)
        made[name] = seconds
    print(json.dumps(made))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
