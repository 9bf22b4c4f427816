"""qf replay: a recorded capture, served as the venue would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from qf.cli._options import json_option, port_option

AS_FAST_AS_READ = 1e6


@click.command(short_help="Serve a recorded capture as the venue would.")
@click.argument("capture")
@click.option("--venue", default="binance_spot", show_default=True, help="Whose frames they are.")
@port_option
@click.option(
    "--speed",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    help="How many recorded seconds pass in one; 0: as fast as they are read.",
)
@click.option(
    "--after",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Pass over so many frames.",
)
@click.option("--minutes", type=click.FloatRange(0), help="How long (default: until Ctrl-C).")
@json_option
def command(capture: str, **given: Any) -> None:
    """Serve the frames of CAPTURE (a file, or a pattern such as "data/btcusdt_*.gz") over
    websockets, in their order and at the distances at which they were received. Time begins with
    the first client; recorded snapshots answer its requests for one.
    """
    from qf.cli._capture import time_unit
    from qf.cli._serving import serve_until_stopped
    from qf.exchange.recording import Recording
    from qf.exchange.server import ExchangeServer
    from qf.feeds.venue import find_venue
    from qf.tape.capture import CaptureSource
    from qf.tape.source import find_files

    venue, speed = given["venue"], given["speed"] or AS_FAST_AS_READ
    find_venue(venue)
    paths = find_files(capture, Path())
    source = CaptureSource("replay", venue, paths, time_unit(paths, venue), truncated="accept")
    recording = Recording(source.arrivals(), venue, given["after"])
    server = ExchangeServer(recording, port=given["port"], speed=speed, hold=True)
    serve_until_stopped(server, given["minutes"], given["as_json"])
