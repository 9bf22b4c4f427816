"""qf prove: the tables do not depend on how they are computed."""

from __future__ import annotations

from pathlib import Path

import click

from qf.cli._options import json_option, project_option, seed_option
from qf.cli._range import range_options, read_range


@click.command(short_help="Prove that the tables do not depend on how they are computed.")
@project_option
@range_options
@click.option(
    "--cuts",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="How many random cuts, and how many kills.",
)
@seed_option("cuts, kills and block sizes")
@json_option
def command(
    *,
    folder: Path,
    start_date: str | None,
    end_date: str | None,
    cuts: int,
    seed: int,
    as_json: bool,
) -> None:
    """Compute the tables again and again from the tape, each time in another way.

    Blocks from 1 to 65,536 rows, random cuts, kills and restores at random rows, a new process, one
    row at a time, several threads: every table must have one hash, and what is stored must have it
    too. Where a way differs, the first op, column and row that differ are named, and the exit code
    is 1. Nothing is stored.
    """
    from qf.cli._terminal import progress, say, say_json
    from qf.project import open_project
    from qf.proof.prove import prove
    from qf.proof.prove_schedule import Effort

    start, end = read_range(start_date, end_date)
    project = open_project(folder)
    with progress() as shown:
        proof = prove(project, start, end, Effort(cuts=cuts, seed=seed), shown)
    if as_json:
        say_json(proof.json())
    else:
        for line in proof.lines():
            say(line)
    proof.refuse()
