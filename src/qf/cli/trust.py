"""qf trust: let a project's own code run."""

from __future__ import annotations

import os
from pathlib import Path

import click

from qf.errors import diagnostic

NO_CODE = diagnostic("QF720", "{folder} has no ops that are code", hint="nothing needs trust")


@click.command(short_help="Let a project's own ops (code) run.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--forget", is_flag=True, help="Take the trust back.")
@click.option("--list", "listing", is_flag=True, help="Show every trusted folder.")
def command(folder: Path, forget: bool, listing: bool) -> None:
    """Record that the files of FOLDER/.definitions/ops, as they are now, may run.

    The record holds the hash of their content, in your own configuration; after any change the
    commands refuse again until you have trusted what is there then.
    """
    from qf.cli._terminal import say
    from qf.project import trust
    from qf.project.opening import NOT_A_PROJECT

    folder = folder.expanduser().resolve()
    if listing:
        for path, digest in sorted(trust.read_trust(os.environ).items()):
            say(f"{digest[:16]}  {path}")
        return
    if forget:
        was = trust.forget_trust(folder, os.environ)
        say(f"{folder.name}: {'trust taken back' if was else 'was not trusted'}")
        return
    if not (folder / "quantflow_project.yml").exists():
        raise NOT_A_PROJECT(folder=folder)
    files = trust.code_files(folder)
    if not files:
        raise NO_CODE(folder=folder.name)
    digest = trust.record_trust(folder, os.environ)
    say(f"trusted in {folder.name}, content {digest[:16]}:")
    for path in files:
        say(f"  {path.relative_to(folder).as_posix()}")
