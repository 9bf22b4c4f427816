"""The Parquet files beside the database hold what it holds, after every run."""

from __future__ import annotations

from qf.project import open_project
from qf.store.duck import Store
from qf.store.read import Reader
from qf.store.segments import exported
from tests.runs.projects import MINUTE, edit, make, run


def tables_of(folder):
    """Return every table as the database and as the files have it."""
    project = open_project(folder)
    reader = Reader(project.paths.database, project.name, project.paths.parquet)
    direct = {name: reader.frame(name) for name in reader.tables()}
    with Store(project.paths.database, project.name):  # an owner: readers must take the files
        files = {name: reader.frame(name) for name in reader.tables()}
        assert reader.source == "parquet"
    return direct, files


def test_files_and_tables_are_equal_after_growth_an_edit_and_a_lost_list(captures, ready, tmp_path):
    folder = make(tmp_path / "small", captures, ready)
    start = run(folder, end=None, stages=["label"]).symbols[0].tape.first_time
    project = open_project(folder)
    for end in (start + 15 * MINUTE, start + 25 * MINUTE, None):
        run(folder, end=end)
    grown = exported(project.name, project.paths.parquet)
    assert len(grown["cdm_trade_enriched"]) == 3  # a file per run, none written twice
    edit(folder, ".definitions/features/small.yml", "window: 20", "window: 22")
    run(folder)
    assert len(exported(project.name, project.paths.parquet)["features"]) == 1
    (project.paths.parquet / f"{project.name}.json").unlink()  # as after a kill behind the commit
    run(folder)
    direct, files = tables_of(folder)
    assert direct.keys() == files.keys()
    for name, frame in direct.items():
        assert files[name].equals(frame, null_equal=True), name
    named = {
        path for paths in exported(project.name, project.paths.parquet).values() for path in paths
    }
    assert set(project.paths.parquet.rglob("*.parquet")) == named
