"""`qf explain TABLE.COLUMN`: meaning, clock, ops down to the tape, and the run that wrote it."""

from __future__ import annotations

import pytest

from qf.engines import lineage
from qf.engines.lineage import explain_column
from qf.errors import QuantflowError
from qf.project import open_project
from qf.store.read import Reader
from tests.runs.projects import make, run


@pytest.fixture(scope="module")
def ran(captures, ready, tmp_path_factory):
    """Give a project after one run, and the run."""
    folder = make(tmp_path_factory.mktemp("lineage") / "small", captures, ready)
    result = run(folder)
    return open_project(folder), result


@pytest.fixture
def planned_once(monkeypatch):
    """Let one plan do for all columns of a project, and one look at the runs for all of a table's.

    How often either is made is not what is under test: each column is still explained whole.
    """
    real, made = lineage.plan_symbol, {}
    look, seen = lineage._runs, {}

    def runs(project, table):
        if (project.folder, table) not in seen:
            seen[project.folder, table] = look(project, table)
        return seen[project.folder, table]

    def plan(project, instrument, continuity, groups):
        key = (project.folder, instrument.symbol, frozenset(groups))
        if key not in made:
            made[key] = real(project, instrument, continuity, groups)
        return made[key]

    monkeypatch.setattr(lineage, "plan_symbol", plan)
    monkeypatch.setattr(lineage, "_runs", runs)


@pytest.mark.usefixtures("planned_once")
def test_every_column_of_every_table_has_an_origin_and_a_run(ran):
    project, result = ran
    reader = Reader(project.paths.database, project.name)
    with reader.held():
        columns = {table: reader.frame(table, limit=1).columns for table in reader.tables()}
    for table, names in columns.items():
        if table in ("qf_runs", "instruments"):
            continue
        for column in names:
            text = explain_column(project, table, column)
            assert result.run_id in text, (table, column)
            origin = ("tape", "the same text in every row", "computed while writing")
            assert any(words in text for words in origin), (table, column)


def test_the_chain_of_a_feature_goes_down_to_the_tape(ran):
    project, _ = ran
    text = explain_column(project, "features", "value")
    for words in ("formula: rolling_sum(buy_volume - sell_volume, window)", "on time_s_60"):
        assert words in text
    assert text.index("quality.seal") < text.index("ops.rolling_sum") < text.index("the tape's seq")


def test_an_unknown_table_or_column_has_near_names(ran):
    project, _ = ran
    for table, column, code in (("cdm_tick_bar", "open", "QF531"), ("features", "val", "QF532")):
        with pytest.raises(QuantflowError) as refused:
            explain_column(project, table, column)
        assert refused.value.code == code and refused.value.near
