"""What the future is replaced by: kinds of garbage, each a function of the real future.

A kind takes rows of the tape (whole frames) and returns others that a tape could hold: prices and
sizes within what the screen lets through, venue times within two days, ids as wrong as they like.
`spoil` then gives them the order of arrival that any tape has, and ends them with prints far
apart in venue time and of great value, so that every bar that can close does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from qf.schema import BAD, BBO, DEPTH, NULL_INT, SNAPSHOT, TAPE, TRADE

Columns = dict[str, np.ndarray]
Kind = Callable[[Columns, "Past", np.random.Generator], Columns]

NAMES = tuple(field.name for field in TAPE)
MILLISECOND, HOUR = 1_000_000, 3_600_000_000_000
CLOSING_TRADES = 96
TIED_FRAMES = 40  # so many frames of garbage share the instant's time where the tape has a tie
MOST_UNITS = 1 << 40  # of a price or a size: far off, and 24 of them still make a sum
WILD_ROWS = 256
LATE_FRAMES = 1_024


class Past:
    """What garbage may know of the tape before the instant."""

    def __init__(self, columns: Mapping[str, np.ndarray], row: int, period_ns: int = 0) -> None:
        """Take the tape, the first row that is not past, and the longest period of a time bar."""
        self.period_ns = period_ns
        ends = np.flatnonzero(columns["last_row"][:row])[-LATE_FRAMES - 1 :]
        first = int(ends[0]) + 1 if len(ends) > LATE_FRAMES else 0
        self.tail = {name: np.array(columns[name][first:row]) for name in NAMES}
        self.seq = int(columns["seq"][row - 1])
        self.time = int(columns["processed_time"][row - 1])
        known = columns["event_time"][max(0, row - 4096) : row]
        known = known[known != NULL_INT]
        self.event_time = int(known.max()) if len(known) else self.time
        prints = np.flatnonzero(columns["kind"][:row] == TRADE)
        self.price = int(columns["price"][prints[-1]]) if len(prints) else 1_000
        self.size = int(columns["size"][prints[-1]]) if len(prints) else 1_000
        self.trade_id = int(columns["last_id"][prints[-1]]) if len(prints) else 0


def noise(future: Columns, past: Past, rng: np.random.Generator) -> Columns:
    """Other prices and sizes near the last ones; every id stays, so the book stays synced."""
    rows, kind, side = len(future["seq"]), future["kind"], future["side"]
    away = rng.integers(1, max(2, past.price // 500), rows)
    near = np.where(kind == TRADE, rng.choice([-1, 1], rows), -side) * away
    real = future["side"] != 0
    levels = real & np.isin(kind, (TRADE, DEPTH, SNAPSHOT, BBO))
    future["price"] = np.where(levels, np.maximum(past.price + near, 1), future["price"])
    sizes = rng.integers(1, 50 * max(2, past.size), rows)
    removed = (kind == DEPTH) & (rng.random(rows) < 0.2)
    future["size"] = np.where(levels, np.where(removed, 0, sizes), future["size"])
    future["side"] = np.where(kind == TRADE, rng.choice([-1, 1], rows), side)
    return future


def extremes(future: Columns, past: Past, rng: np.random.Generator) -> Columns:
    """The smallest and the largest prices and sizes that a tape may hold, for some frames.

    Such a price moves the ladder's window from one end of the prices to the other, and what
    follows pays for it: a few hundred rows show what thousands would.
    """
    ends = np.flatnonzero(future["last_row"]) + 1
    stop = ends[min(len(ends) - 1, int(np.searchsorted(ends, WILD_ROWS)))]
    future = {name: column[:stop] for name, column in future.items()}
    filled = (future["side"] != 0) | (future["kind"] == TRADE)
    for name in ("price", "size"):
        wild = rng.choice([1, 2, MOST_UNITS - 1, MOST_UNITS], len(filled))
        future[name] = np.where(filled, wild, future[name])
    return future


def nulls(future: Columns, past: Past, rng: np.random.Generator) -> Columns:
    """Everything that may be missing is missing: sides, ids, the book's times, its levels."""
    trade = future["kind"] == TRADE
    for name in ("first_id", "last_id", "prev_id", "venue_time"):
        future[name] = np.full(len(trade), NULL_INT)
    future["event_time"] = np.where(trade, future["event_time"], NULL_INT)
    for name in ("side", "price", "size"):
        future[name] = np.where(trade & (name != "side"), future[name], 0)
    return future


def reversed_order(future: Columns, past: Past, rng: np.random.Generator) -> Columns:
    """The real future backwards, frame by frame, with its own ids and venue times."""
    frame = frame_numbers(future)
    order = np.lexsort((np.arange(len(frame)), -frame))
    return {name: column[order] for name, column in future.items()}


def shuffled_ids(future: Columns, past: Past, rng: np.random.Generator) -> Columns:
    """The real future with the ids of other frames of its kind."""
    frame = frame_numbers(future)
    firsts = np.searchsorted(frame, np.arange(frame[-1] + 1))
    kinds = future["kind"][firsts]
    given = np.arange(len(firsts))
    for kind in np.unique(kinds):
        places = np.flatnonzero(kinds == kind)
        given[places] = rng.permutation(places)
    for name in ("first_id", "last_id", "prev_id"):
        future[name] = future[name][firsts][given][frame]
    return future


def late(future: Columns, past: Past, rng: np.random.Generator) -> Columns:
    """Corrections of what has been: the last frames again with their ids, in other numbers."""
    future = noise(past.tail, past, rng)
    back = past.event_time - rng.integers(1, 5_000, len(future["seq"])) * MILLISECOND
    future["event_time"] = back[frame_numbers(future)]
    placed = future["venue_time"] != NULL_INT
    future["venue_time"] = np.where(placed, future["event_time"], NULL_INT)
    return future


def repeats(future: Columns, past: Past, rng: np.random.Generator) -> Columns:
    """The first frames of the future over and over."""
    frame = frame_numbers(future)
    some = np.flatnonzero(frame < 5)
    return {name: np.resize(column[some], len(frame)) for name, column in future.items()}


def another_day(future: Columns, past: Past, rng: np.random.Generator) -> Columns:
    """The same a day later: every clock runs over midnight."""
    future = noise(future, past, rng)
    for name in ("event_time", "venue_time", "processed_time"):
        known = future[name] != NULL_INT
        future[name] = np.where(known, future[name] + 25 * HOUR, NULL_INT)
    return future


def quarantined(future: Columns, past: Past, rng: np.random.Generator) -> Columns:
    """Nothing but frames that could not be read, of every kind they might have been."""
    rows = len(future["seq"])
    future["first_id"] = rng.choice([0, TRADE, DEPTH, BBO], rows)
    future["last_id"] = future["first_id"]
    future["kind"], future["last_row"] = np.full(rows, BAD), np.ones(rows, np.int64)
    for name in ("side", "price", "size"):
        future[name] = np.zeros(rows, np.int64)
    return future


KINDS: dict[str, Kind] = {
    "noise": noise,
    "extremes": extremes,
    "nulls": nulls,
    "reversed": reversed_order,
    "shuffled ids": shuffled_ids,
    "late": late,
    "repeats": repeats,
    "another day": another_day,
    "quarantined": quarantined,
}


def frame_numbers(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the number of each row's frame, from 0."""
    ends = columns["last_row"]
    return np.cumsum(ends) - ends


def spoil(
    kind: str, future: Mapping[str, np.ndarray], past: Past, tie: bool, seed: list[int]
) -> Columns:
    """Return garbage in place of `future` (whole frames, at least one), in order of arrival.

    With `tie` the first frames have the instant's own receive time, else the first is 1 ns later.
    """
    rng = np.random.default_rng(seed)
    made = KINDS[kind]({name: np.array(future[name]) for name in NAMES}, past, rng)
    made = _joined(made, _closing(made, past, rng))
    frame = frame_numbers(made)
    made["seq"] = past.seq + 1 + frame
    steps = rng.integers(0, 20 * MILLISECOND, frame[-1] + 1)
    steps[0] = 0 if tie else 1
    steps[: TIED_FRAMES if tie else 0] = 0
    start = past.time
    if kind == "another day":
        steps[len(steps) // 2] += 25 * HOUR
    made["processed_time"] = (start + np.cumsum(steps))[frame]
    return {name: np.ascontiguousarray(made[name], np.int64) for name in NAMES}


def _closing(made: Columns, past: Past, rng: np.random.Generator) -> Columns:
    """Return prints that close what is open: periods apart, and worth more than any threshold."""
    known = made["event_time"][made["event_time"] != NULL_INT]
    latest = max(past.event_time, int(known.max()) if len(known) else past.event_time)
    rows = CLOSING_TRADES
    ids = past.trade_id + 10_000_000 + np.arange(rows)
    columns = {name: np.full(rows, NULL_INT) for name in NAMES}
    columns["kind"], columns["last_row"] = np.full(rows, TRADE), np.ones(rows, np.int64)
    columns["side"] = rng.choice([-1, 1], rows)
    columns["price"] = np.maximum(1, past.price + rng.integers(-9, 10, rows))
    columns["size"] = np.full(rows, 1_000 * max(1, past.size))
    steps = np.full(rows, 1_000 * MILLISECOND)
    steps[:: rows // 3] += past.period_ns
    columns["event_time"] = latest + np.cumsum(steps)
    columns["venue_time"] = columns["event_time"]
    columns["first_id"] = columns["last_id"] = ids
    columns["flags"] = np.zeros(rows, np.int64)
    return columns


def _joined(one: Columns, other: Columns) -> Columns:
    return {name: np.concatenate([one[name], other[name]]) for name in NAMES}
