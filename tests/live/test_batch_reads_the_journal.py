"""A batch run over a session's journal makes the tables that the session made."""

from __future__ import annotations

import pytest

from qf.engines.run import run_project
from qf.errors import QuantflowError
from qf.live.engine import Settings
from qf.project import open_project
from qf.store.read import Reader
from qf.tape.journal import Frame
from tests.acceptance.projects import make_project
from tests.live.scene import Machine, live, tables_of

PROVIDER = """name: {name}
kind: {kind}
venue: binance_spot
"""


def project_of(shared, shared_data, folder, kind):
    """Return a project whose frames come from its own journal."""
    source = shared / "walkthrough" / "breakout_alpha"
    make_project(folder, shared_data, "spot", source)
    path = next((folder / ".definitions/feed_providers").glob("btcusdt_capture*"))
    path.write_text(PROVIDER.format(name="btcusdt_capture", kind=kind))
    return open_project(folder)


@pytest.mark.parametrize("kind", ["websocket", "journal"])
def test_tables_of_the_journal_equal_those_of_the_session(
    batch, shared, shared_data, tmp_path, kind
):
    project = project_of(shared, shared_data, tmp_path / "breakout_alpha", kind)
    with pytest.raises(QuantflowError, match="there is no journal"):
        run_project(project)
    _, frames = batch("spot")
    # Frames of other symbols are in the journal too, and no line's tape holds them.
    other = Frame(frames[0].processed_time, "OTHER", b"{}")
    mixed = [each for frame in frames[:6_000] for each in (frame, other)][:11_000]
    machine = Machine()
    live(machine, project, mixed, Settings(epoch_frames=4_000))
    for path, data in machine.files("journal").items():
        target = project.paths.data / "live" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data + b"\x07torn")
    run_project(project)
    reader = Reader(project.paths.database, project.name)
    shown = tables_of(machine, project, tmp_path / "live")
    made = {name for name, rows in reader.tables().items() if rows} - {"instruments", "qf_runs"}
    assert len(made) > 5
    assert {name: shown.hash(name) for name in shown.tables()} == {
        name: reader.hash(name) for name in made
    }
