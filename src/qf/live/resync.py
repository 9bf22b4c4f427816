"""When to ask for a snapshot of a book: once the differences flow, and never twice at a time.

    idle ──book unusable, depth live──► asked ──answer offered──► settling ──valid──► idle
      ▲                                   │ failed                    │ still unusable
      └──────────────── back-off ◄────────┴───────────────────────────┘

Before the first difference a snapshot could be older than all of them, and could not be joined to
any. Behind the answer the engine needs time to read it: `SETTLE_NS`. A snapshot that was read and
waits for its bridging difference is left alone for `BRIDGE_NS`. Monotonic ns.
"""

from __future__ import annotations

from dataclasses import dataclass

from qf.clock import SECOND_NS
from qf.live.backoff import Backoff

SETTLE_NS = SECOND_NS
BRIDGE_NS = 10 * SECOND_NS
# Why a book is not valid: those that a snapshot cures, and those where one is there already.
CURED = ("unsynced", "gap", "crossed")
BRIDGING = ("resyncing", "awaiting")


@dataclass
class Resync:
    """The snapshots of one symbol."""

    backoff: Backoff
    in_flight: bool = False
    asked: int = 0
    not_before: int = 0
    valid_since: int | None = None
    bridging_since: int | None = None

    def wants(self, reason: str, depth_live: bool, now: int) -> bool:
        """Say whether to ask now; `reason` is "" where the book is valid."""
        bridging = reason in BRIDGING
        if not bridging:
            self.bridging_since = None
        if reason not in CURED and not bridging:
            self._is_valid(now)
            return False
        self.valid_since = None
        if not depth_live or self.in_flight or now < self.not_before:
            return False
        if bridging:
            if self.bridging_since is None:
                self.bridging_since = now
            return now - self.bridging_since >= BRIDGE_NS
        return True

    def ask(self) -> None:
        """Note that a request is under way."""
        self.in_flight = True
        self.asked += 1

    def answered(self, now: int) -> None:
        """Note that the answer has gone to the engine; the next request comes later each time."""
        self.in_flight = False
        self.bridging_since = None
        self.not_before = now + SETTLE_NS + int(self.backoff.next() * SECOND_NS)

    def failed(self, now: int) -> None:
        """Note that there was no answer, or none that is a snapshot."""
        self.in_flight = False
        self.not_before = now + int(self.backoff.next() * SECOND_NS)

    def _is_valid(self, now: int) -> None:
        if self.valid_since is None:
            self.valid_since = now
        self.backoff.held((now - self.valid_since) / SECOND_NS)
