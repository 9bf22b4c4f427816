"""The same tables, bit for bit, for any size of batch and any number of kills."""

from __future__ import annotations

import numpy as np
import pytest

from qf.engines.run import run_project
from qf.engines.sources import open_tape
from qf.engines.symbol_plan import plan_symbol
from qf.program import Program
from qf.project import open_project
from qf.store.duck import Store
from tests.acceptance.projects import make_project

TABLES = 9


def hashes_of(folder, batch):
    """Run the project with a batch size and return the hash of every table, none being empty."""
    path = folder / "quantflow_project.yml"
    lines = [
        f"  micro_batch_size: {batch}" if "micro_batch_size" in line else line
        for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(lines) + "\n")
    project = open_project(folder)
    result = run_project(project, force=True)
    with Store(project.paths.database, project.name) as store:
        hashes = store.hashes()
    assert len(hashes) >= TABLES
    assert all(result.counts[name] > 0 for name in hashes), result.counts
    return hashes


@pytest.fixture(scope="module")
def project_folder(shared, shared_data, tmp_path_factory):
    """Give the walkthrough's project over the spot capture."""
    folder = tmp_path_factory.mktemp("cuts") / "breakout_alpha"
    return make_project(folder, shared_data, "spot", shared / "walkthrough" / "breakout_alpha")


def test_the_batch_size_changes_no_table(project_folder):
    found = {batch: hashes_of(project_folder, batch) for batch in (1, 997, 200_000)}
    for name, value in found[200_000].items():
        print(f"{name}: {value}")
    assert found[1] == found[997] == found[200_000]


def test_kill_and_restore_at_fifty_random_rows_changes_no_bit(project_folder):
    project = open_project(project_folder)
    tape = open_tape(project, "BTCUSDT")
    planned = plan_symbol(project, tape.instrument, tape.continuity)
    (columns,) = tape.blocks(tape.rows)
    whole = Program(planned.plan, 2048).push(columns)
    rng = np.random.default_rng(20240808)
    cuts = sorted({int(cut) for cut in rng.integers(1, tape.rows, 50)})
    program, parts = Program(planned.plan, 512), []
    for low, high in zip([0, *cuts], [*cuts, tape.rows], strict=True):
        saved = program.save()
        program = Program(planned.plan, int(rng.integers(1, 4096)))
        program.restore(saved)
        parts.append(program.push({name: c[low:high] for name, c in columns.items()}))
    for clock, made in whole.items():
        for name, column in made.items():
            joined = np.concatenate([part[clock][name] for part in parts])
            assert joined.tobytes() == column.tobytes(), (clock, name)
