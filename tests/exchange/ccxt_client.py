"""Run by the interpreter of .peers/ccxt: watch order books on an exchange given by its address.

Every update that the client applies becomes a line: symbol, nonce, hash of the whole book in ticks
and lots. It ends after so many updates of every symbol, or so many seconds.
"""

import asyncio
import collections
import hashlib
import importlib
import importlib.util
import json
import sys
import types

import aiohttp


def load_one():
    """Return the client's class for this venue, as it is.

    The library's own packages import all its hundred venues, which takes longer than the test.
    """
    folder = importlib.util.find_spec("ccxt").submodule_search_locations[0]
    for name in ("ccxt", "ccxt.pro", "ccxt.async_support"):
        package = types.ModuleType(name)
        package.__path__ = ["/".join([folder, *name.split(".")[1:]])]
        sys.modules[name] = package
    root = sys.modules["ccxt"]
    root.async_support, root.pro = sys.modules["ccxt.async_support"], sys.modules["ccxt.pro"]
    vars(root).update(vars(importlib.import_module("ccxt.base.errors")))
    root.Exchange = importlib.import_module("ccxt.base.exchange").Exchange
    root.async_support.binance = importlib.import_module("ccxt.async_support.binance").binance
    return importlib.import_module("ccxt.pro.binance").binance, root.NetworkError


binance, NetworkError = load_one()


class Watcher(binance):
    """The client, but for saying what its book is after each message."""

    seen = None
    counts = None

    def handle_order_book_message(self, client, message, orderbook):
        result = super().handle_order_book_message(client, message, orderbook)
        self.seen.append((message["s"], orderbook["nonce"], digest(orderbook, self.steps)))
        self.counts[message["s"]] += 1
        return result


def digest(book, steps):
    sides = []
    for side in ("bids", "asks"):
        levels = [(round(row[0] * steps[0]), round(row[1] * steps[1])) for row in book[side]]
        sides.append(sorted(level for level in levels if level[1]))
    return hashlib.sha256(json.dumps(sides).encode()).hexdigest()[:16]


def make(settings):
    linear = settings["venue"] == "binance_usdm"
    kind = "linear" if linear else "spot"
    client = Watcher({"options": {"defaultType": "swap" if linear else "spot"}})
    client.options["fetchMarkets"] = {"types": [kind]}
    client.urls["api"]["public"] = settings["url"] + "/api/v3"
    client.urls["api"]["fapiPublic"] = settings["url"] + "/fapi/v1"
    # the client tells spot from futures by "/stream" in the address
    client.urls["api"]["ws"]["spot"] = settings["ws_url"] + "/stream/ws"
    client.urls["api"]["ws"]["linear"] = settings["ws_url"] + "/ws"
    client.seen, client.counts, client.steps = [], collections.Counter(), settings["steps"]
    return client


async def watch(client, symbol, broken):
    while True:
        try:
            await client.watch_order_book(symbol)
        except (NetworkError, aiohttp.ClientError) as error:  # it lets its library's through
            broken.append(type(error).__name__)


async def main(settings):
    client, broken = make(settings), []
    await client.load_markets()
    tasks = [asyncio.ensure_future(watch(client, symbol, broken)) for symbol in client.symbols]
    for _ in range(int(settings["seconds"] * 20)):
        await asyncio.sleep(0.05)
        least = min(client.counts[client.market(symbol)["id"]] for symbol in client.symbols)
        if least >= settings["updates"] or any(task.done() for task in tasks):
            break
    for task in tasks:
        task.cancel()
    failed = await asyncio.gather(*tasks, return_exceptions=True)
    await client.close()
    errors = [repr(e) for e in failed if not isinstance(e, asyncio.CancelledError)]
    json.dump({"seen": client.seen, "broken": broken, "errors": errors}, sys.stdout)


asyncio.run(main(json.loads(sys.argv[1])))
