"""kill -9 at any instant of a run: the next run ends with the tables of an undisturbed one.

`QF_KILLS=100 pytest tests/runs/test_a_killed_run_is_made_good.py` is the long version.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time

from qf.project import open_project
from qf.store.segments import exported
from tests.conftest import ROOT
from tests.runs.projects import edit, hashes, make, run

KILLS = int(os.environ.get("QF_KILLS", "4"))
RUN = """
    import sys
    from qf.engines.run import run_project
    from qf.project import open_project
    import qf.engines.polars_run, qf.store.duck
    print("ready", flush=True)
    sys.stdin.readline()
    run_project(open_project(sys.argv[1]), force=sys.argv[2] == "force")
    print("done", flush=True)
"""
FEATURES = ".definitions/features/small.yml"
WINDOWS = ("params: { window: 20 }", "params: { window: 25 }")


def start(folder, force, code=RUN):
    """Start a process that runs the project when it is told to."""
    command = [sys.executable, "-c", textwrap.dedent(code), str(folder), "force" if force else ""]
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    assert child.stdout is not None and child.stdout.readline() == b"ready\n"
    return child


def go(child):
    """Let the run begin."""
    child.stdin.write(b"\n")
    child.stdin.flush()


def end(child):
    """Return whether the run came to its end, after its process has."""
    done = b"done" in child.stdout.read()
    child.wait()
    child.stdout.close()
    child.stdin.close()
    return done


def test_a_run_killed_at_any_instant_is_made_good_by_the_next(captures, ready, at_once, tmp_path):
    folder = make(tmp_path / "killed" / "small", captures)
    fresh = make(tmp_path / "fresh" / "small", captures, ready)
    edit(fresh, FEATURES, *WINDOWS)
    run(fresh)
    expected = {WINDOWS[0]: at_once, WINDOWS[1]: hashes(fresh)}
    child = start(folder, force=True)
    began = time.monotonic()
    go(child)
    assert end(child)
    length = time.monotonic() - began
    seed = int(os.environ.get("QF_SEED", "20240808"))
    draw, now, cut_short = random.Random(seed), 0, 0
    for _ in range(4 * KILLS):
        if cut_short == KILLS:
            break
        what = draw.choice(["force", "edit", "empty"])
        if what == "edit":
            edit(folder, FEATURES, WINDOWS[now], WINDOWS[1 - now])
            now = 1 - now
        elif what == "empty":
            shutil.rmtree(folder / ".data")
        child = start(folder, what == "force")
        go(child)
        time.sleep(draw.uniform(0.0, length if what != "edit" else length / 2))
        os.kill(child.pid, signal.SIGKILL)
        was_done = end(child)
        cut_short += not was_done
        length *= 0.8 if was_done else 1.05  # the machine's speed varies; most kills shall hit
        run(folder)
        assert hashes(folder) == expected[WINDOWS[now]], what
        project = open_project(folder)
        files = {
            path for paths in exported("small", project.paths.parquet).values() for path in paths
        }
        assert all(path.is_file() for path in files)
        assert not list(project.paths.state.glob(".*"))
    print(f"{cut_short} runs were cut short")
    assert cut_short == KILLS
