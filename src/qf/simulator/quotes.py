"""No valid row from stale or wrong input: every quote in a row was the venue's own, and lately.

The best bid and ask of the true market are noted with the instants at which they began. A row whose
quality says that its book may be used must show a best bid and ask, prices and sizes, that were the
market's together at some instant between its trade and `book_ttl_ms` before it; a row that says it
is out of order may show what is older than the largest trade time so far by the venue's clock as it
ticks now; after that clock was set back this reaches beyond the newest trade. A stored book must be
the true one at the update id that it names.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from qf.schema import BIT
from qf.testing.market.ladder import Best, Book

INVALID = sum(BIT[name] for name in ("unsynced", "gap", "resyncing", "crossed", "stale"))
SECOND_NS = 1_000_000_000
# The way from the venue, and the interval in which differences gather.
SLACK_NS = SECOND_NS

_decode = msgspec.json.Decoder().decode


class Quotes:
    """The best prices of one true market, over time."""

    def __init__(self, tick: float, lot: float, ttl_ns: int) -> None:
        self._tick, self._lot, self._ttl_ns = tick, lot, ttl_ns
        self._times: list[int] = []
        self._bests: list[Best] = []
        self._trades: dict[int, int] = {}  # venue time by trade id
        self._largest = 0  # trade time so far, by the venue's clock
        self.checked = 0

    def note(self, instant: int, best: Best) -> None:
        """Take a change of the best price or size."""
        self._times.append(instant)
        self._bests.append(best)

    def note_trade(self, instant: int, trade_id: int) -> None:
        """Take a trade."""
        self._trades[trade_id] = instant

    def judge(self, line: bytes, book: Callable[[int], Book]) -> str:
        """Return what is wrong with a row, "" for nothing."""
        if line.startswith(b'{"table":"cdm_trade_enriched"'):
            return self._judge_trade(_decode(line))
        if line.startswith(b'{"table":"cdm_lob_l2"'):
            return self._judge_book(_decode(line), book)
        return ""

    def _judge_trade(self, row: Mapping[str, Any]) -> str:
        if row["quality"] & INVALID or not row["bid_price"] or row["bid_price"][0] is None:
            return ""
        if row["ask_price"][0] is None:
            return ""
        at = self._trades.get(row["trade_id"])
        if at is None:
            return f"trade {row['trade_id']} was never printed"
        self.checked += 1
        told = _instant(row["event_time"])
        self._largest = max(self._largest, told)
        late = row["quality"] & BIT["out_of_order"]
        latest = self._largest + at - told if late else at
        shown = Best(
            round(row["bid_price"][0] / self._tick),
            round(row["bid_size"][0] / self._lot),
            round(row["ask_price"][0] / self._tick),
            round(row["ask_size"][0] / self._lot),
        )
        place = bisect_right(self._times, latest + SLACK_NS)
        oldest = at - self._ttl_ns - SLACK_NS
        while place > 0:
            place -= 1
            if self._bests[place] == shown:
                return ""
            if self._times[place] < oldest:
                break
        return f"trade {row['trade_id']} is valid beside {shown}, which the market did not have"

    def _judge_book(self, row: Mapping[str, Any], book: Callable[[int], Book]) -> str:
        if row["quality"] & INVALID or row["last_id"] is None:
            return ""
        self.checked += 1
        truth = book(row["last_id"])
        for name, levels, sign in (("bid", truth.bids, -1), ("ask", truth.asks, 1)):
            prices = [p for p in row[f"{name}_price"] if p is not None]
            shown = [
                (round(price / self._tick), round(size / self._lot))
                for price, size in zip(prices, row[f"{name}_size"], strict=False)
            ]
            best = sorted(levels, key=lambda price: sign * price)[: len(shown)]
            if shown != [(price, levels[price]) for price in best]:
                return f"the stored book at {row['last_id']} is not the true one ({name}s)"
        return ""


def _instant(text: str) -> int:
    """Return an instant of a row in ns; what lies beyond microseconds is left out."""
    return round(datetime.fromisoformat(text).timestamp() * 1e6) * 1_000
