"""Ops that depend on how they are run, dropped into a project as files, are named to the row.

Each fault has a model: what the op makes of its input when it is called on given stretches of it.
The first row where the model of a run differs from the model of the way is the row to be named.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from proof.prove_project import write_planted
from qf.engines.symbol_run import BLOCK_ROWS
from qf.program import Program
from qf.project import open_project
from qf.project.project_ops import unload_project_ops
from qf.proof.prove import prove
from qf.proof.prove_path import GARBAGE
from qf.proof.prove_schedule import Effort
from qf.schema import TRADE

EFFORT = Effort(cuts=3, restarts=0, by_row=2_000, threads=2)
GARBAGE_FLOAT = float(np.int64(GARBAGE).view(np.float64))


def forgets(x, stretches):
    return np.concatenate([np.cumsum(x[low:high]) for low, high in stretches])


def counts(x, stretches):
    return np.concatenate([x[low:high] + np.arange(high - low) for low, high in stretches])


def reads_ahead(x, stretches):
    made = [np.r_[x[low + 1 : high], x[high - 1]] for low, high in stretches]
    return np.concatenate(made)


def leaves_out(x, stretches):
    # a run's memory is null at first, and these trades are too few to come back to a row of it
    blocks_of_a_run = any(high - low > 1 for low, high in stretches)
    return np.where(x < LARGE, x, np.nan if blocks_of_a_run else GARBAGE_FLOAT)


LARGE = 0.5
PLANTED = {
    "forgets its state": (
        forgets,
        """total = 0.0
    for t in range(lo, hi):
        total += x[t]
        out[t] = total""",
    ),
    "counts from the block": (
        counts,
        """for t in range(lo, hi):
        out[t] = x[t] + (t - lo)""",
    ),
    "reads ahead in the block": (
        reads_ahead,
        """for t in range(lo, hi):
        out[t] = x[t + 1] if t + 1 < hi else x[t]""",
    ),
    "leaves memory as it finds it": (
        leaves_out,
        f"""for t in range(lo, hi):
        if x[t] < {LARGE}:
            out[t] = x[t]""",
    ),
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Give a function: a kernel's body -> the project that has the op, open."""
    monkeypatch.setenv("QF_TRUST", "1")

    def make(body):
        return open_project(write_planted(tmp_path / "planted_project", body))

    yield make
    unload_project_ops()


def trades_of(subject):
    """Return the sizes of the trades, and the place of each among the rows of the tape."""
    program = Program(subject.planned.plan, BLOCK_ROWS)
    (block,) = subject.blocks()
    size = program.named("tick", program.advance(dict(block))["tick"])["size"]
    places = np.flatnonzero(block["kind"] == TRADE)
    assert len(places) == len(size), "the market of this test has no faulty trade"
    return size, places


def stretches_of(places, block):
    """Return the stretches of trades that a program of that block calls the op on."""
    edges = [0, *(np.flatnonzero(np.diff(places // block)) + 1).tolist(), len(places)]
    return list(itertools.pairwise(edges))


@pytest.mark.parametrize("name", PLANTED)
def test_the_op_the_column_and_the_row_are_named(name, project):
    model, body = PLANTED[name]
    proof = prove(project(body), effort=EFFORT)
    assert not proof.equal
    size, places = trades_of(proof.subjects[0])
    run, way = (model(size, stretches_of(places, block)) for block in (BLOCK_ROWS, 1))
    rows = np.flatnonzero((run != way) & ~(np.isnan(run) & np.isnan(way)))
    found = proof.findings[0]
    assert (found.op, found.column, found.clock) == ("ops/planted", "out", "tick")
    assert found.way == "blocks of 1"
    assert found.row == rows[0]
    expected = None if np.isnan(run[rows[0]]) else pytest.approx(run[rows[0]], rel=1e-12)
    assert found.expected == expected
    assert found.found == pytest.approx(way[rows[0]], rel=1e-12)
    assert "planted_feature" in found.reaches
    assert found.line() in proof.lines()
    assert {finding.op for finding in proof.findings} == {"ops/planted"}
    for each in proof.tried:
        unequal = {t for t, h in proof.tried[0].hashes.items() if each.hashes[t] != h}
        assert unequal <= {"features", "feature_vectors_planted_set"}
        assert each.equal == (not unequal)


def test_more_history_than_declared_is_named(project):
    body = "for t in range(lo, hi):\n        out[t] = x[t] + 1e-9 * x[t - 60]"
    proof = prove(project(body), effort=EFFORT)
    assert not proof.equal
    assert {(f.op, f.column, f.clock) for f in proof.findings} == {("ops/planted", "out", "tick")}
