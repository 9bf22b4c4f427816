"""How the ids of a stream must continue, for the report: one small machine per kind of stream.

These only name what they saw. After an anomaly both continuations are remembered, so one bad
frame is one finding and the frames after it are clean, wherever the stream goes on.
"""

from __future__ import annotations

# An id in a frame that went to quarantine is believed when it is this close ahead.
NEAR = 1_000_000


class Chain:
    """Trade ids, or update ids of a book: each message starts after the previous one ends.

    Futures messages name the end of the one before (`prev_id`), which decides where it is given.
    """

    def __init__(self, gap: str = "id_gap") -> None:
        self.gap = gap
        self.last: int | None = None
        self._other: int | None = None

    def step(self, first: int, last: int, prev: int, quarantined: bool) -> str:
        """Return the rule that this message breaks, or "". A bad frame moves the chain only near.

        `prev` is negative where the venue does not give it.
        """
        before = self.last
        if before is None:
            if not quarantined:
                self.last = last
            return ""
        named = prev >= 0
        start = prev if named else first - 1
        note = self._note(before, start, last, named)
        if quarantined and not 0 < last - before <= NEAR:
            return note
        if note or start != before:
            self._other = before
        self.last = last
        return note

    def state(self) -> list[int | None]:
        """Return the two ids that the next message may follow."""
        return [self.last, self._other]

    def restore(self, state: list[int | None]) -> None:
        """Go on where `state` was taken."""
        self.last, self._other = state

    def _note(self, before: int, start: int, last: int, named: bool) -> str:
        if start == before and last > before:
            return ""
        if last <= before:
            return "id_repeat" if last == before else "id_order"
        if start == self._other:
            return ""
        return self.gap if named or start > before else "id_order"


class Ascending:
    """Ids that only have to grow: tickers, snapshots."""

    def __init__(self) -> None:
        self.last: int | None = None

    def step(self, first: int, last: int, prev: int, quarantined: bool) -> str:
        """Return the rule that this message breaks, or ""."""
        before = self.last
        if quarantined:
            return ""
        self.last = last
        if before is None or last > before:
            return ""
        return "id_repeat" if last == before else "id_order"

    def state(self) -> list[int | None]:
        """Return the last id."""
        return [self.last]

    def restore(self, state: list[int | None]) -> None:
        """Go on where `state` was taken."""
        (self.last,) = state


def _trades() -> Chain:
    return Chain("trade_gap")


CHAINS = {
    "depth": Chain,
    "trade": _trades,
    "agg_trade": _trades,
    "bbo": Ascending,
    "snapshot": Ascending,
}
