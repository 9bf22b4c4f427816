"""qf run: from the tape to the tables."""

from __future__ import annotations

from pathlib import Path

import click

from qf.cli._options import FEATURE_ENGINES, StageChoice, json_option, project_option
from qf.cli._range import range_options, read_range
from qf.errors import diagnostic

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
    force_refresh: bool,
    as_json: bool,
) -> None:
    """Bring the project's tables up to date.

    What is there, of the same definitions, code and input, is kept; a day that was added goes on
    from the state saved at the end of the day before, and an edited feature is computed alone. The
    run says what it kept and why. Everything is written in one transaction: Ctrl-C or a crash
    leaves the tables as they were, and the same command goes on.
    """
    from qf.cli._terminal import progress, say, say_json, warn
    from qf.engines.run import run_project
    from qf.project import open_project

    start, end = read_range(start_date, end_date)
    project = open_project(folder)
    chosen = tuple(part.strip() for part in symbols.split(",")) if symbols else None
    for symbol in chosen or ():
        if symbol not in project.symbols:
            raise NO_SYMBOL(symbol=symbol, known=", ".join(project.symbols) or "none")
    with progress() as shown:
        result = run_project(
            project,
            engine=feature_engine,
            stages=stages or None,
            start=start,
            end=end,
            symbols=chosen,
            force=force_refresh,
            progress=shown,
        )
    for line in dict.fromkeys((*project.notes, *result.warnings)):
        warn(line)
    if as_json:
        say_json(result.json())
        return
    for line in result.lines():
        say(line)
