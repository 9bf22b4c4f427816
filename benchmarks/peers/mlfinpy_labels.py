"""mlfinpy, in its own environment: the first barrier that each bar's close meets.

    python mlfinpy_labels.py BARS.npz REPEATS      prints the CPU seconds per label as JSON

It takes hundreds of microseconds a label, so the first LABELS bars are labelled.
"""

import contextlib
import io
import json
import sys
import time
from importlib.metadata import version

import numpy as np
import pandas as pd
from mlfinpy.labeling.labeling import get_events

LABELS = 400


def main(path, repeats):
    """Time every horizon and print the seconds per label."""
    data = np.load(path)
    # Equal times would be several labels at once: bars are numbered by seconds instead.
    times = pd.to_datetime(np.arange(len(data["close"])), unit="s")
    close = pd.Series(data["close"], index=times)
    events = times[:LABELS]
    target = pd.Series(float(data["width"][0]), index=events)
    made = {"name": f"mlfinpy {version('mlfinpy')}"}
    for horizon in data["horizons"].tolist():
        vertical = pd.Series(times[horizon : horizon + LABELS], index=events)
        seconds = []
        for _ in range(min(repeats, 3) + 1):
            begun = time.process_time()
            with contextlib.redirect_stdout(io.StringIO()):
                get_events(close, events, [1, 1], target, 0.0, 1, vertical, verbose=False)
            seconds.append((time.process_time() - begun) / LABELS)
        made[str(horizon)] = seconds[1:]
    print(json.dumps(made))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
