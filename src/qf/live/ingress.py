"""The queue between the sockets and the journal: bounded in frames and in bytes.

Whoever reads a socket offers a frame. At the cap the offer is refused: a book difference is then
dropped (conflated: the symbol resyncs), a trade waits, and with it the reading of its socket.
"""

from __future__ import annotations

import asyncio
from collections import deque

from qf.tape.journal import Frame

MOST_FRAMES = 65_536
MOST_BYTES = 128 << 20


class Ingress:
    """Frames that are not yet in the journal, with the monotonic time of their arrival."""

    def __init__(self, frames: int = MOST_FRAMES, size: int = MOST_BYTES) -> None:
        self._most_frames, self._most_bytes = frames, size
        self._waiting: deque[tuple[Frame, int]] = deque()
        self.bytes = 0
        self.refused = 0
        self.deepest = 0
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, frame: Frame, now_ns: int) -> bool:
        """Take a frame; False at the cap, and then it is not taken."""
        depth = len(self._waiting)
        if depth >= self._most_frames or self.bytes >= self._most_bytes:
            self.refused += 1
            self._room.clear()
            return False
        self._waiting.append((frame, now_ns))
        self.bytes += len(frame.payload)
        self.deepest = max(self.deepest, depth + 1)
        if not depth:
            self._some.set()
        return True

    async def room(self) -> None:
        """Return when there is room again."""
        await self._room.wait()

    async def some(self) -> None:
        """Return when a frame waits, or when `wake` was called."""
        await self._some.wait()

    def wake(self) -> None:
        """Let `some` return though nothing waits."""
        self._some.set()

    def take(self, most: int) -> list[tuple[Frame, int]]:
        """Return the oldest frames, at most so many."""
        waiting = self._waiting
        taken = [waiting.popleft() for _ in range(min(most, len(waiting)))]
        self.bytes -= sum(len(frame.payload) for frame, _ in taken)
        if not waiting:
            self._some.clear()
        # Half of the room must be free again, else every frame would wake whoever waits.
        if 2 * len(waiting) <= self._most_frames and 2 * self.bytes <= self._most_bytes:
            self._room.set()
        return taken
