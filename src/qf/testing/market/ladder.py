"""The true book: hundreds of price levels per side, every change numbered and remembered.

A level's key is its price in ticks on the bid side and minus that on the ask side, so that on
both sides a larger key is a better price and the best is the last of the sorted keys.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from typing import NamedTuple

BID, ASK = 0, 1
CHECKPOINT_EVERY = 16_384  # changes


class Book(NamedTuple):
    """The whole book at one update id: lots by price in ticks."""

    bids: dict[int, int]
    asks: dict[int, int]


class Best(NamedTuple):
    """The best prices in ticks and their sizes in lots."""

    bid: int
    bid_size: int
    ask: int
    ask_size: int


class Ladder:
    """Hold both sides, number every change, and collect the changes of the current interval."""

    def __init__(self, first_id: int, keep_truth: bool) -> None:
        self.update_id = first_id
        self.keys: tuple[list[int], list[int]] = ([], [])
        self.sizes: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.changed: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.first_changed = 0  # the id of the interval's first change; 0 = none yet
        self.history = History(first_id) if keep_truth else None

    def put(self, side: int, key: int, size: int, skip: int = 1) -> None:
        """Set the level's absolute size (0 removes it); the change takes `skip` update ids."""
        keys, sizes = self.keys[side], self.sizes[side]
        if size:
            if key not in sizes:
                insort(keys, key)
            sizes[key] = size
        else:
            del sizes[key]
            if keys[-1] == key:
                keys.pop()
            else:
                del keys[bisect_left(keys, key)]
        self.update_id += skip
        self.changed[side][key] = size
        if not self.first_changed:
            self.first_changed = self.update_id
        if self.history is not None:
            self.history.add(self.update_id, side, key, size)

    def best(self) -> Best:
        """Return the best bid and ask."""
        bid, ask = self.keys[BID][-1], self.keys[ASK][-1]
        return Best(bid, self.sizes[BID][bid], -ask, self.sizes[ASK][ask])

    def take_changes(self) -> tuple[int, dict[int, int], dict[int, int]]:
        """Return the interval's first id and its last sizes by key per side, and start anew."""
        first, (bids, asks) = self.first_changed, self.changed
        self.changed, self.first_changed = ({}, {}), 0
        return first, bids, asks


class History:
    """Every change since the start, with full copies now and then, to answer for any id."""

    def __init__(self, first_id: int) -> None:
        self.ids, self.keys, self.sizes = array("q"), array("q"), array("q")
        self._model: Book = Book({}, {})  # the state after the first `_seen` changes
        self._seen = 0
        self._copies: list[Book] = []
        self._last = Book({}, {})
        self._last_at = 0
        self.first_id = first_id

    def add(self, update_id: int, side: int, key: int, size: int) -> None:
        """Remember one change."""
        self.ids.append(update_id)
        # price and side in one number: price * 2 + side
        self.keys.append((key if side == BID else -key) * 2 + side)
        self.sizes.append(size)

    def book(self, update_id: int) -> Book:
        """Return the book after every change whose id is at most `update_id`."""
        count = self._count(update_id)
        while self._seen + CHECKPOINT_EVERY <= len(self.ids):
            self._copies.append(Book(dict(self._model.bids), dict(self._model.asks)))
            self._replay(self._model, self._seen, self._seen + CHECKPOINT_EVERY)
            self._seen += CHECKPOINT_EVERY
        if not self._last_at <= count < self._last_at + CHECKPOINT_EVERY:
            self._last_at = self._checkpoint(count)
        self._replay(self._last, self._last_at, count)
        self._last_at = count
        return Book(dict(self._last.bids), dict(self._last.asks))

    def _checkpoint(self, count: int) -> int:
        place = min(count // CHECKPOINT_EVERY, len(self._copies))
        source = self._copies[place] if place < len(self._copies) else self._model
        self._last = Book(dict(source.bids), dict(source.asks))
        return place * CHECKPOINT_EVERY

    def _count(self, update_id: int) -> int:
        low, high = 0, len(self.ids)
        while low < high:
            middle = (low + high) // 2
            if self.ids[middle] <= update_id:
                low = middle + 1
            else:
                high = middle
        return low

    def _replay(self, book: Book, start: int, stop: int) -> None:
        for at in range(start, stop):
            price, side = self.keys[at] >> 1, self.keys[at] & 1
            if self.sizes[at]:
                book[side][price] = self.sizes[at]
            else:
                book[side].pop(price, None)
