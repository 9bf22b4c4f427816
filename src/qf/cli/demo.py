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
@click.option(
    "--live/--no-live",
    default=True,
    show_default=True,
    help="Then run it live on a simulated exchange, kill it, and compare with batch.",
)
@click.option("--open/--no-open", "open_page", default=None, help="Open the page in a browser.")
def command(folder: Path, live: bool, open_page: bool | None) -> None:
    """Run a project on a seeded market and draw a page; then run the same definitions live.

    The live session follows a simulated exchange; its worker is killed with SIGKILL on the way,
    goes on, and every table it made must equal, bit for bit, that of a batch run over its journal.
    """
    import sys

    from qf.cli._terminal import note, progress, say, warn
    from qf.demo.batch import OWN_FILES, run_demo, show_page, write_anew
    from qf.demo.live import refuse_difference, run_live

    with progress() as shown:
        result = run_demo(folder, progress=shown)
    for line in result.warnings:
        warn(line)
    for line in result.run.lines():
        say(line)
    say()
    if live:
        note("the same definitions, live: a session on a simulated exchange, killed on the way")
        with progress() as shown:
            lived = run_live(result.page.parent / "live", OWN_FILES, shown)
        write_anew(result, lived.facts)
        for line in lived.lines():
            say(line)
        refuse_difference(lived)
    if sys.stdout.isatty() if open_page is None else open_page:
        show_page(result)
    for line in result.lines():
        say(line)
