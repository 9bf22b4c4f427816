"""The walkthrough's project, live on the recorded captures: the tables of batch, bit for bit.

The whole job runs as it is deployed: sockets, trades by id, journal, checkpoints, Parquet; only the
network is the recording. The suite replays the first frames; QF_LONG=1 everything.
"""

from __future__ import annotations

import gzip
import os

import pytest

from qf.live.engine import Settings
from qf.store.live_files import LiveReader
from tests.acceptance.projects import CAPTURES, make_project, run_folder
from tests.live.conftest import EDITS
from tests.live.replayed import Replayed
from tests.live.scene import frames_of

LONG = os.environ.get("QF_LONG") == "1"
LINES = {"spot": 1_500, "usdm": 1_500}
CASES = [("spot", 20, False), ("usdm", 4, True)]
if LONG:
    CASES += [(kind, *way) for kind in LINES for way in ((0, False), (20, False), (20, True))]
NOT_LIVE = {"instruments", "qf_runs"}


@pytest.fixture(scope="module")
def ran(shared, shared_data, tmp_path_factory):
    """Give a function: kind of capture -> project run in batch, its frames, its tables' hashes."""
    done = {}

    def run(kind):
        if kind not in done:
            folder = tmp_path_factory.mktemp(f"replayed_{kind}")
            data = shared_data if LONG else shortened(shared_data, folder / "data", kind)
            source = shared / "walkthrough" / "breakout_alpha"
            project = make_project(folder / "breakout_alpha", data, kind, source, EDITS)
            made = run_folder(project)
            tables = made.reader.tables()
            shown = [name for name, rows in tables.items() if rows and name not in NOT_LIVE]
            wanted = {name: made.reader.hash(name) for name in shown}
            done[kind] = (made.project, frames_of(made.project), wanted)
        return done[kind]

    return run


def shortened(data, target, kind):
    """Write the first frames of a capture beside where the whole one would be."""
    pattern = CAPTURES[kind][0]
    first = min(data.glob(pattern))
    path = target / first.relative_to(data)
    path.parent.mkdir(parents=True)
    with gzip.open(first) as lines, gzip.open(path, "wb", 1) as short:
        short.writelines(line for line, _ in zip(lines, range(LINES[kind]), strict=False))
    return target


def live_tables(replayed, project, folder):
    """Return the hashes of what the lives have written."""
    for path, held in replayed.platter.files.items():
        if path.startswith("tables/") and not path.endswith(".part"):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(bytes(held.data))
    reader = LiveReader(project.name, folder / "tables")
    return {name: reader.hash(name) for name in reader.tables()}


@pytest.mark.parametrize(("kind", "deaths", "power"), CASES)
def test_live_tables_equal_batch_tables_through_any_deaths(ran, kind, deaths, power, tmp_path):
    project, frames, wanted = ran(kind)
    settings = Settings(epoch_frames=30_000 if LONG else 900, show_seconds=5.0)
    replayed = Replayed(project, frames, settings, seed=deaths + power)
    replayed.run(deaths, power)
    assert replayed.deaths >= deaths * 3 // 4 and replayed.lives == replayed.deaths + 1
    assert live_tables(replayed, project, tmp_path) == wanted
