"""Whole projects: every way is tried, what is stored is held against it, errors count."""

from __future__ import annotations

import json

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cli_case import qf
from proof.prove_project import edit, write_planted
from qf.engines.run import run_project
from qf.errors import RefusedError
from qf.project import open_project
from qf.project.project_ops import unload_project_ops
from qf.proof.prove import prove
from qf.proof.prove_schedule import LARGEST_BLOCK, Effort, draw_ways

SOUND = "for t in range(lo, hi):\n        out[t] = x[t]"
LITTLE = Effort(cuts=1, restarts=0, by_row=500, threads=2)
TRUST = {"QF_TRUST": "1"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Give a project of three minutes, with bars that may be empty."""
    monkeypatch.setenv("QF_TRUST", "1")
    folder = write_planted(tmp_path / "small", SOUND)
    edit(folder / ".definitions/feed_providers/simulated_market.yml", "minutes: 6", "minutes: 3")
    edit(
        folder / "quantflow_project.yml",
        "- { type: run, window: 10 }",
        "- { type: time, seconds: 1 }",
    )
    yield folder
    unload_project_ops()


@given(st.integers(1, 10**7), st.integers(0, 10**6), st.integers(1, 60))
def test_the_ways_are_drawn_from_the_seed_and_cover_the_tape(rows, seed, cuts):
    effort = Effort(cuts=cuts, seed=seed)
    ways = draw_ways(rows, effort)
    assert ways == draw_ways(rows, effort)
    blocks = {leg.block for way in ways for leg in way.legs}
    assert {1, LARGEST_BLOCK} <= blocks <= set(range(1, LARGEST_BLOCK + 1))
    for way in ways:
        assert sum(leg.rows for leg in way.legs) == rows, way.name
        assert all(leg.rows > 0 for leg in way.legs), way.name
    by_row = sum(leg.rows for way in ways for leg in way.legs if leg.by_row)
    assert by_row == min(rows, effort.by_row)


def test_all_ways_of_two_symbols_are_equal_to_what_is_stored(folder):
    edit(folder / "quantflow_project.yml", "symbols: [BTCUSDT]", "symbols: [BTCUSDT, ETHUSDT]")
    run_project(open_project(folder))
    asked = qf("prove --cuts 4 --seed 3 --json", folder, TRUST)
    proof = json.loads(asked.out)
    assert asked.code == 0, asked.err
    assert proof["equal"] and proof["seed"] == 3 and len(proof["symbols"]) == 2
    names = {way["name"] for way in proof["ways"]}
    some = {"run", "blocks of 1", "blocks of 65,536", "4 cuts", "4 kills", "1 restart", "4 threads"}
    assert some | {"row by row"} <= names
    run = proof["ways"][0]
    assert "cdm_time_bars" in run["hashes"] and run["rows"]["features"] > 0
    assert all(way["hashes"] == run["hashes"] for way in proof["ways"])
    assert {each["verdict"] for each in proof["stored"]} == {"equal"}


def test_a_range_is_held_against_the_stored_rows_of_the_range(folder):
    run_project(open_project(folder))
    whole = prove(open_project(folder), effort=LITTLE)
    middle = whole.subjects[0].tape.first_time + 90 * 10**9
    part = prove(open_project(folder), middle, None, LITTLE)
    for proof in (whole, part):
        assert proof.equal, proof.lines()
        assert {each.verdict for each in proof.stored} == {"equal"}
    assert part.tried[0].rows["features"] < whole.tried[0].rows["features"]


def test_stored_rows_are_refused_where_they_should_be_equal_and_only_there(folder):
    project = open_project(folder)
    run_project(project)
    with duckdb.connect(str(project.paths.database)) as connection:
        connection.execute("UPDATE small_cdm.cdm_tick_bars SET high = 0 WHERE bar_id = 1")
    proof = prove(project, effort=LITTLE)
    verdicts = {each.table: each.verdict for each in proof.stored}
    assert verdicts.pop("cdm_tick_bars") == "different"
    assert set(verdicts.values()) == {"equal"} and not proof.findings
    with pytest.raises(RefusedError, match="cdm_tick_bars") as refused:
        proof.refuse()
    assert refused.value.code == "QF553" and all(each.equal for each in proof.tried)

    edit(folder / "quantflow_project.yml", "count: 50", "count: 40")
    edit(folder / "quantflow_project.yml", "tick_k_50", "tick_k_40")
    proof = prove(open_project(folder), effort=LITTLE)
    verdicts = {each.table: each.verdict for each in proof.stored}
    assert proof.equal
    assert (
        verdicts["cdm_tick_bars"] == "not compared: no run has made all of it as it is defined now"
    )
    assert verdicts["cdm_dollar_bars"] == "equal"


def test_an_op_that_knows_its_process_does_not_survive_a_restart(folder):
    op = folder / ".definitions/ops/planted.py"
    edit(op, "from qf.op import define", "import os\n\nfrom qf.op import define")
    edit(op, "@op.definition", "PROCESS = float(os.getpid())\n\n\n@op.definition")
    edit(op, "out[t] = x[t]", "out[t] = x[t] + 0.0 * PROCESS")
    proof = prove(open_project(folder), effort=Effort(cuts=1, by_row=500, threads=2))
    failed = [each for each in proof.tried if not each.equal]
    assert [each.name for each in failed] == ["1 restart"]
    assert "QF430" in failed[0].error and failed[0].error in "\n".join(proof.lines())


def test_a_difference_is_printed_and_leaves_with_1(folder):
    edit(folder / ".definitions/ops/planted.py", "out[t] = x[t]", "out[t] = x[t] + (t - lo)")
    asked = qf("prove --cuts 1", folder, TRUST)
    assert asked.code == 1
    assert "the first to differ is ops/planted, planted()" in asked.out
    assert "not stored" in asked.out and "equal:" not in asked.out
    assert "QF551" in asked.err and "look at the op named above" in asked.err


def test_an_empty_range_is_refused(folder):
    asked = qf("prove --start-date 2020-01-01 --end-date 2020-01-02", folder, TRUST)
    assert asked.code == 3 and "QF510" in asked.err
