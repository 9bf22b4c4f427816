"""Read the trades of the shared captures straight from the wire, without the product's readers."""

import gzip
import json
from fractions import Fraction

import numpy as np

from qf.bar_clock import Units

CAPTURES = {  # glob, ns per unit of receive time, tick, lot, value unit, lots to value units
    "spot": ("binance_raw/spot/*.gz", 1, "0.01", "0.00001", "0.0000001", 0),
    "usdm": ("binance_raw/usdm/*.gz", 1000, "0.1", "0.001", "0.0001", 0),
    "coinm": ("binance_raw/coinm/*.gz", 1, "0.1", "1", "1", 100),
}


def units_of(capture):
    """Return the exact units of a capture's instrument."""
    _, _, tick, lot, value, _ = CAPTURES[capture]
    return Units(Fraction(tick), Fraction(lot), Fraction(value))


def read_trades(folder, capture):
    """Return the tick clock's columns of a capture: market trades in order of arrival."""
    glob, unit, tick, lot, _, contract = CAPTURES[capture]
    rows = []
    for path in sorted(folder.glob(glob)):
        with gzip.open(path, "rt") as lines:
            for line in lines:
                received, _, text = line.partition(" ")
                if '"e":"trade"' not in text:
                    continue
                frame = json.loads(text)["data"]
                if frame.get("X", "MARKET") not in ("MARKET", "LIMIT"):
                    continue
                price, size = (
                    Fraction(frame["p"]) / Fraction(tick),
                    Fraction(frame["q"]) / Fraction(lot),
                )
                side = -1 if frame["m"] else 1
                rows.append((int(price), int(size), side, frame["T"], int(received) * unit))
                assert price == rows[-1][0] and size == rows[-1][1], "off the grid"
    price, size, side, event, received = np.array(rows, np.int64).T
    return {
        "price_ticks": price,
        "size_lots": size,
        "value_units": size * contract if contract else price * size,
        "direction": side,
        "event_time": event * 1_000_000,
        "processed_time": np.maximum.accumulate(received),
        "seq": np.arange(len(rows)),
        "quality": np.zeros(len(rows), np.int64),
        "mid": price * float(Fraction(tick)),
        "spread": np.ones(len(rows)),
        "x": size.astype(float),
    }
