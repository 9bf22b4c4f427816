"""qf doctor: is this machine, and this project, in order?"""

from __future__ import annotations

from pathlib import Path

import click

from qf.cli._options import is_project, json_option, project_option


@click.command(short_help="Check the machine, the caches, permissions and secrets.")
@project_option
@json_option
@click.pass_context
def command(context: click.Context, folder: Path, as_json: bool) -> None:
    """Report on environment, versions, kernel cache, disk, clock; in a project also its lock,
    its permissions, its trust and whether a secret lies in git. Exit code 1 where something fails.
    """
    from qf.cli import _examine
    from qf.cli._terminal import say, say_json, table

    found = _examine.machine()
    if is_project(folder):
        found += _examine.project(folder.expanduser().resolve())
    if as_json:
        say_json([row._asdict() for row in found])
    else:
        say(table([(row.state, row.name, row.detail) for row in found]))
        for row in found:
            if row.state != "ok" and row.step:
                say(f"{row.name}: {row.step}")
    if any(row.state == "fail" for row in found):
        context.exit(1)
