"""kill -9 of the process that owns the database, while its threads make rows and it takes them."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from tests.executors import projects
from tests.runs.test_a_killed_run_is_made_good import RUN, end, go, start

KILLS = 3
# So that rows lie in the open transaction for most of the run, not at its end alone.
AT_ONCE = RUN.replace("    print(", "    qf.store.intake.HELD_BYTES = 1\n    print(", 1)


def test_the_run_after_a_killed_owner_of_threads_makes_the_same_tables(
    alone, tmp_path, monkeypatch
):
    folder = projects.make(tmp_path / "small")
    monkeypatch.setenv("QF__EXECUTOR", "local")
    monkeypatch.setenv("QF__ENGINE__LOCAL__WORKERS", "2")
    child = start(folder, force=True, code=AT_ONCE)
    began = time.monotonic()
    go(child)
    assert end(child)
    length, cut_short = time.monotonic() - began, 0
    expected = {name: sorted(rows) for name, rows in alone[0][1][0].items()}
    assert {name: sorted(rows) for name, rows in projects.stored(folder).items()} == expected
    draw = random.Random(int(os.environ.get("QF_SEED", "20261123")))
    for _ in range(10 * KILLS):
        child = start(folder, force=True, code=AT_ONCE)
        go(child)
        time.sleep(draw.uniform(0.0, length))
        os.kill(child.pid, signal.SIGKILL)
        was_done = end(child)
        cut_short += not was_done
        length *= 0.8 if was_done else 1.0
        result = projects.run(folder, workers=2)
        assert result.counts == alone[0][1][3]
        made = projects.stored(folder)
        assert {name: sorted(rows) for name, rows in made.items()} == expected
        assert not projects.left_behind(folder)
        if cut_short == KILLS:
            return
    pytest.fail(f"only {cut_short} runs were cut short")
