"""Where the journal is cut into epochs: files end and checkpoints stand only there.

An epoch ends behind so many frames, or before the first frame of the next period of receive time.
Both are decided by the frames alone, so a replay cuts where the first time cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qf.clock import SECOND_NS
from qf.tape.journal import Frame

EPOCH_FRAMES = 100_000
PERIOD_SECONDS = 300


class Epochs:
    """Count frames and watch their times; state is three integers."""

    def __init__(self, frames: int = EPOCH_FRAMES, period_s: float = PERIOD_SECONDS) -> None:
        self._most, self._period = frames, round(period_s * SECOND_NS)
        self.position = 0  # of the next frame
        self.first = 0  # of the epoch in hand
        self._slot: int | None = None

    def take(self, frames: Sequence[Frame]) -> int:
        """Return how many of the frames belong to the epoch in hand, and count those.

        Fewer than all of them: the epoch ends there.
        """
        room = min(len(frames), self.first + self._most - self.position)
        for place in range(room):
            slot = frames[place].processed_time // self._period
            if self._slot is None:
                self._slot = slot
            elif slot > self._slot:
                room = place
                break
        self.position += room
        return room

    @property
    def is_full(self) -> bool:
        """Say whether no further frame belongs to the epoch in hand."""
        return self.position - self.first >= self._most

    def end(self) -> None:
        """Begin the next epoch, at the next frame."""
        self.first, self._slot = self.position, None

    def state(self) -> dict[str, Any]:
        """Return where it stands, as JSON values."""
        return {"position": self.position, "rule": [self._most, self._period]}

    def restore(self, state: dict[str, Any]) -> None:
        """Begin an epoch where `state` was taken: at the end of another."""
        self.position = self.first = state["position"]
        self._slot = None
