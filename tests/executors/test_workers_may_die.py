"""A worker that is killed costs time and nothing else; one that always dies is an error."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from qf.engines.executors import processes
from qf.errors import QuantflowError
from tests.conftest import ROOT
from tests.executors import projects

DIES = (sys.executable, "-c", "import os, sys; sys.stdin.readline(); os.kill(os.getpid(), 9)")


def test_the_job_of_a_killed_process_is_done_by_another(alone, tmp_path):
    folder = projects.make(tmp_path / "small")
    scratch, over, killed = folder / ".data" / "run", threading.Event(), []

    def kill_one():
        while not over.wait(0.002):
            if list(scratch.glob("*/*")):
                killed.append(projects.children_named("executors._child")[0])
                os.kill(killed[0], signal.SIGKILL)
                return

    watch = threading.Thread(target=kill_one)
    watch.start()
    result = projects.run(folder, "processes", workers=2)
    over.set()
    watch.join()
    rows, _, _, counts = alone[0][1]
    assert killed and result.counts == counts
    made = projects.stored(folder)
    assert {name: sorted(made[name]) for name in made} == {n: sorted(rows[n]) for n in rows}
    assert not projects.children_named("executors._child") and not projects.left_behind(folder)


def test_a_process_that_always_dies_is_an_error_and_nothing_changes(tmp_path, monkeypatch):
    folder = projects.make(tmp_path / "small")
    projects.run(folder, asked={"end": projects.MIDDLE})
    before = projects.stored(folder), projects.recorded(folder)
    monkeypatch.setattr(processes, "COMMAND", DIES)
    with pytest.raises(QuantflowError) as told:
        projects.run(folder, "processes", workers=2)
    assert told.value.code == "QF563" and "signal 9" in told.value.sentence
    assert projects.SYMBOLS[0] in told.value.sentence and "3 times" in told.value.sentence
    assert (projects.stored(folder), projects.recorded(folder)) == before
    assert not projects.left_behind(folder)


@pytest.mark.parametrize("executor", ["local", "processes"])
def test_ctrl_c_ends_the_workers_and_the_same_command_goes_on(alone, tmp_path, executor):
    folder = projects.make(tmp_path / "small")
    code = "import sys; from qf.cli.main import main; main(sys.argv[1:])"
    words = [sys.executable, "-c", code, "run", "--project", str(folder)]
    # The workers take over the environment, which says whose they are.
    named = {
        "QF_OWNER": str(folder),
        "QF__EXECUTOR": executor,
        f"QF__ENGINE__{executor.upper()}__WORKERS": "2",
    }
    child = subprocess.Popen(
        words, env=os.environ | named, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert child.stderr is not None
    said = []
    for line in child.stderr:
        said.append(line)
        if line.startswith("compute: started"):
            child.send_signal(signal.SIGINT)
            break
    said += child.stderr.readlines()
    assert child.wait() == 130 and "stopped; run the same command again" in said[-1], said
    assert not projects.everywhere_named(str(folder))
    assert not projects.left_behind(folder)
    assert projects.run(folder).counts == alone[0][1][3]
