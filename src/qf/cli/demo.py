"""qf demo: the whole product on a simulated market, offline."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Show the whole product on a simulated market, offline.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("qf_demo"),
    show_default=True,
    help="Where the demo project is made.",
)
@click.option("--open/--no-open", "open_page", default=None, help="Open the page in a browser.")
def command(folder: Path, open_page: bool | None) -> None:
    """Make a project, run it on a seeded market, print a summary, draw bars, features, labels."""
    import sys

    from qf.cli._terminal import progress, say, warn
    from qf.engines.demo import run_demo

    wanted = sys.stdout.isatty() if open_page is None else open_page
    with progress() as shown:
        result = run_demo(folder, wanted, shown)
    for line in result.warnings:
        warn(line)
    for line in result.lines():
        say(line)
