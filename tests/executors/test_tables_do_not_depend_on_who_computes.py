"""Threads, processes, a cluster: the same rows in the same order, the same record, the same words.

The story has the three ways of an incremental run: half of the tape, the rest from the saved state,
and one edited feature whose set's vectors are joined from the stored features of the others.
"""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from qf.engines.run import run_project
from qf.project.local_config import LocalEngine
from qf.store import key_texts
from tests.executors import projects
from tests.executors.conftest import cluster, story


def same(alone, told):
    """Compare two stories, the first difference first."""
    for (rows, *words), (expected, *known) in zip(told[0], alone[0], strict=True):
        assert rows.keys() == expected.keys()
        for name in rows:
            assert rows[name] == expected[name], name
        for one, other in zip(words, known, strict=True):
            assert one == other
    assert told[1] == alone[1]


@pytest.mark.parametrize(("executor", "workers"), [("local", 3), ("processes", 2)])
def test_threads_and_processes_make_the_tables_of_one_thread(alone, tmp_path, executor, workers):
    folder = projects.make(tmp_path / "small")
    same(alone, story(folder, executor, workers=workers))
    assert not projects.left_behind(folder)
    assert not projects.children_named("executors._child")


def test_a_cluster_makes_the_tables_of_one_thread_though_a_worker_is_killed(alone, tmp_path):
    folder = projects.make(tmp_path / "small")
    scratch, over, killed = folder / ".data" / "run", threading.Event(), []
    with cluster() as (address, workers):

        def kill_one():
            while not over.wait(0.002):
                if list(scratch.glob("*/*")):  # a job has begun to write
                    workers[0].kill()  # SIGKILL
                    killed.append(workers[0].pid)
                    return

        watch = threading.Thread(target=kill_one)
        watch.start()
        try:
            result = projects.run(folder, "dask", address=address)
        finally:
            over.set()
            watch.join()
        assert killed and workers[0].wait() == -9 and workers[1].poll() is None
    rows, _, warnings, counts = alone[0][1]
    assert result.counts == counts and result.warnings == warnings
    made = projects.stored(folder)
    for name in rows:  # the other story wrote in two halves, so the order is another
        assert sorted(made[name]) == sorted(rows[name]), name
    assert not projects.left_behind(folder)


def test_workers_leave_no_parquet_files_where_none_are_wanted(tmp_path):
    project = projects.opened(projects.make(tmp_path / "small"), "local", workers=2)
    engines = (*project.local.engines, LocalEngine("duckdb", {"parquet": False}))
    unwanted = replace(project, local=replace(project.local, engines=engines))
    for asked in ({"end": projects.MIDDLE}, {}):  # the second reads what the first has stored
        run_project(unwanted, **asked)
        assert not list(project.paths.parquet.rglob("*.parquet"))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_tells_the_store_which_symbols_will_come(tmp_path, monkeypatch, workers):
    """Else every symbol would make the columns of all tables anew."""
    made, make = [], key_texts.enum_of
    monkeypatch.setattr(key_texts, "enum_of", lambda texts: made.append(list(texts)) or make(texts))
    project = projects.opened(projects.make(tmp_path / "small"), "local", workers=workers)
    run_project(project)
    symbols = sorted(project.symbols)
    assert len(symbols) > 1 and symbols in made
    assert not [texts for texts in made if set(texts) < set(symbols)]
