"""The interval of one depth stream: what changed in it, and the ids that chain it to the last."""

from __future__ import annotations

from qf.exchange.audience import Audience
from qf.testing.market.trading import MS, Changes


class Window:
    """Collect the changes of a stream's interval; the market's own intervals are its pieces."""

    def __init__(self, audience: Audience, last_id: int, now_ns: int) -> None:
        self.audience = audience
        self.levels = audience.stream.detail
        self._every_ns = audience.stream.speed_ms * MS
        self._number = now_ns // self._every_ns
        self._previous = last_id  # the last id of the message before
        self.changed = False  # whether anything changed in it
        self._first = self._last = 0
        self._bids: Changes = {}
        self._asks: Changes = {}

    def is_over(self, end_ns: int) -> bool:
        """Say whether the interval that ends now ends this window too."""
        number = end_ns // self._every_ns
        if number == self._number:
            return False
        self._number = number
        return True

    def add(self, ids: tuple[int, int, int], bids: Changes, asks: Changes) -> None:
        """Add the changes of one of the market's intervals; later sizes replace earlier ones."""
        self._first = self._first if self.changed else ids[0]
        self.changed = True
        self._last = ids[1]
        if self._bids or self._asks:
            self._bids |= bids
            self._asks |= asks
        else:
            self._bids, self._asks = dict(bids), dict(asks)

    def take(self) -> tuple[tuple[int, int, int], Changes, Changes]:
        """Return (first id, last id, last id of the message before), bids, asks; start anew."""
        ids = (self._first, self._last, self._previous)
        found = ids, self._bids, self._asks
        self._previous, self.changed = self._last, False
        self._bids, self._asks = {}, {}
        return found
