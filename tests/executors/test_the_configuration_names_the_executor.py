"""`executor:` in .local_config.yml: found by walking a folder, its options checked, lacks said."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from qf.cli import _examine
from qf.engines import executors
from qf.engines.executors import Options
from qf.engines.progress import Board
from qf.errors import QuantflowError
from qf.project.local import read_local
from tests.executors import projects


def configured(folder: Path, text: str, **environment: str):
    """Return the local configuration and what is wrong with it."""
    path, problems = folder / ".local_config.yml", []
    path.write_text(text)
    path.chmod(0o600)
    return read_local(folder, environment, problems), [each.code for each in problems]


def crew(name: str, **options):
    """Open and end a crew of an executor."""
    with executors.find(name)(Options(lambda *told: None, **options), lambda job, tell: job):
        raise AssertionError("it opened")


def test_every_file_of_the_folder_is_an_executor():
    files = {path.stem for path in Path(executors.__path__[0]).glob("[!_]*.py")}
    assert set(executors.names()) == files >= {"local", "processes", "dask"}
    assert all(callable(executors.find(name)) for name in files)


def test_threads_are_the_default_and_the_environment_may_choose(tmp_path):
    local, problems = configured(tmp_path, "engine:\n  - { name: local, workers: 3 }\n")
    assert (local.executor, local.engine("local").options["workers"], problems) == ("local", 3, [])
    text = "executor: processes\n"
    local, problems = configured(tmp_path, text, QF__ENGINE__DASK__ADDRESS="tcp://a:1")
    assert local.executor == "processes" and local.engine("dask").options["address"] == "tcp://a:1"
    local, problems = configured(tmp_path, text, QF__EXECUTOR="dask")
    assert (local.executor, problems) == ("dask", [])


@pytest.mark.parametrize("row", ["{ name: processes, workers: 0 }", "{ name: dask }"])
def test_options_are_checked(tmp_path, row):
    assert configured(tmp_path, f"engine:\n  - {row}\n")[1]


def test_an_unknown_executor_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(QuantflowError) as told:
        executors.find("proceses")
    assert told.value.code == "QF562" and "processes" in told.value.near
    project = projects.opened(projects.make(tmp_path / "small"), "proceses")
    with pytest.raises(QuantflowError) as told:
        projects.run_project(project)
    assert told.value.code == "QF562"


def test_the_extra_of_dask_is_named_where_it_is_absent(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(QuantflowError) as told:
        crew("dask", address="tcp://127.0.0.1:1")
    assert told.value.code == "QF565" and told.value.hint == 'pip install "qf[batch]"'


def test_dask_needs_an_address_at_which_a_scheduler_answers(monkeypatch):
    with pytest.raises(QuantflowError) as told:
        crew("dask")
    assert told.value.code == "QF566"
    monkeypatch.setattr("qf.engines.executors.dask.SECONDS", 1)
    with pytest.raises(QuantflowError) as told:
        crew("dask", address="tcp://127.0.0.1:9")
    assert told.value.code == "QF567" and "tcp://127.0.0.1:9" in told.value.sentence


def test_an_error_names_its_symbol_and_leaves_nothing_half_written(alone, tmp_path):
    folder = projects.make(tmp_path / "small")
    projects.run(folder, asked={"end": projects.MIDDLE})
    before = projects.stored(folder), projects.recorded(folder)
    symbol = projects.SYMBOLS[1]
    tape = next(path.parent for path in folder.rglob("manifest.json") if symbol in path.read_text())
    data = bytearray((tape / "tape.parquet").read_bytes())
    whole = bytes(data)
    data[4:2000] = bytes(1996)
    (tape / "tape.parquet").write_bytes(data)
    for executor in ("local", "processes"):
        with pytest.raises(QuantflowError) as told:
            projects.run(folder, executor, workers=2)
        assert told.value.code == "QF331" and told.value.sentence.startswith(f"{symbol}: ")
        assert (projects.stored(folder), projects.recorded(folder)) == before
        assert not projects.left_behind(folder)
    (tape / "tape.parquet").write_bytes(whole)
    projects.run(folder, workers=2)
    assert projects.stored(folder) == alone[0][1][0]


def test_a_worker_that_reads_another_project_refuses(tmp_path):
    project = projects.opened(projects.make(tmp_path / "small"), "processes", workers=2)
    other = replace(project, micro_batch_size=77)
    with pytest.raises(QuantflowError) as told:
        projects.run_project(other)
    assert told.value.code == "QF560" and "executor: local" in told.value.hint


def test_how_far_a_run_is_only_grows_and_ends_at_the_end():
    told = []
    board = Board(lambda *line: told.append(line))
    board.begin("compute", ["A", "B"])
    for line in (("A", 5, 10), ("B", 9, 10), ("A", 2, 10), ("A", 10, 10), ("B", 3, 0)):
        board("compute", *line[1:], line[0])
    board("compile", 1, 3, "an op")
    board.end("B")
    board.end("A")
    done = [line[1] for line in told if line[0] == "compute"]
    assert done == sorted(done) and done[-1] == told[-1][2] == 200 and max(done[:-1]) < 200
    assert ("compile", 1, 3, "an op") in told


def test_the_doctor_says_where_symbols_are_computed(tmp_path, monkeypatch):
    folder = projects.make(tmp_path / "small")
    for executor, state in (("local", "ok"), ("processes", "ok"), ("proceses", "fail")):
        monkeypatch.setenv("QF__EXECUTOR", executor)
        row = next(each for each in _examine.project(folder) if each.name == "executor")
        assert row.state == state and row.detail.startswith(executor)
