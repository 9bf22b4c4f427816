"""A synthetic trading day at the density of a busy pair, one symbol, as a tape.

About 116 events a second: half trades, half book updates. A sparse book with 800 levels a side
follows a latent fair value; trades cluster in sign, eat the best level and pull updates after
them; arrivals come in bursts. Book updates travel as one difference message per 100 ms, as
futures venues send them: ids without holes, venue times on every message, 3 ms of latency.
"""

from __future__ import annotations

from collections.abc import Iterator
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
SEQ, KNOWN, DUE, TRADE_ID, RECEIVED, AT = range(6)  # of a tape; AT: its next row


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
def begin(rows, book, state, seed):
    """Set up a market: both sides' first levels are its first events."""
    np.random.seed(seed)
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


@njit(cache=True)
def go_on(rows, wanted, book, state, fair):
    """Add events until there are `wanted`; return the fair value they end at."""
    mean_ns = 86400e9 / EVENTS_PER_DAY
    while state[N] < wanted:
        fair += 8.0 * np.random.randn()
        gap = fair - 0.5 * (state[BID] + state[ASK])
        burst = 0.115 if np.random.random() < 0.7 else 3.06
        state[TIME] += int(np.random.exponential(mean_ns * burst)) + 1
        if np.random.random() < (0.72 if state[TRADES] <= state[UPDATES] else 0.28):
            trade(rows, state, book, gap)
        else:
            update(rows, state, book, gap)
    return fair


@njit(cache=True)
def simulate(rows, wanted, seed):
    """Fill `rows` (kind, side, tick, lots, ns) with at least `wanted` events; return the count."""
    book = np.zeros((2, WIDTH), np.int64)
    state = np.zeros(8, np.int64)
    begin(rows, book, state, seed)
    go_on(rows, wanted, book, state, float(MIDDLE))
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
def open_tape(rows, tape, words):
    """Write the first levels as one snapshot frame."""
    words[RECEIVED], words[KNOWN], words[DUE] = START_NS + LATENCY_NS, FIRST_ID, START_NS + FRAME_NS
    for i in range(2 * LEVELS):
        last = 1 if i == 2 * LEVELS - 1 else 0
        times = (START_NS, NULL_INT, START_NS + LATENCY_NS)
        put_tape(tape, i, rows[i], (0, SNAPSHOT, last), times, (FIRST_ID, FIRST_ID, NULL_INT))
    words[AT] = 2 * LEVELS


@njit(cache=True)
def put_frame(rows, waiting, held, tape, words):
    """Write the waiting levels as one difference frame."""
    words[SEQ] += 1
    words[RECEIVED] = max(words[RECEIVED], words[DUE] + LATENCY_NS)
    known = words[KNOWN]
    for h in range(held):
        frame = (words[SEQ], DEPTH, 1 if h == held - 1 else 0)
        times = (words[DUE], words[DUE], words[RECEIVED])
        ids = (known + 1, known + held, known)
        put_tape(tape, words[AT] + h, rows[waiting[h]], frame, times, ids)
    words[KNOWN] += held
    words[AT] += held


@njit(cache=True)
def pack(rows, first, n, tape, words, waiting):
    """Pack the raw events first..n-1 into frames: trades as they come, differences each 100 ms.

    Return how many levels of the last frame still wait in `waiting`.
    """
    held = 0
    for i in range(first, n):
        time = rows[i, 4]
        if time >= words[DUE]:
            if held > 0:
                put_frame(rows, waiting, held, tape, words)
                held = 0
            words[DUE] = (time // FRAME_NS + 1) * FRAME_NS
        if rows[i, 0] == BIT_BOOK:
            waiting[held] = i
            held += 1
        else:
            words[SEQ] += 1
            words[TRADE_ID] += 1
            words[RECEIVED] = max(words[RECEIVED], time + LATENCY_NS)
            times = (time, time, words[RECEIVED])
            ids = (words[TRADE_ID], words[TRADE_ID], NULL_INT)
            put_tape(tape, words[AT], rows[i], (words[SEQ], TRADE, 1), times, ids)
            words[AT] += 1
    return held


@njit(cache=True)
def to_tape(rows, n, tape):
    """Pack all raw events, the last frame too; return the tape's rows."""
    words = np.zeros(8, np.int64)
    waiting = np.empty(n, np.int64)
    open_tape(rows, tape, words)
    held = pack(rows, 2 * LEVELS, n, tape, words, waiting)
    if held > 0:
        put_frame(rows, waiting, held, tape, words)
    return words[AT]


Columns = dict[str, np.ndarray]


def columns_of(tape: np.ndarray) -> Columns:
    """Return the rows of a matrix by the names of a tape's columns."""
    return {field.name: tape[place] for place, field in enumerate(TAPE)}


@dataclass(frozen=True)
class Day:
    """The same events in the forms that ours and the peers take."""

    tape: np.ndarray  # (fields of schema.TAPE, rows), int64
    raw: np.ndarray  # (events, 5), int64: kind, side, tick, lots, ns, in turn, in no frames yet

    @property
    def events(self) -> int:
        """Return the number of tape rows: trades and book levels."""
        return self.tape.shape[1]

    @cached_property
    def fields(self) -> dict[str, np.ndarray]:
        """Return the tape's columns by name."""
        return columns_of(self.tape)

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
    return Day(np.ascontiguousarray(tape[:, :used]), rows[:made])


def long_blocks(events: int, seed: int = 7, rows_at_once: int = 1 << 20) -> Iterator[Columns]:
    """Yield the tape of a longer time in blocks, so that no more than one is in memory."""
    rows = np.zeros((rows_at_once + 4096, 5), np.int64)
    tape = np.zeros((len(TAPE), len(rows)), np.int64)
    book, state, words = (
        np.zeros((2, WIDTH), np.int64),
        np.zeros(8, np.int64),
        np.zeros(8, np.int64),
    )
    waiting = np.empty(len(rows), np.int64)
    begin(rows, book, state, seed)
    open_tape(rows, tape, words)
    first, fair, made = 2 * LEVELS, float(MIDDLE), 0
    while made < events:
        fair = go_on(rows, rows_at_once, book, state, fair)
        n = int(state[N])
        held = pack(rows, first, n, tape, words, waiting)
        j = int(words[AT])
        made += j
        yield {field.name: tape[place, :j].copy() for place, field in enumerate(TAPE)}
        rows[:held] = rows[waiting[:held]]  # the frame that is not full yet goes on
        state[N], words[AT], first = held, 0, 0
