"""Trades in the order of their ids: what is missing is waited for, asked for, or declared.

    id == next   goes on, and with it what was held behind it
    id <  next   goes on: the tape counts the repeat
    id >  next   is held while the hole is asked for

A hole ends in one of three ways: it is filled, over REST or by another connection; its time is up;
or it is larger than what one may ask for. Then what was held behind it goes on in order, and the
tape flags the first of it `trade_gap`. At most MOST_HELD frames and MOST_BYTES bytes are held per
symbol. Monotonic ns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from qf.clock import SECOND_NS

GRACE_NS = SECOND_NS // 10  # another connection may still bring it
LONGEST_NS = 3 * SECOND_NS
MOST_ASKED = 10_000
MOST_HELD, MOST_BYTES = 20_000, 8 << 20

Held = TypeVar("Held")


@dataclass
class TradeHoles(Generic[Held]):
    """The trades of one symbol; `next_id` is None until a first id is known."""

    next_id: int | None = None
    held: dict[int, tuple[Held, int]] = field(default_factory=dict)  # id -> frame, its bytes
    bytes_held: int = 0
    first_held: int = 0
    opened: int | None = None
    found: int = 0
    filled: int = 0
    declared: int = 0  # trades that stayed missing

    def take(self, trade_id: int, frame: Held, size: int, now: int) -> list[Held]:
        """Return the frames that go on, in order, now that this one has come."""
        if self.next_id is None or trade_id < self.next_id:
            self.next_id = trade_id + 1 if self.next_id is None else self.next_id
            return [frame]
        if trade_id == self.next_id:
            self.next_id += 1
            return [frame, *self._follow()]
        if trade_id in self.held:
            return [frame]
        if self.opened is None:
            self.opened = now
            self.found += 1
        self.first_held = min(self.first_held, trade_id) if self.held else trade_id
        self.held[trade_id] = (frame, size)
        self.bytes_held += size
        released: list[Held] = []
        while self._is_hopeless():
            released += self.give_up(now)
        return released

    def fill(self, trade_id: int, frame: Held, now: int) -> list[Held]:
        """Return the frames that go on with a trade that was asked for; none if it is known.

        What is filled in order buys time for the rest: a long hole takes several requests.
        """
        if self.opened is None or trade_id != self.next_id:
            return []
        self.next_id = trade_id + 1
        self.filled += 1
        self.opened = max(self.opened, now - GRACE_NS)
        return [frame, *self._follow()]

    def missing(self, now: int) -> tuple[int, int] | None:
        """Return first and last id to ask for, once the grace is over."""
        if self.opened is None or self.next_id is None or now - self.opened < GRACE_NS:
            return None
        return self.next_id, self.first_held - 1

    def is_late(self, now: int) -> bool:
        """Say whether a hole has been open for too long: `give_up` ends it."""
        return self.opened is not None and now - self.opened >= LONGEST_NS

    def give_up(self, now: int) -> list[Held]:
        """Declare the first hole, and return what was held behind it, up to the next one."""
        if not self.held or self.next_id is None:
            return []
        self.declared += self.first_held - self.next_id
        self.next_id = self.first_held
        released = self._follow()
        if self.held:
            self.opened = now
            self.found += 1
        return released

    def _follow(self) -> list[Held]:
        released = []
        while self.next_id is not None and self.next_id in self.held:
            frame, size = self.held.pop(self.next_id)
            released.append(frame)
            self.bytes_held -= size
            self.next_id += 1
        if not self.held:
            self.opened = None
        elif released:
            self.first_held = min(self.held)
        return released

    def _is_hopeless(self) -> bool:
        if not self.held or self.next_id is None:
            return False
        missing = self.first_held - self.next_id
        return missing > MOST_ASKED or len(self.held) > MOST_HELD or self.bytes_held > MOST_BYTES
