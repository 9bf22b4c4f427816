"""A synthetic trading day at the density of a busy pair, one symbol, as a tape.

About 116 events a second: half trades, half book updates. A sparse book with 800 levels a side
follows a latent fair value; trades cluster in sign, eat the best level and pull updates after
them; arrivals come in bursts. Book updates travel as one difference message per 100 ms, as
futures venues send them: ids without holes, venue times on every message, 3 ms of latency.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit

from qf.schema import DEPTH, NULL_INT, SNAPSHOT, TAPE, TRADE

TICK, LOT = 0.01, 1e-5
START_NS = 1_780_000_000 * 1_000_000_000
EVENTS_PER_DAY = 10_000_000
FRAME_NS, LATENCY_NS = 100_000_000, 3_000_000
LEVELS, WIDTH, MIDDLE = 800, 1 << 22, 6_000_000
FIRST_ID = 1_000
BIT_TRADE, BIT_BOOK = 1, 0
N, BID, ASK, TRADES, UPDATES, TIME, SIGN = range(7)  # words of `state`


@njit(cache=True)
def lots(location, scale):
    return 1 + int(np.random.lognormal(location, scale) / 1e-5)


@njit(cache=True)
def put(rows, state, kind, side, tick, size):
    """Append one raw event and count it."""
    n = state[N]
    rows[n, 0] = kind
    rows[n, 1] = side
    rows[n, 2] = tick
    rows[n, 3] = size
    rows[n, 4] = state[TIME]
    state[N] = n + 1
    state[TRADES if kind == BIT_TRADE else UPDATES] += 1


@njit(cache=True)
def set_level(rows, state, book, k, tick, size):
    """Set a level of side k (0 bid, 1 ask) and send it; an emptied best level has a successor."""
    sign = 1 - 2 * k
    book[k, tick & (WIDTH - 1)] = size
    put(rows, state, BIT_BOOK, sign, tick, size)
    best = state[BID + k]
    if size > 0:
        if sign * tick > sign * best:
            state[BID + k] = tick
        return
    if tick != best:
        return
    tick -= sign
    for _ in range(40):
        if book[k, tick & (WIDTH - 1)] > 0:
            break
        tick -= sign
    state[BID + k] = tick
    if book[k, tick & (WIDTH - 1)] == 0:
        set_level_new(rows, state, book, k, tick)


@njit(cache=True)
def set_level_new(rows, state, book, k, tick):
    book[k, tick & (WIDTH - 1)] = 20_000
    put(rows, state, BIT_BOOK, 1 - 2 * k, tick, 20_000)


@njit(cache=True)
def trade(rows, state, book, gap):
    """Print one trade at the best of the other side; signs persist, and follow the fair value."""
    if np.random.random() > 0.6:
        lean = 0.5 + 0.45 * np.tanh(gap / 25.0)
        state[SIGN] = 1 if np.random.random() < lean else -1
    sign = state[SIGN]
    k = 1 if sign > 0 else 0
    size = lots(-5.0, 1.8)
    tick = state[BID + k]
    put(rows, state, BIT_TRADE, sign, tick, size)
    rest = book[k, tick & (WIDTH - 1)] - size
    if rest <= 0:
        set_level(rows, state, book, k, tick, 0)
    else:
        book[k, tick & (WIDTH - 1)] = rest
        if np.random.random() < 0.3:
            put(rows, state, BIT_BOOK, -sign, tick, rest)


@njit(cache=True)
def update(rows, state, book, gap):
    """Change one level: pull, improve or join the best, or touch one further away."""
    spread = state[ASK] - state[BID]
    size = lots(-1.5, 1.2)
    chance = np.random.random()
    away = 1 if gap > 0 else 0  # the side that the fair value leaves behind
    towards = 1 - away
    if abs(gap) > 6.0 and chance < 0.45:
        set_level(rows, state, book, away, state[BID + away], 0)
        return
    if spread > 1 and abs(gap) > 4.0 and chance < 0.75:
        reach = 1 + int(np.random.random() * min(spread - 1, 6))
        tick = state[ASK] - reach if towards == 0 else state[BID] + reach
        set_level(rows, state, book, towards, tick, size)
        return
    k = 0 if np.random.random() < 0.5 else 1
    sign = 1 - 2 * k
    if spread > 1 and np.random.random() < min(0.9, 0.08 * spread):
        step = 1 + int(np.random.random() * (spread - 1))
        set_level(rows, state, book, k, state[BID + k] + sign * step, size)
        return
    distance = int(np.random.exponential(40.0 if np.random.random() < 0.8 else 1200.0))
    tick = state[BID + k] - sign * distance
    if book[k, tick & (WIDTH - 1)] == 0 and np.random.random() < 0.5:
        for _ in range(400):
            tick -= sign
            if book[k, tick & (WIDTH - 1)] > 0:
                break
    if book[k, tick & (WIDTH - 1)] > 0 and np.random.random() < 0.42:
        size = 0
    set_level(rows, state, book, k, tick, size)


@njit(cache=True)
def simulate(rows, wanted, seed):
    """Fill `rows` (kind, side, tick, lots, ns) with at least `wanted` events; return the count."""
    np.random.seed(seed)
    book = np.zeros((2, WIDTH), np.int64)
    state = np.zeros(8, np.int64)
    state[BID] = MIDDLE
    state[ASK] = MIDDLE + 1
    state[TIME] = START_NS
    state[SIGN] = 1
    for k in range(2):
        tick = state[BID + k]
        for level in range(LEVELS):
            size = lots(-1.5, 1.2)
            book[k, tick & (WIDTH - 1)] = size
            put(rows, state, BIT_BOOK, 1 - 2 * k, tick, size)
            tick -= (1 - 2 * k) * (1 + int(np.random.exponential(4.0 + level * 0.02)))
    state[UPDATES] = 0
    mean_ns = 86400e9 / EVENTS_PER_DAY
    fair = float(MIDDLE)
    while state[N] < wanted:
        fair += 8.0 * np.random.randn()
        gap = fair - 0.5 * (state[BID] + state[ASK])
        burst = 0.115 if np.random.random() < 0.7 else 3.06
        state[TIME] += int(np.random.exponential(mean_ns * burst)) + 1
        if np.random.random() < (0.72 if state[TRADES] <= state[UPDATES] else 0.28):
            trade(rows, state, book, gap)
        else:
            update(rows, state, book, gap)
    return state[N]


@njit(cache=True)
def put_tape(tape, j, raw, frame, times, ids):
    """Write tape row j from a raw event; `frame` is (seq, kind, last_row)."""
    tape[0, j], tape[1, j], tape[2, j] = frame
    tape[3, j] = raw[1]
    tape[4, j] = raw[2]
    tape[5, j] = raw[3]
    tape[6, j], tape[7, j], tape[8, j] = times
    tape[9, j], tape[10, j], tape[11, j] = ids
    tape[12, j] = 0


@njit(cache=True)
def to_tape(rows, n, tape):
    """Pack raw events into frames: a snapshot, trades as they come, differences each 100 ms."""
    seq = 0
    j = 0
    first = START_NS + LATENCY_NS
    for i in range(2 * LEVELS):
        last = 1 if i == 2 * LEVELS - 1 else 0
        times = (START_NS, NULL_INT, first)
        put_tape(tape, j, rows[i], (seq, SNAPSHOT, last), times, (FIRST_ID, FIRST_ID, NULL_INT))
        j += 1
    waiting = np.empty(n, np.int64)
    held = 0
    known = FIRST_ID
    boundary = START_NS + FRAME_NS
    trade_id = 0
    received = first
    for i in range(2 * LEVELS, n + 1):
        time = rows[i, 4] if i < n else boundary
        if time >= boundary:
            if held > 0:
                seq += 1
                received = max(received, boundary + LATENCY_NS)
                ids = (known + 1, known + held, known)
                for h in range(held):
                    frame = (seq, DEPTH, 1 if h == held - 1 else 0)
                    times = (boundary, boundary, received)
                    put_tape(tape, j, rows[waiting[h]], frame, times, ids)
                    j += 1
                known += held
                held = 0
            boundary = (time // FRAME_NS + 1) * FRAME_NS
        if i == n:
            break
        if rows[i, 0] == BIT_BOOK:
            waiting[held] = i
            held += 1
        else:
            seq += 1
            trade_id += 1
            received = max(received, time + LATENCY_NS)
            times = (time, time, received)
            put_tape(tape, j, rows[i], (seq, TRADE, 1), times, (trade_id, trade_id, NULL_INT))
            j += 1
    return j


@dataclass(frozen=True)
class Day:
    """The same events in the forms that ours and the peers take."""

    tape: np.ndarray  # (fields of schema.TAPE, rows), int64

    @property
    def events(self) -> int:
        """Return the number of tape rows: trades and book levels."""
        return self.tape.shape[1]

    @cached_property
    def fields(self) -> dict[str, np.ndarray]:
        """Return the tape's columns by name."""
        return {field.name: self.tape[place] for place, field in enumerate(TAPE)}

    @cached_property
    def trades(self) -> dict[str, np.ndarray]:
        """Return the trades alone: ns, price, size, direction, ticks, lots."""
        f = self.fields
        m = f["kind"] == TRADE
        return {
            "time": f["event_time"][m],
            "price": f["price"][m] * TICK,
            "size": f["size"][m] * LOT,
            "side": f["side"][m],
            "ticks": f["price"][m],
            "lots": f["size"][m],
        }

    @cached_property
    def updates(self) -> dict[str, np.ndarray]:
        """Return the book levels alone, in arrival order: ns received, side, ticks, lots."""
        f = self.fields
        m = f["kind"] != TRADE
        return {
            "time": f["processed_time"][m],
            "side": f["side"][m],
            "ticks": f["price"][m],
            "lots": f["size"][m],
        }


def make_day(events: int, seed: int = 7) -> Day:
    """Return a seeded day of about `events` tape rows."""
    rows = np.zeros((events + 64, 5), np.int64)
    made = simulate(rows, events, seed)
    tape = np.zeros((len(TAPE), made), np.int64)
    used = to_tape(rows, made, tape)
    return Day(np.ascontiguousarray(tape[:, :used]))
