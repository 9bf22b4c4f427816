"""The exchange is faithful: ccxt's own websocket client keeps the true book on it, over sockets.

The client runs unchanged, but for its addresses, in an environment of its own (make peers).
"""

import asyncio
import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from tests.peers import interpreter_of

from qf.exchange.connection import LOST
from qf.exchange.exchange import Exchange
from qf.exchange.server import ExchangeServer
from qf.exchange.settings import ExchangeSettings

CLIENT = Path(__file__).with_name("ccxt_client.py")
SPEED, UPDATES = 40.0, 1_000
VENUES = ("binance_spot", "binance_usdm")
SYMBOLS = ("BTCUSDT", "ETHUSDT")


@pytest.fixture(scope="session")
def peer():
    """The interpreter that has ccxt."""
    return interpreter_of("ccxt")


def digest(book):
    sides = [sorted(book.bids.items()), sorted(book.asks.items())]
    return hashlib.sha256(json.dumps(sides).encode()).hexdigest()[:16]


async def watch(python, venue, cut_after):
    """Return (what the client saw, the exchange, how many connections it made)."""
    settings = ExchangeSettings(
        venue=venue, symbols=SYMBOLS, intensity=40.0, levels=60, latency_ms=0.0, jitter_ms=0.0
    )
    exchange = Exchange(settings, seed=11)
    server = ExchangeServer(exchange, speed=SPEED, hold=True)
    await server.start()
    face = exchange.listings["BTCUSDT"].settings.face
    order = {
        "venue": venue,
        "url": server.url,
        "ws_url": server.ws_url,
        "steps": [10**face.price_decimals, 10**face.size_decimals],
        "updates": UPDATES,
        "seconds": 240,
    }
    client = await asyncio.create_subprocess_exec(
        str(python), str(CLIENT), json.dumps(order), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    ended = asyncio.ensure_future(client.communicate())
    while not ended.done() and sum(c.sent for c in exchange.connections) < cut_after:
        await asyncio.sleep(0.02)
    for connection in list(exchange.connections):
        exchange.end(connection, LOST)
    out, errors = await ended
    opened = exchange.opened
    await server.stop()
    assert client.returncode == 0, errors.decode()[-2_000:]
    return json.loads(out), exchange, opened


async def watch_both(python):
    watched = [watch(python, venue, cut_after=UPDATES) for venue in VENUES]
    return dict(zip(VENUES, await asyncio.gather(*watched), strict=True))


@pytest.fixture(scope="module")
def watched(peer):
    """Both venues at once: most of the time is the client's start."""
    return asyncio.run(watch_both(peer))


@pytest.mark.parametrize("venue", VENUES)
def test_ccxt_keeps_the_true_book_at_every_update_also_across_a_lost_connection(watched, venue):
    found, exchange, opened = watched[venue]
    assert found["errors"] == [] and opened > len(SYMBOLS) and found["broken"]
    compared = dict.fromkeys(SYMBOLS, 0)
    for symbol, nonce, book in sorted(map(tuple, found["seen"])):
        assert digest(exchange.true_book(symbol, nonce)) == book, (symbol, nonce)
        compared[symbol] += 1
    assert min(compared.values()) >= UPDATES
