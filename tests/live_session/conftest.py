"""A simulated exchange on the loopback, and a project that follows it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from qf.project.scaffold import draft_project, write_project

INSTRUMENTS = {
    "binance_usdm": """instruments:
  - { venue: binance_usdm, symbol: BTCUSDT, base: BTC, quote: USDT, asset_type: linear,
      tick_size: "0.1", lot_size: "0.001" }
""",
    "binance_coinm": """instruments:
  - { venue: binance_coinm, symbol: BTCUSD_PERP, base: BTC, quote: USD, asset_type: inverse,
      tick_size: "0.1", lot_size: "1", contract_size: "100" }
""",
}


@contextmanager
def served(venue, symbol):
    """Serve a simulated exchange in a process of its own; give its two lines of a provider."""
    words = ["exchange", "serve", "--port", "0", "--intensity", "40", "--seed", "7"]
    words += ["--venue", venue, "--symbols", symbol]
    command = [sys.executable, "-c", "from qf.cli.main import main; main()", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline() + process.stdout.readline()
        process.terminate()


@pytest.fixture(scope="session")
def exchange():
    """Serve spot; return its two lines of a provider."""
    with served("binance_spot", "BTCUSDT") as addresses:
        yield addresses


@pytest.fixture
def live_project(tmp_path, exchange):
    """Return the folder of a new project whose only feed is the simulated exchange."""
    return follow(tmp_path / "followed", "binance_spot", "BTCUSDT", exchange)


def follow(folder, venue, symbol, addresses):
    """Write a project whose only feed is at these addresses."""
    write_project(folder, draft_project("followed", "crypto"))
    provider = folder / f".definitions/feed_providers/{venue}_live.yml"
    named = f"name: {venue}_live\nkind: websocket\nvenue: {venue}\n"
    provider.write_text(named + addresses)
    if venue in INSTRUMENTS:
        (folder / ".definitions/instruments.yml").write_text(INSTRUMENTS[venue])
    file = folder / "quantflow_project.yml"
    text = file.read_text().replace("[simulated_market]", f"[{venue}_live]")
    file.write_text(text.replace("[BTCUSDT]", f"[{symbol}]"))
    return folder


@pytest.fixture
def qf():
    """Give a function that runs the command line in a process of its own."""

    def run(*words, cwd):
        return subprocess.run(
            [sys.executable, "-c", "from qf.cli.main import main; main()", *map(str, words)],
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "QF_TRACEBACK": ""},
        )

    return run
