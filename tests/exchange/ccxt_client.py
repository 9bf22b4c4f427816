"""Run by the interpreter of .peers/ccxt: watch order books on an exchange given by its address.

Every update that the client applies becomes a line: symbol, nonce, hash of the whole book in ticks
and lots. It ends after so many updates of every symbol, or so many seconds.
"""

import asyncio
import hashlib
import json
import sys

import aiohttp
import ccxt.pro


class Watcher(ccxt.pro.binance):
    """The client as it is, but for saying what its book is after each message."""

    seen = None

    def handle_order_book_message(self, client, message, orderbook):
        result = super().handle_order_book_message(client, message, orderbook)
        self.seen.append((message["s"], orderbook["nonce"], digest(orderbook, self.steps)))
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
    client.seen, client.steps = [], settings["steps"]
    return client


async def watch(client, symbol, broken):
    while True:
        try:
            await client.watch_order_book(symbol)
        except (ccxt.NetworkError, aiohttp.ClientError) as error:  # it lets its library's through
            broken.append(type(error).__name__)


async def main(settings):
    client, broken = make(settings), []
    await client.load_markets()
    tasks = [asyncio.ensure_future(watch(client, symbol, broken)) for symbol in client.symbols]
    for _ in range(int(settings["seconds"] * 20)):
        await asyncio.sleep(0.05)
        counts = [
            sum(row[0] == client.market(s)["id"] for row in client.seen) for s in client.symbols
        ]
        if min(counts) >= settings["updates"] or any(task.done() for task in tasks):
            break
    for task in tasks:
        task.cancel()
    failed = await asyncio.gather(*tasks, return_exceptions=True)
    await client.close()
    errors = [repr(e) for e in failed if not isinstance(e, asyncio.CancelledError)]
    json.dump({"seen": client.seen, "broken": broken, "errors": errors}, sys.stdout)


asyncio.run(main(json.loads(sys.argv[1])))
