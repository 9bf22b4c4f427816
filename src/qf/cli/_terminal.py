"""What all commands print with: progress on a terminal, plain lines in a pipe, tables, JSON."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click


def say(text: str = "") -> None:
    """Print one line of the result."""
    click.echo(text)


def note(text: str) -> None:
    """Print one line about the work, beside the result."""
    click.echo(text, err=True)


def warn(text: str) -> None:
    """Print one warning."""
    click.echo(click.style("warning", fg="yellow") + f": {text}", err=True)


def say_json(value: Any) -> None:
    """Print a value for a script: sorted keys, one document."""
    click.echo(json.dumps(value, indent=2, sort_keys=True, default=str))


def table(rows: Iterable[Sequence[object]], head: Sequence[str] = ()) -> str:
    """Return rows as aligned columns."""
    shown = [[str(cell) for cell in row] for row in ([head] if head else [])]
    shown += [[str(cell) for cell in row] for row in rows]
    if not shown:
        return ""
    widths = [max(len(row[n]) for row in shown) for n in range(len(shown[0]))]
    lines = ("  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in shown)
    return "\n".join(lines)


def fitted(line: str) -> str:
    """Return a line cut to the terminal's width; in a pipe the whole of it."""
    if not sys.stdout.isatty():
        return line
    width = shutil.get_terminal_size().columns
    return line if len(line) <= width else f"{line[: width - 1]}…"


class Progress:
    """Show the stages of a run: called with (stage, done, total, note)."""

    def __init__(self) -> None:
        self.stage, self.said = "", -1

    def __call__(self, stage: str, done: int, total: int, note_: str = "") -> None:
        """Say that `done` of `total` steps of a stage are over (total 0: unknown)."""
        over = total > 0 and done >= total
        if stage != self.stage:
            self.stage, self.said = stage, -1
        if self.said >= 0 and not over:
            return  # in a pipe a stage is two lines: it began, it ended
        if over and self.said == done:
            return
        self.said = done if over else 0
        note(f"{stage}: {'done' if over else 'started'}{f' - {note_}' if note_ else ''}")

    def close(self) -> None:
        """Leave the terminal as it was."""


class Bars(Progress):
    """The same on a terminal: one bar per stage."""

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        self.bars = RichProgress(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
        )
        self.tasks: dict[str, Any] = {}
        self.bars.start()

    def __call__(self, stage: str, done: int, total: int, note_: str = "") -> None:
        """Move the stage's bar."""
        if stage not in self.tasks:
            self.tasks[stage] = self.bars.add_task(stage, total=total or None, note="")
        self.bars.update(self.tasks[stage], completed=done, total=total or None, note=note_)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self.bars.stop()


@contextmanager
def progress() -> Iterator[Progress]:
    """Yield what a run reports its progress to."""
    shown = Bars() if sys.stderr.isatty() else Progress()
    try:
        yield shown
    finally:
        shown.close()
