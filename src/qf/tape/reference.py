"""How far the venue's clock is from the receiver's, from what was seen so far.

    offset = event time - receive time of the last frame that was believed

A frame within an hour of it is believed and moves it. A frame further away is refused, until so
many in a row agree on another offset that one clock must have been set (REFERENCE_MOVES_AFTER).

Nothing stands behind the first timed frame, so it is believed at once only where the two clocks
agree within an hour. Otherwise it waits for one that does, or for one more that says the same: a
recorder in another time zone is an offset and no defect, one wrong first frame is a defect.
"""

from __future__ import annotations

from typing import Any

from qf.clock import SECOND_NS

HOUR_NS = 3600 * SECOND_NS
REFERENCE_MOVES_AFTER = 8


class Reference:
    """The clock offset of one symbol in ns, fed frame by frame; state is a few integers.

    `timed` is false for archives without receive times: they have no offset, and nothing is far.
    """

    def __init__(self, timed: bool) -> None:
        self.timed = timed
        self.offset: int | None = None
        self.doubted: list[int] = []  # offsets of the first frames, while none is believed
        self._strangers, self._strange = 0, 0  # how many in a row, the offset of the last

    @property
    def is_open(self) -> bool:
        """Say whether no timed frame was believed yet."""
        return self.timed and self.offset is None

    def settle(self, offset: int) -> bool:
        """Take the offset of one more timed frame while open; say whether one is believed now."""
        near = abs(offset) <= HOUR_NS
        if near or any(abs(offset - other) <= HOUR_NS for other in self.doubted):
            self.offset = offset
            return True
        self.doubted.append(offset)
        if len(self.doubted) == REFERENCE_MOVES_AFTER:
            self.believe_the_first()
        return self.offset is not None

    def believe_the_first(self) -> None:
        """End the doubt where nothing decides it."""
        self.offset = self.doubted[0]

    def far(self, event: int, raw_time: int, time: int) -> bool:
        """Say whether the clocks moved apart: against the raw and against the stamped time."""
        if self.offset is None:
            return False
        for received in (time, raw_time):
            if abs(event - received - self.offset) <= HOUR_NS:
                self.offset, self._strangers = event - received, 0
                return False
        strange = event - raw_time
        agrees = self._strangers > 0 and abs(strange - self._strange) <= HOUR_NS
        self._strangers, self._strange = self._strangers * agrees + 1, strange
        if self._strangers < REFERENCE_MOVES_AFTER:
            return True
        self.offset, self._strangers = strange, 0
        return False

    def state(self) -> dict[str, Any]:
        """Return everything that was learnt, as JSON values."""
        return {
            "offset": self.offset,
            "doubted": list(self.doubted),
            "strangers": [self._strangers, self._strange],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.offset, self.doubted = state["offset"], list(state["doubted"])
        self._strangers, self._strange = state["strangers"]
