"""hftbacktest, in its own environment: apply L2 updates, read 20 levels a side every period.

    python hftbacktest_book.py UPDATES.npz REPEATS      prints the CPU seconds as JSON

The events are marked for the local side only, so that the book is kept once. The reader walks the
dense depth arrays from the best outwards, compiled, as the package's own documentation does.
"""

import json
import sys
import time

import numpy as np
from hftbacktest import (
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    LOCAL_EVENT,
    SELL_EVENT,
    BacktestAsset,
    ROIVectorMarketDepthBacktest,
)
from hftbacktest.binding import event_dtype
from numba import njit

LEVELS, TICK, LOT = 20, 0.01, 1e-5


@njit
def snapshots(backtest, period, tick_size, out):
    """Fill one row of `out` (prices and sizes, bids then asks) per period; return the rows."""
    row = 0
    while backtest.elapse(period) == 0 and row < out.shape[0]:
        depth = backtest.depth(0)
        bids, asks = depth.bid_depth, depth.ask_depth
        low = depth.roi_lb_tick
        tick = depth.best_bid_tick
        found = 0
        while found < 20 and tick - low >= 0:
            if bids[tick - low] > 0:
                out[row, found] = tick * tick_size
                out[row, 20 + found] = bids[tick - low]
                found += 1
            tick -= 1
        tick = depth.best_ask_tick
        found = 0
        while found < 20 and tick - low < len(asks):
            if asks[tick - low] > 0:
                out[row, 40 + found] = tick * tick_size
                out[row, 60 + found] = asks[tick - low]
                found += 1
            tick += 1
        row += 1
    return row


def events_of(updates):
    """Return the updates in the package's event form."""
    made = np.zeros(len(updates["time"]), event_dtype)
    side = np.where(updates["side"] > 0, BUY_EVENT, SELL_EVENT)
    made["ev"] = DEPTH_EVENT | LOCAL_EVENT | side.astype(np.uint64)
    made["ev"][0] |= EXCH_EVENT
    made["exch_ts"] = updates["time"] - 3_000_000
    made["local_ts"] = updates["time"]
    made["px"] = updates["ticks"] * TICK
    made["qty"] = updates["lots"] * LOT
    return made


def backtest_of(events, low, high):
    """Return a fresh backtest over the events, its book dense between the two prices."""
    asset = (
        BacktestAsset()
        .data([events])
        .linear_asset(1.0)
        .constant_order_latency(0, 0)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(TICK)
        .lot_size(LOT)
        .roi_lb(low)
        .roi_ub(high)
    )
    return ROIVectorMarketDepthBacktest([asset])


def main(path, repeats):
    """Time the run and print the seconds."""
    updates = dict(np.load(path))
    events = events_of(updates)
    prices = updates["ticks"] * TICK
    low, high = float(prices.min()) - 1, float(prices.max()) + 1
    span = int(updates["time"][-1] - updates["time"][0])
    period = int(updates["period"][0])
    out = np.zeros((span // period + 16, 4 * LEVELS))
    seconds = []
    for _ in range(repeats + 1):
        backtest = backtest_of(events, low, high)
        begun = time.process_time()
        rows = snapshots(backtest, period, TICK, out)
        seconds.append(time.process_time() - begun)
        backtest.close()
    print(json.dumps({"seconds": seconds[1:], "rows": int(rows), "sum": float(out[:rows].sum())}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
