"""qf sim: fault campaigns on the shipped session."""

from __future__ import annotations

from pathlib import Path

import click

from qf.cli._options import json_option, seed_option


@click.group(short_help="Run fault campaigns on the live session.")
def command() -> None:
    """Run the live session in a simulator: virtual time, a lying network, a disk that tears."""


@command.command(short_help="Run seeds under faults and hold them to the oracles.")
@seed_option("market, faults and crashes")
@click.option(
    "--seeds",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="How many from there on.",
)
@click.option(
    "--hours",
    type=click.FloatRange(0.05, 1_000.0),
    default=0.5,
    show_default=True,
    help="Virtual hours per seed.",
)
@click.option(
    "--profile",
    default="all",
    show_default=True,
    help="What goes wrong: all, venue, machine, busy, storm, calm, lively, book.",
)
@click.option(
    "--processes", type=click.IntRange(1, 256), default=1, show_default=True, help="Run at once."
)
@click.option(
    "--regressions",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("regressions"),
    show_default=True,
    help="Where a failing seed's smallest course is written.",
)
@json_option
def run(
    *,
    seed: int,
    seeds: int,
    hours: float,
    profile: str,
    processes: int,
    regressions: Path,
    as_json: bool,
) -> None:
    """Run campaigns and print what was looked at.

    Each seed decides a market, faults of the venue, kills, power losses and faults of the disk. The
    book is compared with the exchange's at every update, and all that was handed out with the batch
    run over the journal. A failing seed is made as small as it goes and written to a file; the exit
    code is then 1.
    """
    from qf.cli._terminal import progress, say, say_json
    from qf.simulator.report import Totals, failing
    from qf.simulator.schedule import draw_course
    from qf.simulator.seeds import keep, run_seeds, shrink

    totals, minutes = Totals(), 60 * hours
    asks = [(each, minutes, profile) for each in range(seed, seed + seeds)]
    draw_course(*asks[0])  # refuses an unknown profile before any work
    with progress() as shown:
        for done, report in enumerate(run_seeds(asks, processes), 1):
            totals.add(report)
            shown("simulate", done, seeds, f"seed {report.seed}")
    if as_json:
        say_json(totals.json())
    else:
        for line in totals.lines():
            say(line)
    if totals.failing:
        course, problem = shrink(draw_course(totals.failing[0], minutes, profile))
        raise failing(totals, problem, keep(course, problem, regressions))
