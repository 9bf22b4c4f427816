"""qf init: make a new project folder."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Make a new project folder.")
@click.argument("name")
@click.option(
    "--template",
    default="crypto",
    show_default=True,
    help="What to start from: crypto, equity or blank.",
)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="A folder with .definitions, project_sections.yml or local_config.yml to take over.",
)
@click.option("--capture", "pattern", help="Raw captures to use: a file or a quoted glob.")
@click.option("--venue", help="The venue of the capture, for example binance_spot.")
@click.option("--symbol", help="The symbol of the capture, for example BTCUSDT.")
def command(
    *,
    name: str,
    template: str,
    source: Path | None,
    pattern: str | None,
    venue: str | None,
    symbol: str | None,
) -> None:
    """Make the folder NAME: project file, local configuration, definitions.

    With --capture the receive time's unit and the instrument's steps are read from the first
    frames and written down; from then on they are configuration. Nothing is ever overwritten.
    """
    from qf.cli._capture import choose_capture
    from qf.cli._terminal import note, say
    from qf.project.scaffold import draft_project, write_project

    folder = Path(name)
    capture = None
    if pattern or venue or symbol:
        missing = [
            option
            for option, value in (("--capture", pattern), ("--venue", venue), ("--symbol", symbol))
            if not value
        ]
        if missing:
            raise click.UsageError(f"--capture, --venue and --symbol go together: {missing[0]}?")
        assert pattern and venue and symbol
        capture = choose_capture(pattern, venue, symbol)
    draft = draft_project(folder.name, template, source, capture)
    if source is not None or capture is not None:
        diff = draft.diff()
        if diff:
            note(f"what differs from the {template} template:")
            note(diff.rstrip("\n"))
    write_project(folder, draft)
    say(f"{folder} made from the {template} template, {len(draft.files)} files")
    say(f"next: cd {folder} && qf check && qf run")
