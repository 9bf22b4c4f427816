"""What `qf run --mode streaming` does: check the project, deploy its session, say so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qf.cli._terminal import say, say_json, warn
from qf.cli.run import NO_SYMBOL
from qf.clock import wall_ns
from qf.live.deployed import deploy
from qf.project.model import Project
from qf.store.lock import project_lock

STAGES = ("ingest", "state", "feature")


def deploy_project(
    folder: Path, symbols: Sequence[str] | None, rewarm: bool, as_json: bool
) -> None:
    """Deploy and print. Errors: QF610, QF58x, those of the project."""
    folder = folder.expanduser().resolve()
    if (folder / "quantflow_project.yml").exists():
        with project_lock(folder, wall_ns()):
            pass  # whoever meets an owner is told at once, before anything large is imported
    project = _checked(folder, symbols)
    told = deploy(folder, tuple(symbols or ()), rewarm)
    for note in project.notes:
        warn(note)
    if as_json:
        say_json({"project": project.name, "mode": "streaming", "stages": STAGES, **told})
        return
    say(f"project {project.name}")
    say("mode    streaming")
    say(f"stages  {', '.join(STAGES)}")
    say("Pipeline deployed — 1 job(s)")
    say("next: qf pipeline status --watch")


def _checked(folder: Path, symbols: Sequence[str] | None) -> Project:
    """Return the project if a session can run it: every error has its place, here and now."""
    from qf.live.line import live_instrument, live_provider
    from qf.live.real import need_network
    from qf.live.venue_plan import venue_plans
    from qf.project import open_project

    project = open_project(folder)
    for symbol in symbols or ():
        if symbol not in project.symbols:
            raise NO_SYMBOL(symbol=symbol, known=", ".join(project.symbols) or "none")
    for plan in venue_plans(project, symbols):
        for symbol in plan.symbols:
            live_instrument(project, live_provider(project, symbol), symbol)
    need_network()
    return project
