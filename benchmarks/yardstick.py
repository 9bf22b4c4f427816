"""A fixed loop that says how fast the machine is right now: one pass over a day's events.

Levels go into a dense ring with an occupancy bitmap, every trade meets the best quotes, four bar
clocks gather it, 20 levels a side are written out every 500 ms. It is written for one process and
nothing else: no ids, no quality, no state to save. It took timing.DESIGN_NS per event where the
targets were set, so `ours / yardstick · DESIGN_NS` is what ours would take there. It was taken over
trades and updates as they come, in turn, so that is what it runs over: packed into frames, as the
tape has them, they are easier to foresee and take a sixth less.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import float64, int64, njit, uint64
from numba.extending import intrinsic

from benchmarks.day import BIT_TRADE, LOT, TICK, Day

EVENTS = 400_000
BITS = 17
RING, WORDS = 1 << BITS, 1 << (BITS - 6)
LEVELS, PERIOD_NS = 20, 500_000_000
ALL, ONE = uint64(0xFFFFFFFFFFFFFFFF), uint64(1)
DOLLAR, IMBALANCE, COUNT, RUN = 50_000.0, 10, 50, 10
# One open bar: high, low, volume, value, bought, trades, open, open time.
HIGH, LOW, VOLUME, VALUE, BOUGHT, TRADES, OPEN, SINCE = range(8)


@intrinsic
def zeros_above(typing, word):
    """Return the number of zero bits above the highest set one."""

    def build(context, builder, signature, arguments):
        return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return int64(uint64), build


@njit(cache=True, inline="always")
def next_best(marks, k, tick):
    """Return the best occupied place of side k below `tick`."""
    at = tick - 1
    word = (at & (RING - 1)) >> 6
    bits = marks[k, word] & (ALL >> uint64(63 - (at & 63)))
    gone = 0
    while bits == 0 and gone < WORDS:
        gone += 1
        word = (word - 1) & (WORDS - 1)
        bits = marks[k, word]
    return ((at >> 6) - gone) * 64 + 63 - zeros_above(bits)


@njit(cache=True, inline="always")
def apply(sizes, marks, best, k, tick, size):
    """Set one level of side k; `tick` is signed so that the best is the highest on both sides."""
    place = tick & (RING - 1)
    sizes[k, place] = size
    shift = uint64(place & 63)
    word = place >> 6
    marks[k, word] = (marks[k, word] & ~(ONE << shift)) | (uint64(int64(size > 0.0)) << shift)
    if tick >= best[k]:
        best[k] = tick if size > 0.0 else next_best(marks, k, tick)


@njit(cache=True, inline="always")
def show(sizes, marks, best, out, row):
    """Write LEVELS prices and sizes of both sides."""
    for k in range(2):
        top = best[k]
        word, base = (top & (RING - 1)) >> 6, (top >> 6) * 64
        bits = marks[k, word] & (ALL >> uint64(63 - (top & 63)))
        found, seen = 0, 0
        while found < LEVELS and seen < WORDS:
            while bits != 0 and found < LEVELS:
                high = 63 - zeros_above(bits)
                bits &= ~(ONE << uint64(high))
                out[row, 2 * LEVELS * k + found] = (1 - 2 * k) * (base + high)
                place = (base + high) & (RING - 1)
                out[row, 2 * LEVELS * k + LEVELS + found] = sizes[k, place]
                found += 1
            word = (word - 1) & (WORDS - 1)
            base -= 64
            seen += 1
            bits = marks[k, word]


@njit(cache=True, inline="always")
def gather(bar, price, size, value, bought):
    """Add a trade to an open bar."""
    bar[HIGH] = max(bar[HIGH], price)
    bar[LOW] = min(bar[LOW], price)
    bar[VOLUME] += size
    bar[VALUE] += value
    bar[BOUGHT] += bought
    bar[TRADES] += 1.0


@njit(cache=True, inline="always")
def emit(bar, time, price, out, row):
    """Write a bar out and begin the next."""
    for word in range(8):
        out[row, word] = bar[word]
    out[row, 8], out[row, 9] = price, time
    bar[HIGH], bar[LOW], bar[TRADES] = -np.inf, np.inf, 0.0
    bar[VOLUME], bar[VALUE], bar[BOUGHT] = 0.0, 0.0, 0.0


@njit(cache=True, nogil=True)
def one_pass(events, book, out):
    """Run over the events; return how many bars of each clock, trades and snapshots there were."""
    kinds, sides, ticks, lots, times = events
    sizes, marks = book
    trades, bars, snapshots = out
    best = np.full(2, -(int64(1) << 40))
    open_bars = np.zeros((4, 8))
    open_bars[:, HIGH], open_bars[:, LOW] = -np.inf, np.inf
    made = np.zeros(6, np.int64)
    due, imbalance, run, last = times[0] + PERIOD_NS, 0, 0, 0
    last_price, last_direction = 0.0, 1
    for i in range(kinds.size):
        while times[i] >= due and made[5] < len(snapshots):
            show(sizes, marks, best, snapshots, made[5])
            made[5] += 1
            due += PERIOD_NS
        side, size = sides[i], lots[i]
        if kinds[i] != BIT_TRADE:
            apply(sizes, marks, best, (1 - side) >> 1, side * ticks[i], size)
            continue
        price = ticks[i] * TICK
        bid, ask = best[0] * TICK, -best[1] * TICK
        bid_size, ask_size = sizes[0, best[0] & (RING - 1)], sizes[1, best[1] & (RING - 1)]
        middle = 0.5 * (bid + ask)
        row = made[4]
        trades[row, 0], trades[row, 1] = middle, ask - bid
        trades[row, 2] = (bid * ask_size + ask * bid_size) / (ask_size + bid_size)
        direction = int64(price > middle) - int64(price < middle)
        if direction == 0:
            direction = int64(price > last_price) - int64(price < last_price)
            direction = direction if direction != 0 else last_direction
        last_direction, last_price = direction, price
        trades[row, 3] = direction
        made[4] += 1
        time, value, bought = float(times[i]), price * size, size * float64(side > 0)
        for clock in range(4):
            bar = open_bars[clock]
            if bar[TRADES] == 0.0:
                bar[OPEN], bar[SINCE] = price, time
            gather(bar, price, size, value, bought)
        imbalance += side
        run = run + 1 if side == last else 1
        last = side
        if open_bars[0, VALUE] >= DOLLAR:
            emit(open_bars[0], time, price, bars[0], made[0])
            made[0] += 1
        if abs(imbalance) >= IMBALANCE:
            emit(open_bars[1], time, price, bars[1], made[1])
            made[1] += 1
            imbalance = 0
        if open_bars[2, TRADES] >= COUNT:
            emit(open_bars[2], time, price, bars[2], made[2])
            made[2] += 1
        if run >= RUN:
            emit(open_bars[3], time, price, bars[3], made[3])
            made[3] += 1
            run, last = 0, 0
    return made


class Yardstick:
    """The loop over the first events of a day, ready to be timed."""

    def __init__(self, day: Day) -> None:
        kinds, sides, ticks, lots, times = np.ascontiguousarray(day.raw[:EVENTS].T)
        self.events = len(kinds)
        self._events = (kinds.astype(np.uint8), sides, ticks, lots * LOT, times)
        span = int(self._events[-1][-1] - self._events[-1][0])
        self._trades = np.empty((self.events, 4))
        self._bars = np.empty((4, self.events // 4, 10))
        self._snapshots = np.empty((span // PERIOD_NS + 2, 4 * LEVELS))

    def book(self) -> tuple[np.ndarray, np.ndarray]:
        """Return an empty book, which is not timed."""
        return np.zeros((2, RING)), np.zeros((2, WORDS), np.uint64)

    def run(self, sizes: np.ndarray, marks: np.ndarray) -> np.ndarray:
        """Run the loop once."""
        out = (self._trades, self._bars, self._snapshots)
        return one_pass(self._events, (sizes, marks), out)
