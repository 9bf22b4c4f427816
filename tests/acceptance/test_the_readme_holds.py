"""The first screen's Python runs as it stands, on the offline project of the same name."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import polars as pl
import pytest

from qf.errors import QuantflowError
from qf.project.scaffold import draft_project, write_project

README = Path(__file__).parents[2] / "README.md"
SET = "microstructure_breakout"


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """Give the names that the README's Python block leaves behind."""
    folder = tmp_path_factory.mktemp("readme") / "breakout_alpha"
    write_project(folder, draft_project(folder.name, "crypto"))
    market = folder / ".definitions" / "feed_providers" / "simulated_market.yml"
    market.write_text(market.read_text().replace("minutes: 30", "minutes: 10"))
    (block,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    script = folder.parent / "readme.py"
    script.write_text(block)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.parent)
        return runpy.run_path(str(script))


def test_the_block_gives_what_its_comments_say(said):
    features = said["run"].features(SET)
    assert isinstance(features, pl.LazyFrame)
    assert features.collect()["feature_name"].n_unique() == 15
    training = said["run"].training_set().collect()
    (label,) = said["project"].project.labels
    assert label.name in training.columns and len(training) > 0


def test_every_label_of_the_decision_clock_is_taken_unless_told(said):
    project = said["project"]
    named = project.training_set(labels=["triple_barrier_20_40bp"], feature_set=SET)
    assert named.collect().equals(project.training_set().collect())
    with pytest.raises(QuantflowError) as refused:
        project.training_set(labels=["triple_barrier_20_40"])
    assert "triple_barrier_20_40bp" in str(refused.value)


def test_a_project_and_a_run_say_what_they_are(said):
    assert "15 in 1 set(s)" in repr(said["project"])
    assert "dollar_k_50000" in repr(said["run"])


def test_tables_are_read_as_they_are_stored(said):
    project = said["project"]
    for name, rows in project.tables().items():
        assert len(project.table(name).collect()) == rows, name
    assert len(project.bars("tick_k_50").collect()) == project.tables()["cdm_tick_bars"]
    counted = project.sql('select count(*) as n from "breakout_alpha_feature".features')
    assert counted["n"][0] == project.tables()["features"]
