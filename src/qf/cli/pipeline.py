"""qf pipeline: how the deployed session is, its log, and its end."""

from __future__ import annotations

import time
from pathlib import Path

import click

from qf.cli._options import json_option, project_option


@click.group(short_help="Look at the deployed session, or stop it.")
def command() -> None:
    """Look at the session that `qf run --mode streaming` deployed, read its log, stop it."""


@command.command(short_help="Show health, queue, throughput, latency, gaps, accounts.")
@project_option
@click.option("--watch", is_flag=True, help="Show it again each second, until Ctrl-C.")
@json_option
@click.pass_context
def status(context: click.Context, folder: Path, watch: bool, as_json: bool) -> None:
    """Show what the session says of itself: each stage's health, queue depth, throughput and
    latency, each symbol's book, gaps and accounts, each venue's connections and requests.

    Exit code 1 where the session does not run or a stage has failed.
    """
    from qf.cli._pipeline_view import view
    from qf.cli._terminal import say, say_json
    from qf.live.deployed import told_status

    folder = folder.expanduser().resolve()
    while True:
        told = told_status(folder)
        if as_json:
            say_json(told)
        else:
            if watch:
                click.clear()
            for line in view(told):
                say(line)
        if not watch:
            break
        time.sleep(1.0)
    stages = (told["status"] or {}).get("stages", {})
    if not told["running"] or any(row["health"] == "failed" for row in stages.values()):
        context.exit(1)


@command.command(short_help="Stop the session in order.")
@project_option
@click.option(
    "--timeout",
    "seconds",
    type=click.FloatRange(0),
    default=60.0,
    show_default=True,
    help="Seconds to wait for its end.",
)
def stop(folder: Path, seconds: float) -> None:
    """Ask the session to end and wait: what has come is computed and written, nothing is lost."""
    from qf.cli._terminal import say
    from qf.live.deployed import stop as stop_session

    stop_session(folder.expanduser().resolve(), seconds)
    say("stopped")


@command.command(short_help="Print what the session wrote down.")
@project_option
@click.option(
    "--lines",
    "count",
    type=click.IntRange(1, 100_000),
    default=50,
    show_default=True,
    help="How many lines, from the end.",
)
@click.option("--watch", is_flag=True, help="Print new lines as they come, until Ctrl-C.")
@json_option
def logs(folder: Path, count: int, watch: bool, as_json: bool) -> None:
    """Print the last lines of supervisor and worker, in order. Secrets stand there as ***."""
    from qf.cli._terminal import say, say_json
    from qf.live.deployed import log_lines

    folder = folder.expanduser().resolve()
    lines = log_lines(folder, count)
    if as_json:
        say_json(lines)
        return
    for line in lines:
        say(line)
    while watch:
        time.sleep(0.5)
        now = log_lines(folder, 1_000)
        new = now[now.index(lines[-1]) + 1 :] if lines and lines[-1] in now else now
        for line in new:
            say(line)
        lines = now or lines
