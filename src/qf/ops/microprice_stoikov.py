"""microprice_stoikov(bid_size, ask_size, spread_ticks, mid, buckets, spreads, refit): a martingale.

    y[t] = mid[t] + g(state[t]),   g = (I - P)^-1 r
    P = share of the moves from one state to each other, r = mean change of the mid out of each

The fair price of a fitted chain. The state is the best level's imbalance (B - A) / (B + A), in
`buckets` equal parts on each side of 0, and the spread in ticks, from 1 to `spreads` or more. g is
the sum of all changes of the mid that the chain expects: y is a martingale where the mid and
`weighted_mid` are none. P and r count every move twice, as it was and with bid and ask exchanged,
so g is as large on either side; each state has one move more that goes nowhere, so that one hardly
seen counts little. They are fitted on all rows up to the last that divides by `refit`, never on
later ones. For parameters fitted elsewhere write the formula out: mid plus a `where` per state.

Null until the first fit and where an input is; a null breaks the chain. Unit: the unit of mid.
Source: Stoikov (2018), Quantitative Finance 18(12), 1959-1966.
"""

import math
from itertools import pairwise
from typing import Any

from qf.op import MOMENT, define

op = define(
    "microprice_stoikov(bid_size, ask_size, spread_ticks, mid,"
    " buckets: 1..10 = 5, spreads: 1..6 = 2, refit: 40..10000000 = 100)",
    warmup=lambda buckets, spreads, refit: refit,
    lookback=lambda buckets, spreads, refit: 1,
    memory=lambda buckets, spreads, refit: 0,
    slots=lambda buckets, spreads, refit: 2 * (buckets * spreads) ** 2 + 4 * buckets * spreads + 1,
    ints=lambda buckets, spreads, refit: 3,
    tolerance=MOMENT,
    unit="mid",
    example="microprice_stoikov(bid_size_0, ask_size_0, spread_ticks, mid, 5, 2, 1000)",
)
op.polars_missing("a chain is counted and solved at every fit; the definition is its twin")


def place_of(bid: float, ask: float, ticks: float, buckets: int, spreads: int) -> int:
    """Return the state of a book without its side, or -1 where there is none."""
    if not bid + ask > 0.0 or not bid >= 0.0 or not ask >= 0.0 or ticks != ticks:
        return -1
    part = min(int(abs(bid - ask) / (bid + ask) * buckets), buckets - 1)
    width = 1.0 if ticks < 1.5 else math.floor(ticks + 0.5)
    wide = int(min(width, float(spreads))) - 1
    return wide * buckets + part


def solve(state: Any, size: int) -> None:
    """Solve (diag(count + 1) - moves) answer = rows by elimination.

    Words of state: count, rows, answer, right (`size` each), then moves and room (squares). The
    diagonal outweighs its row, so no rows are exchanged (Golub, Van Loan 2013, section 4.1).
    """
    rows, answer, right, moves = size, 2 * size, 3 * size, 4 * size
    room = moves + size * size
    for i in range(size):
        state[right + i] = state[rows + i]
        for j in range(size):
            state[room + i * size + j] = -state[moves + i * size + j]
        state[room + i * size + i] += state[i] + 1.0
    for k in range(size):
        for i in range(k + 1, size):
            share = state[room + i * size + k] / state[room + k * size + k]
            if share != 0.0:
                state[right + i] -= share * state[right + k]
                for j in range(k, size):
                    state[room + i * size + j] -= share * state[room + k * size + j]
    for k in range(size - 1, -1, -1):
        total = state[right + k]
        for j in range(k + 1, size):
            total -= state[room + k * size + j] * state[answer + j]
        state[answer + k] = total / state[room + k * size + k]


@op.definition
def definition(bid_size, ask_size, spread_ticks, mid, buckets, spreads, refit):
    import numpy as np

    size, last_fit = buckets * spreads, (len(mid) - 1) // refit * refit
    count, rows, moves = np.ones(size), np.zeros(size), np.zeros((size, size))
    states = [
        (place_of(bid, ask, ticks, buckets, spreads) if price == price else -1,
         (bid > ask) - (bid < ask), price)
        for price, bid, ask, ticks in zip(mid, bid_size, ask_size, spread_ticks, strict=True)
    ]  # fmt: skip
    for (place, side, price), (place_2, side_2, price_2) in pairwise(states[: last_fit + 1]):
        if place >= 0 and place_2 >= 0 and side:
            count[place] += 1.0
            rows[place] += side * (price_2 - price)
            moves[place, place_2] += side * side_2
    place, side, price = states[-1]
    if place < 0 or last_fit == 0:
        return math.nan
    return price + side * float(np.linalg.solve(np.diag(count) - moves, rows)[place])


@op.kernel
def kernel(bid_size, ask_size, spread_ticks, mid, lo, hi, row, out, params, state, ints):
    buckets, spreads, refit = int(params[0]), int(params[1]), int(params[2])
    size = buckets * spreads
    place_before, side_before = ints[0] - 1, ints[1]  # one higher, so that a fresh state has none
    for t in range(lo, hi):
        at = row + t - lo
        bid, ask = bid_size[t], ask_size[t]
        place = place_of(bid, ask, spread_ticks[t], buckets, spreads) if mid[t] == mid[t] else -1
        side = 1 if bid > ask else (-1 if bid < ask else 0)
        if place >= 0 and place_before >= 0 and side_before != 0:
            state[place_before] += 1.0
            state[size + place_before] += side_before * (mid[t] - mid[t - 1])
            state[4 * size + place_before * size + place] += side_before * side
        place_before, side_before = place, side
        if at % refit == 0 and at > 0:
            solve(state, size)
            ints[2] = 1
        out[t] = math.nan
        if place >= 0 and ints[2] == 1:
            out[t] = mid[t] + side * state[2 * size + place]
    ints[0], ints[1] = place_before + 1, side_before
