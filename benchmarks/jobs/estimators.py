"""Estimators that cost a window or a posterior at every row, as a user runs them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.day import Day
from benchmarks.jobs.rolling import formula_run
from benchmarks.timing import Job

ROWS, SEED = 20_000, 3
TARGET_NS = 2_000.0
CALLS = {
    "bocpd, 250 run lengths": "bocpd.score(size, 250, 250)",
    "hurst_rs, window 256": "hurst_rs(log_return(price), 256)",
    "hurst_dfa, window 256": "hurst_dfa(log_return(price), 256)",
}


def jobs(day: Day, repeats: int) -> Iterator[Job]:
    """Yield a job per estimator; nobody else here has them as updates."""
    draw = np.random.default_rng(SEED)
    columns = {
        "size": draw.normal(size=ROWS) + np.repeat(draw.normal(0.0, 2.0, ROWS // 500), 500),
        "price": 100.0 * np.exp(np.cumsum(draw.normal(0.0, 1e-4, ROWS))),
    }
    for name, call in CALLS.items():
        yield Job(
            name=f"{name}: {call}",
            unit="row",
            elements=ROWS,
            makes=f"one column of {ROWS:,} rows",
            ours=formula_run(call, columns),
            target_ns=TARGET_NS,
        )
