"""qf exchange: the simulated exchange."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qf.cli._options import json_option, port_option, seed_option

if TYPE_CHECKING:
    from qf.exchange.plan import FaultPlan

HARM_AFTER_S = 5.0


@click.group(short_help="Serve a simulated exchange.")
def command() -> None:
    """Serve a simulated exchange: a seeded market behind the interface of a real venue."""


@command.command(short_help="Serve websockets and REST on the loopback.")
@click.option("--venue", default="binance_spot", show_default=True, help="Whose interface.")
@click.option(
    "--symbols", default="BTCUSDT", show_default=True, help="What trades, separated by commas."
)
@seed_option("market and faults")
@port_option
@click.option(
    "--speed",
    type=click.FloatRange(0.01, 10_000.0),
    default=1.0,
    show_default=True,
    help="How many seconds of the market pass in one.",
)
@click.option(
    "--intensity",
    type=click.FloatRange(0.01, 200.0),
    default=30.0,
    show_default=True,
    help="Activity: 1 is about two messages a second and symbol, 30 a busy exchange.",
)
@click.option(
    "--flash-crash",
    "crash_s",
    type=click.FloatRange(0),
    help="A flash crash after so many seconds.",
)
@click.option(
    "--faults",
    "per_hour",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Faults per hour of the market, of kinds drawn from the seed.",
)
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The faults of a JSON file instead.",
)
@click.option(
    "--hostile",
    metavar="HARM",
    help="Hurt every client five seconds after it came: huge_frame, endless_fragments, …",
)
@click.option("--minutes", type=click.FloatRange(0), help="How long (default: until Ctrl-C).")
@json_option
def serve(**given: Any) -> None:
    """Serve a seeded market behind the interface of Binance spot, USD-M or COIN-M futures, with its
    limits, its faults where asked, and prices that nobody ever traded at.

    Give a project's websocket provider the two addresses it prints as `ws_url` and `rest_url`. The
    same seed gives the same market.
    """
    import time

    from qf.cli._serving import serve_until_stopped
    from qf.exchange.exchange import Exchange
    from qf.exchange.server import ExchangeServer
    from qf.exchange.settings import ExchangeSettings

    symbols = tuple(part.strip() for part in given["symbols"].split(",") if part.strip())
    settings = ExchangeSettings(
        venue=given["venue"],
        symbols=symbols,
        intensity=given["intensity"],
        start_ns=time.time_ns(),
        flash_crash_s=given["crash_s"],
        latency_ms=0.0,
        jitter_ms=0.0,
        keep_truth=False,
    )
    exchange = Exchange(settings, given["seed"], _plan(given, symbols))
    server = ExchangeServer(exchange, port=given["port"], speed=given["speed"])
    if given["hostile"] is not None:
        server.hurt_everybody(given["hostile"], HARM_AFTER_S)
    serve_until_stopped(server, given["minutes"], given["as_json"])


def _plan(given: dict[str, Any], symbols: tuple[str, ...]) -> FaultPlan:
    from qf.exchange.plan import FaultPlan

    if given["plan_file"] is not None:
        return FaultPlan.from_json(given["plan_file"].read_bytes())
    hours = 24.0 if given["minutes"] is None else given["minutes"] * given["speed"] / 60.0
    return FaultPlan.draw(given["seed"], hours, symbols, given["per_hour"])
