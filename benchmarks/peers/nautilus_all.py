"""NautilusTrader, in its own environment: L2 updates applied and read, tick and value bars.

    python nautilus_all.py DATA.npz REPEATS      prints the CPU seconds per element as JSON

Its objects are made beforehand and not timed. Updates and trades are the first of the day.
"""

import json
import sys
import time
from decimal import Decimal
from importlib.metadata import version

import numpy as np
from nautilus_trader.core.rust.model import BookAction, BookType, OrderSide
from nautilus_trader.data.aggregation import TickBarAggregator, ValueBarAggregator
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import BarType, BookOrder, OrderBookDelta, TradeTick
from nautilus_trader.model.enums import AggressorSide
from nautilus_trader.model.identifiers import TradeId
from nautilus_trader.model.objects import FIXED_SCALAR, Price, Quantity
from nautilus_trader.test_kit.providers import TestInstrumentProvider

UPDATES, READS, TRADES = 100_000, 2_000, 100_000
LEVELS, TICK, LOT = 20, 0.01, 1e-5


def seconds_of(run, elements, repeats):
    """Return the CPU seconds per element of every run after the first."""
    taken = []
    for _ in range(repeats + 1):
        begun = time.process_time()
        run()
        taken.append((time.process_time() - begun) / elements)
    return taken[1:]


def deltas_of(data, instrument):
    """Return the updates as the package's own events."""
    price_step, size_step = round(TICK * FIXED_SCALAR), round(LOT * FIXED_SCALAR)
    made = []
    for time_ns, side, ticks, lots in zip(
        *(data[name][:UPDATES].tolist() for name in ("time", "side", "ticks", "lots")), strict=True
    ):
        order = BookOrder(
            OrderSide.BUY if side > 0 else OrderSide.SELL,
            Price.from_raw(ticks * price_step, 2),
            Quantity.from_raw(lots * size_step, 5),
            0,
        )
        action = BookAction.UPDATE if lots else BookAction.DELETE
        made.append(OrderBookDelta(instrument.id, action, order, 0, 0, time_ns, time_ns))
    return made


def show(book):
    """Return 20 prices and sizes a side."""
    return [
        [(level.price, level.size()) for level in side[:LEVELS]]
        for side in (book.bids(), book.asks())
    ]


def apply_all(deltas, instrument):
    """Apply the updates to a fresh book; nothing is read, as that makes all levels objects."""
    book = OrderBook(instrument.id, BookType.L2_MBP)
    for delta in deltas:
        book.apply_delta(delta)
    return book


def read_each(book, deltas):
    """Apply the updates and read 20 levels after each."""
    for delta in deltas:
        book.apply_delta(delta)
        show(book)


def book_figures(data, repeats):
    """Time both uses of the book."""
    instrument = TestInstrumentProvider.btcusdt_perp_binance()
    deltas = deltas_of(data, instrument)
    repeats = min(repeats, 3)
    book = apply_all(deltas[:-READS], instrument)
    return {
        "apply": seconds_of(lambda: apply_all(deltas, instrument), len(deltas), repeats),
        "each": seconds_of(lambda: read_each(book, deltas[-READS:]), READS, repeats),
    }


def bar_figures(data, repeats):
    """Time tick and value bars."""
    instrument = TestInstrumentProvider.btcusdt_perp_binance()
    ticks = [
        TradeTick(
            instrument.id,
            Price(round(price, 2), instrument.price_precision),
            Quantity(max(size, 0.001), instrument.size_precision),
            AggressorSide.BUYER if side > 0 else AggressorSide.SELLER,
            TradeId(str(place)),
            time_ns,
            time_ns,
        )
        for place, (time_ns, price, size, side) in enumerate(
            zip(
                *(data[n][:TRADES].tolist() for n in ("time", "price", "size", "side")),
                strict=True,
            )
        )
    ]
    count, value = int(data["count"][0]), Decimal(float(data["value"][0]))
    kinds = {
        "tick": (TickBarAggregator, f"{count}-TICK"),
        "dollar": (ValueBarAggregator, f"{value}-VALUE"),
    }

    def run(kind, shape):
        bars = []
        bar_type = BarType.from_str(f"{instrument.id}-{shape}-LAST-INTERNAL")
        aggregator = kind(instrument, bar_type, bars.append)
        for tick in ticks:
            aggregator.handle_trade_tick(tick)

    return {
        name: seconds_of(lambda kind=kind: run(*kind), len(ticks), min(repeats, 3))
        for name, kind in kinds.items()
    }


def main(path, repeats):
    """Time what the data asks for and print it."""
    data = dict(np.load(path))
    made = bar_figures(data, repeats) if "price" in data else book_figures(data, repeats)
    print(json.dumps({"name": f"nautilus_trader {version('nautilus_trader')}", **made}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
