"""`qf prove` pushes cross sets in other ways, `qf poison` catches one that knows the future."""

from __future__ import annotations

import numpy as np
import pytest

from qf.engines.cross_rows import FeatureRows
from qf.engines.sources import open_tape
from qf.engines.symbol_plan import plan_symbol
from qf.proof.poison import poison
from qf.proof.prove import prove
from qf.proof.prove_cross import CrossProof
from qf.proof.prove_path import Subject
from qf.proof.prove_schedule import Leg, Way

TABLE = "feature_vectors_majors"


def test_prove_holds_cross_sets_to_one_hash(ran, monkeypatch):
    ways = [Way(f"pieces of {size}", "", (Leg(10**6, batch=size),)) for size in (900, 7_000)]
    monkeypatch.setattr("qf.proof.prove.draw_ways", lambda rows, effort: ways)
    proof = prove(ran[0])
    assert all(each.equal for each in proof.tried)
    assert {each.table: each.verdict for each in proof.stored}[TABLE] == "equal"


@pytest.fixture(scope="module")
def crosses(ran):
    """Give what the cross sets of the project read, ready to be pushed."""
    project, _ = ran
    subjects = []
    for symbol in project.symbols:
        tape = open_tape(project, symbol)
        planned = plan_symbol(project, tape.instrument, tape.continuity)
        subjects.append(Subject(project, tape, planned, (None, None)))
    return CrossProof(subjects)


def test_any_cut_order_and_kill_gives_the_hash_that_is_stored(ran, crosses):
    wanted = {TABLE: ran[1].hash(TABLE)}
    assert crosses.reference() == wanted
    assert [crosses.hashes(seed) for seed in range(3)] == 3 * [wanted]


def test_a_value_that_depends_on_where_rows_are_cut_is_found(crosses, monkeypatch):
    def newest(self, times):
        rows = self.rows  # whatever has come so far, seen or not yet
        at = np.full(len(times), len(rows["value"]) - 1)
        age = np.zeros(len(times), np.int64)
        if not len(rows["value"]):
            return np.full(len(times), np.nan), age, age
        return rows["value"][at], age, rows["quality"][at]

    monkeypatch.setattr(FeatureRows, "before", newest)
    assert crosses.hashes(1) != crosses.reference()


def _next(self, times):
    """See the first row at or after each time: a join that looks ahead."""
    rows = self.rows
    last = max(0, len(rows["value"]) - 1)
    at = np.minimum(np.searchsorted(rows["feature_time"], times, "left"), last)
    return rows["value"][at], np.zeros(len(times), np.int64), rows["quality"][at]


def test_no_symbol_knows_the_future_of_another(ran):
    report = poison(ran[0], instants=1, engines=["machine"])
    assert report.clean
    assert report.tables[TABLE] == ran[1].tables()[TABLE]


def test_a_join_that_looks_ahead_is_named(ran, monkeypatch):
    monkeypatch.setattr(FeatureRows, "before", _next)
    report = poison(ran[0], instants=2, engines=["machine"])
    leaking = {leak.column for leak in report.leaks if leak.table == TABLE}
    assert {leak.table for leak in report.leaks} == {TABLE}
    assert leaking & {"eth_lead", "ret_rank", "dominance"}
    assert any("the cross set majors as" in leak.source for leak in report.leaks)


def test_rows_that_come_too_late_are_counted():
    rows = FeatureRows()
    part = {name: np.array([value]) for name, value in zip(rows.rows, (0, 50, 1.0, 0), strict=True)}
    rows.add(part)
    rows.before(np.array([100]))
    assert rows.late == 0
    rows.add({**part, "feature_time": np.array([99])})
    assert rows.late == 1
