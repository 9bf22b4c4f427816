"""qf run: from the tape to the tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qf.cli._options import (
    FEATURE_ENGINES,
    StageChoice,
    is_project,
    json_option,
    project_option,
)
from qf.cli._range import range_options, read_range
from qf.errors import diagnostic

if TYPE_CHECKING:
    from qf.engines.run_result import RunResult
    from qf.project.model import Project

NO_SYMBOL = diagnostic("QF711", "the project has no symbol {symbol!r}", hint="it has: {known}")
STAGES = ("ingest", "state", "label", "feature")


@click.command(short_help="Compute the project's tables.")
@project_option
@range_options
@click.option(
    "--engine",
    "stages",
    multiple=True,
    type=StageChoice(STAGES),
    help="Only this engine's tables.",
)
@click.option(
    "--feature-engine",
    type=click.Choice(FEATURE_ENGINES),
    help="What computes the features, instead of the project's choice.",
)
@click.option("--symbols", help="Only these symbols, separated by commas.")
@click.option(
    "--mode",
    type=click.Choice(["batch", "streaming"]),
    default="batch",
    show_default=True,
    help="Compute once, or deploy a session that goes on.",
)
@click.option(
    "--force-refresh", is_flag=True, help="Read and compute everything again, whatever is there."
)
@json_option
def command(
    *,
    folder: Path,
    start_date: str | None,
    end_date: str | None,
    stages: tuple[str, ...],
    feature_engine: str | None,
    symbols: str | None,
    mode: str,
    force_refresh: bool,
    as_json: bool,
) -> None:
    """Bring the project's tables up to date.

    What is there, of the same definitions, code and input, is kept; a day that was added goes on
    from the state saved at the end of the day before, and an edited feature is computed alone. The
    run says what it kept and why. Everything is written in one transaction: Ctrl-C or a crash
    leaves the tables as they were, and the same command goes on.

    With --mode streaming the project's websocket providers are followed by a process in the
    background, and the command returns; see qf pipeline. --force-refresh then computes the state
    again from the session's journal.
    """
    from qf.cli._terminal import say, say_json, warn

    chosen = tuple(part.strip() for part in symbols.split(",")) if symbols else None
    if mode == "streaming":
        from qf.cli._streaming import deploy_project

        if start_date or end_date or stages or feature_engine:
            raise click.UsageError("a session takes no dates and computes every stage")
        deploy_project(folder, chosen, force_refresh, as_json)
        return
    # Whoever meets an owner is told at once: before anything large is imported.
    with _owned(folder.expanduser().resolve()):
        project, result = _run(
            folder,
            (start_date, end_date),
            {
                "engine": feature_engine,
                "stages": stages or None,
                "symbols": chosen,
                "force": force_refresh,
            },
        )
    for line in dict.fromkeys((*project.notes, *result.warnings)):
        warn(line)
    if as_json:
        say_json(result.json())
        return
    for line in result.lines():
        say(line)


@contextmanager
def _owned(folder: Path) -> Iterator[None]:
    """Own the project, if the folder holds one. Errors: QF610."""
    if not is_project(folder):
        yield  # opening it will say what is wrong
        return
    from qf.clock import wall_ns
    from qf.store.lock import project_lock

    with project_lock(folder, wall_ns()):
        yield


def _run(
    folder: Path, dates: tuple[str | None, str | None], asked: dict[str, Any]
) -> tuple[Project, RunResult]:
    """Run the project that this process owns."""
    from qf.cli._terminal import progress
    from qf.engines.run import RunOptions, run_owned
    from qf.project import open_project

    start, end = read_range(*dates)
    project = open_project(folder)
    for symbol in asked["symbols"] or ():
        if symbol not in project.symbols:
            raise NO_SYMBOL(symbol=symbol, known=", ".join(project.symbols) or "none")
    with progress() as shown:
        return project, run_owned(project, RunOptions(**asked, start=start, end=end), shown)
