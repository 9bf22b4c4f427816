"""What can be wrong with a frame: every rule by name, and the screen that applies them.

A frame that breaks a rule of READING or CONTENT goes to quarantine: nothing of it reaches the
book. A frame that breaks a rule of ORDER is kept and reported; whether the book is still right
is decided by the book's own continuity machine, never here. Rules never change their names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from qf.clock import EARLIEST_NS, LATEST_NS
from qf.feeds.record import Record
from qf.schema import BIT, NULL_INT
from qf.tape.chain import CHAINS, Ascending, Chain
from qf.tape.grid import Grid, Refused
from qf.tape.published import value_rows
from qf.tape.reference import Reference

READING = {
    "not_json": "the frame is not JSON text",
    "too_large": "the frame is longer than 8 MiB",
    "too_deep": "the frame nests too deeply",
    "unknown_frame": "valid JSON, but no message of this venue",
    "missing_field": "a field that the message must have is not there",
    "wrong_type": "a field holds another type than documented",
    "number_out_of_range": "an id or a time is negative or beyond 2**62",
    "too_many_levels": "more than 10,000 levels on one side",
    "wrong_symbol": "the message names another symbol than its stream",
    "receive_time_unreadable": "the line does not start with a receive time",
    "truncated": "the file broke off here; the rest is unknown",
}
CONTENT = {
    "event_time_zero": "a time of the venue is zero or negative",
    "event_time_out_of_range": "a time of the venue is not between 2005 and 2100",
    "time_jump": "event and receive time moved apart by more than an hour (quarantine), or the"
    " receive time moved by more than an hour (reported)",
    "price_not_positive": "a price is zero or negative",
    "size_negative": "a size is negative",
    "size_not_positive": "a trade or a quote has no size",
    "not_a_number": "a price or a size is not a decimal number",
    "number_not_finite": "a price or a size is NaN or infinite",
    "number_too_large": "a price or a size exceeds 2**53 steps",
    "off_grid": "a price or a size is no multiple of the instrument's step",
    "level_repeated": "one message sets the same level twice",
    "level_order": "a snapshot's levels are not sorted outwards",
    "crossed": "the best bid of a snapshot or quote is at or above its best ask",
    "empty_snapshot": "a snapshot without any level",
    "ids_reversed": "the first id of a message is greater than its last",
}
ORDER = {
    "id_gap": "the ids of the book skip",
    "id_order": "an id or update id ran backwards, or two messages share one",
    "id_repeat": "an id was seen before",
    "trade_gap": "the trade ids skip",
    "out_of_order": "the event time of the stream ran backwards",
    "clock_step": "the receive clock ran backwards; the row keeps the greatest time so far",
}
RULES = {**READING, **CONTENT, **ORDER}

OUT_OF_ORDER = BIT["out_of_order"]


class Levels(NamedTuple):
    """One record's rows in integers, ready for the tape: lists, or arrays for archives."""

    sides: Any
    prices: Any
    sizes: Any


BOTH_SIDES = (1, -1)
NO_LEVEL = Levels((0,), (0,), (0,))  # a message without levels is still one row


class Verdict(NamedTuple):
    """What the screen says of a record: quarantine rules, order rules, quality bits, rows."""

    bad: tuple[str, ...]
    notes: tuple[str, ...]
    flags: int
    levels: Levels | None


class Screen:
    """Judge the records of one symbol in arrival order.

    State is bounded: the clock offset, and one chain and one time per stream.
    """

    def __init__(self, grid: Grid, reference: Reference) -> None:
        self.grid, self.reference = grid, reference
        self._chains: dict[str, Chain | Ascending] = {name: make() for name, make in CHAINS.items()}
        self._times: dict[str, int] = {}

    def judge(self, record: Record, raw_time: int, time: int) -> Verdict:
        """Return the verdict; `levels` is None when the record goes to quarantine."""
        bad = record.rules
        levels = None
        try:
            levels = self._levels(record)
        except Refused:
            bad = (*bad, *self._diagnose(record))
        event = record.event_time
        if event != NULL_INT and not EARLIEST_NS <= event <= LATEST_NS:
            bad = (*bad, "event_time_zero" if event <= 0 else "event_time_out_of_range")
        elif event != NULL_INT and self.reference.far(event, raw_time, time):
            bad = (*bad, "time_jump")
        chain = self._chains.get(record.stream)
        notes: tuple[str, ...] = ()
        if chain is not None and record.last_id != NULL_INT:
            if record.first_id > record.last_id:
                bad = (*bad, "ids_reversed")
            else:
                note = chain.step(record.first_id, record.last_id, record.prev_id, bool(bad))
                notes = (note,) if note else ()
        if bad:
            return Verdict(tuple(dict.fromkeys(bad)), notes, 0, None)
        flags = 0
        if event != NULL_INT:
            if event < self._times.get(record.stream, event):
                notes, flags = (*notes, "out_of_order"), OUT_OF_ORDER
            self._times[record.stream] = event
        return Verdict((), notes, flags, levels)

    def state(self) -> dict[str, Any]:
        """Return everything that was learnt, as JSON values; the grid remembers texts only."""
        return {
            "reference": self.reference.state(),
            "chains": {name: chain.state() for name, chain in self._chains.items()},
            "times": dict(self._times),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.reference.restore(state["reference"])
        for name, chain in self._chains.items():
            chain.restore(state["chains"][name])
        self._times = dict(state["times"])

    def _levels(self, record: Record) -> Levels:
        """Return the rows in integers. Raises Refused at the first rule broken."""
        stream = record.stream
        if stream in ("trade", "agg_trade"):
            return self._trade(record)
        if stream == "bbo":
            return self._quote(record)
        if stream in ("mark", "liquidation", "open_interest"):
            return Levels(*value_rows(record))
        bids, asks = record.bids, record.asks
        if bids.__class__ is tuple and bids and bids[0].__class__ is np.ndarray:
            return self._array_book(record)
        ticks, lots = self.grid.ticks, self.grid.lots
        bid_prices = [ticks[level[0]] for level in bids]
        ask_prices = [ticks[level[0]] for level in asks]
        sizes = [lots[level[1]] for level in bids]
        sizes += [lots[level[1]] for level in asks]
        if stream == "snapshot":
            _check_book(bid_prices, ask_prices)
        elif not sizes:
            return NO_LEVEL
        else:
            _no_repeats(bid_prices)
            _no_repeats(ask_prices)
        sides = [1] * len(bid_prices) + [-1] * len(ask_prices)
        return Levels(sides, bid_prices + ask_prices, sizes)

    def _trade(self, record: Record) -> Levels:
        ((price, size),) = record.bids or record.asks
        ticks, lots = self.grid.ticks[price], self.grid.lots[size]
        if lots == 0:
            raise Refused("size_not_positive")
        return Levels((record.direction,), (ticks,), (lots,))

    def _quote(self, record: Record) -> Levels:
        ((bid, bid_size),), ((ask, ask_size),) = record.bids, record.asks
        ticks, lots = self.grid.ticks, self.grid.lots
        prices, sizes = (ticks[bid], ticks[ask]), (lots[bid_size], lots[ask_size])
        if prices[0] >= prices[1]:
            raise Refused("crossed")
        if not all(sizes):
            raise Refused("size_not_positive")
        return Levels(BOTH_SIDES, prices, sizes)

    def _array_book(self, record: Record) -> Levels:
        (bid_prices, bid_sizes), (ask_prices, ask_sizes) = record.bids, record.asks
        ticks, lots = self.grid.ticks.of_floats, self.grid.lots.of_floats
        bids, asks = ticks(bid_prices), ticks(ask_prices)
        sizes = lots(np.concatenate((bid_sizes, ask_sizes)))
        if bids.size + asks.size == 0:
            raise Refused("empty_snapshot")
        if (np.diff(bids) >= 0).any() or (np.diff(asks) <= 0).any():
            raise Refused("level_order")
        if bids.size and asks.size and bids[0] >= asks[0]:
            raise Refused("crossed")
        sides = np.repeat(np.array([1, -1]), (bids.size, asks.size))
        return Levels(sides, np.concatenate((bids, asks)), sizes)

    def _diagnose(self, record: Record) -> tuple[str, ...]:
        """Name every rule that the record's numbers break (the slow way, for the refused)."""
        rules: list[str] = []
        ticks, lots = self.grid.ticks, self.grid.lots
        arrays = isinstance(record.bids, tuple) and bool(record.bids)
        if not (arrays and isinstance(record.bids[0], np.ndarray)):
            for level in (*record.bids, *record.asks):
                for units, text in zip((ticks, lots), level, strict=False):
                    try:
                        units[text]
                    except Refused as refused:
                        rules.append(refused.rule)
        if not rules:  # every number is good, so the shape is not
            try:
                self._levels(record)
            except Refused as refused:
                rules.append(refused.rule)
        return tuple(dict.fromkeys(rules))


def _no_repeats(prices: list[int]) -> None:
    if len(set(prices)) != len(prices):
        raise Refused("level_repeated")


def _check_book(bids: Sequence[int], asks: Sequence[int]) -> None:
    if not bids and not asks:
        raise Refused("empty_snapshot")
    for prices, direction in ((bids, -1), (asks, 1)):
        if len(set(prices)) != len(prices):
            raise Refused("level_repeated")
        if list(prices) != sorted(prices, reverse=direction < 0):
            raise Refused("level_order")
    if bids and asks and bids[0] >= asks[0]:
        raise Refused("crossed")
