"""Serve a venue until somebody stops it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

from qf.cli._terminal import note, say, say_json

if TYPE_CHECKING:
    from qf.exchange.server import ExchangeServer


def serve_until_stopped(server: ExchangeServer, minutes: float | None, as_json: bool) -> None:
    """Open the port, say where, and serve until Ctrl-C, SIGTERM or so many minutes."""
    asyncio.run(_serve(server, minutes, as_json))


async def _serve(server: ExchangeServer, minutes: float | None, as_json: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await server.start()
    if as_json:
        say_json({"ws_url": server.ws_url, "rest_url": server.url})
    else:
        say(f"ws_url: {server.ws_url}")
        say(f"rest_url: {server.url}")
        note("Ctrl-C stops it")
    # Whoever waits for the address in a pipe has to see it now.
    import sys

    sys.stdout.flush()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopped.wait(), None if minutes is None else 60.0 * minutes)
    await server.stop()
    note("stopped")
