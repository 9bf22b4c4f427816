"""qf check: everything that is wrong with a project, and what will come of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from qf.cli._options import json_option, project_option


@click.command(short_help="Check every definition, and the project's own ops.")
@project_option
@click.option("--no-ops", is_flag=True, help="Skip the contract suite of the project's own ops.")
@json_option
@click.pass_context
def command(context: click.Context, folder: Path, no_ops: bool, as_json: bool) -> None:
    """Validate all files, compile all formulas, hold the project's own ops to the contract.

    Every problem is printed with its place; warnings tell what will work and disappoint: a
    barrier below the cost, a clip that cannot bind, a missing input, a clock with fewer bars than
    its warm-up, a dead or crushed feature of the last run. After a run it also measures, on its
    tape, how many known trade sides the quotes recover, paired by venue time and paired by
    arrival, and says of which clocks bars share a feature_time. Exit code 2 where there is a
    problem.
    """
    from qf.cli import _findings, _sides
    from qf.cli._terminal import note, say, say_json, warn
    from qf.engines.shared_times import shared_times
    from qf.project.opening import read_project

    project, problems = read_project(folder)
    warnings: list[str] = []
    sides: list[dict[str, Any]] = []
    notes: list[str] = []
    if project is not None and not problems:
        graphs = _findings.compile_all(project, problems)
        problems += _findings.ops_problems(quiet=no_ops, tell=note)
        problems += _findings.venue_problems(project)
        warnings += [*project.notes, *_findings.static(project, graphs)]
        warnings += _findings.stored(project, graphs)
        if not problems:
            sides, notes = _sides.measure(project), shared_times(project)
    if as_json:
        found = [_row(error) for error in problems]
        say_json({"problems": found, "warnings": warnings, "sides": sides, "notes": notes})
    else:
        for error in problems:
            note(str(error))
        for line in warnings:
            warn(line)
        if project is not None and not problems:
            lines = [*map(_sides.line, sides), *notes, _summary(project, len(warnings))]
            say("\n".join(lines))
    if problems:
        if not as_json:
            note(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}")
        context.exit(max(error.exit_code for error in problems))


def _row(error: Any) -> dict[str, Any]:
    place = error.place
    return {
        "code": error.code,
        "sentence": error.sentence,
        "file": place.source if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "near": list(error.near),
        "next": error.hint,
    }


def _summary(project: Any, warnings: int) -> str:
    features = sum(len(found.features) for found in project.feature_sets)
    parts = [
        f"{len(project.symbols)} symbol(s)",
        f"{len(project.providers)} feed(s)",
        f"{len(project.bars)} bar clock(s)",
        f"{features} feature(s)",
        f"{len(project.labels)} label(s)",
        f"{warnings} warning(s)",
    ]
    return f"{project.name}: {', '.join(parts)}, no problem"
