"""Every trade that a listing has printed, by id without a hole, and the same by aggressor."""

from __future__ import annotations

from array import array
from typing import NamedTuple

from qf.testing.market.flow import Print
from qf.testing.market.trading import FIRST_TRADE_ID

FIRST_AGGREGATE_ID = 2_900_000_000


class Trade(NamedTuple):
    """One trade: price in ticks, size in lots, the aggressor's sign, venue time in ms."""

    id: int
    price: int
    size: int
    sign: int
    time_ms: int


class Aggregate(NamedTuple):
    """Trades of one aggressor at one price: ids of the first and the last."""

    id: int
    first_id: int
    last_id: int
    price: int
    size: int
    sign: int
    time_ms: int


class TradeTape:
    """Trades in the order of their ids; about 40 bytes each."""

    def __init__(self) -> None:
        self._prices, self._sizes, self._times = array("q"), array("q"), array("q")
        self._signs = array("b")
        self._firsts = array("q")  # place of the first trade of every aggregate

    def __len__(self) -> int:
        return len(self._prices)

    @property
    def next_id(self) -> int:
        """Return the id that the next trade will have."""
        return FIRST_TRADE_ID + len(self._prices)

    @property
    def aggregate_count(self) -> int:
        """Return how many aggregates there are."""
        return len(self._firsts)

    def add(self, execution: Print, time_ms: int, opens: bool) -> None:
        """Add a trade; `opens` says that it begins an aggregate."""
        if opens:
            self._firsts.append(len(self._prices))
        self._prices.append(execution.price)
        self._sizes.append(execution.size)
        self._times.append(time_ms)
        self._signs.append(execution.sign)

    def trades(self, from_id: int, count: int) -> list[Trade]:
        """Return up to `count` trades from an id on."""
        start = max(0, from_id - FIRST_TRADE_ID)
        stop = min(start + count, len(self._prices))
        return [self._trade(at) for at in range(start, stop)]

    def until(self, time_ms: int) -> list[Trade]:
        """Return every trade up to a time, by id."""
        return [self._trade(at) for at, time in enumerate(self._times) if time <= time_ms]

    def latest(self, count: int) -> list[Trade]:
        """Return the last trades, oldest first."""
        return self.trades(self.next_id - count, count)

    def aggregates(self, from_id: int, count: int) -> list[Aggregate]:
        """Return up to `count` aggregates from an id on."""
        start = max(0, from_id - FIRST_AGGREGATE_ID)
        stop = min(start + count, len(self._firsts))
        return [self._aggregate(at) for at in range(start, stop)]

    def latest_aggregates(self, count: int) -> list[Aggregate]:
        """Return the last aggregates, oldest first."""
        return self.aggregates(FIRST_AGGREGATE_ID + len(self._firsts) - count, count)

    def first_since(self, time_ms: int) -> int:
        """Return the id of the first aggregate at or after a time."""
        low, high = 0, len(self._firsts)
        while low < high:
            middle = (low + high) // 2
            if self._times[self._firsts[middle]] < time_ms:
                low = middle + 1
            else:
                high = middle
        return FIRST_AGGREGATE_ID + low

    def _trade(self, at: int) -> Trade:
        return Trade(
            FIRST_TRADE_ID + at, self._prices[at], self._sizes[at], self._signs[at], self._times[at]
        )

    def _aggregate(self, at: int) -> Aggregate:
        first = self._firsts[at]
        after = self._firsts[at + 1] if at + 1 < len(self._firsts) else len(self._prices)
        return Aggregate(
            FIRST_AGGREGATE_ID + at,
            FIRST_TRADE_ID + first,
            FIRST_TRADE_ID + after - 1,
            self._prices[first],
            sum(self._sizes[first:after]),
            self._signs[first],
            self._times[first],
        )
