"""qf poison: nothing in the tables looks ahead."""

from __future__ import annotations

from pathlib import Path

import click

from qf.cli._options import json_option, project_option, seed_option
from qf.cli._range import range_options, read_range


@click.command(short_help="Prove that no column knows what comes after it.")
@project_option
@range_options
@click.option(
    "--instants",
    type=click.IntRange(1, 100_000),
    default=16,
    show_default=True,
    help="After how many instants, per symbol, the future is replaced.",
)
@seed_option("instants and garbage")
@json_option
def command(
    *,
    folder: Path,
    start_date: str | None,
    end_date: str | None,
    instants: int,
    seed: int,
    as_json: bool,
) -> None:
    """Replace what follows random instants by garbage; the past must keep every bit.

    The garbage is nulls, extremes, reversed order, other ids, late corrections and more. Every row
    of every table that says it was known by then (feature_time, label_end, processed_time) must be
    as it is without garbage, in the machine and in Polars. A column that is not is named with its
    first such row and the op or formula it comes from, and the exit code is 1. Nothing is stored.
    """
    from qf.cli._terminal import note, progress, say, say_json
    from qf.project import open_project
    from qf.proof.poison import poison

    span = read_range(start_date, end_date)
    project = open_project(folder)
    with progress() as shown:
        report = poison(project, instants, seed, span=span, progress=shown)
    if as_json:
        say_json(report.json())
    else:
        for line in report.notes:
            note(line)
        for line in report.lines():
            say(line)
    report.refuse()
