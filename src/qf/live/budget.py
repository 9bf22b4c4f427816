"""What may be asked of a venue's REST interface: a bucket of request weight, and its bans.

    in any minute at most  burst + refill = 30 % + 50 % = 80 %  of the venue's limit

so a bucket that was full when the minute began stays within it too. What the venue says it has
counted (other programs share the address) is believed where it is more. A 429 or 418 is a ban until
its Retry-After is over; without that header the wait doubles from `BAN_S` on. Times are monotonic
ns; `saved` and `load` carry what is left over a restart by the wall clock, because a ban does not
end with the process.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from qf.clock import SECOND_NS

MINUTE_NS = 60 * SECOND_NS
BURST, REFILL, SHARE = 0.3, 0.5, 0.8
BAN_S, LONGEST_BAN_S = 60.0, 3 * 86_400.0
BANS = (418, 429)
ROUNDING = 1e-6  # of a weight: tokens are added up in many small steps


@dataclass
class Budget:
    """The bucket of one venue."""

    limit_per_minute: int
    tokens: float = field(init=False)
    banned_until: int = 0  # monotonic ns
    strikes: int = 0
    bans: int = 0
    spent: int = 0
    _at: int | None = None

    def __post_init__(self) -> None:
        self.tokens = self.limit_per_minute * BURST

    def wait_ns(self, weight: int, now: int) -> int:
        """Return how long a request of this weight has to wait; 0 means now."""
        self._refill(now)
        if now < self.banned_until:
            return self.banned_until - now
        lacking = min(weight, self.limit_per_minute * BURST) - self.tokens
        if lacking <= ROUNDING:
            return 0
        return int(lacking / (self.limit_per_minute * REFILL) * MINUTE_NS) + 1

    def spend(self, weight: int, now: int) -> None:
        """Take a request's weight out; it may go below zero for one heavier than the bucket."""
        self._refill(now)
        self.tokens -= weight
        self.spent += weight

    def answered(self, status: int, retry_after: str, used: str, now: int) -> None:
        """Take in an answer's status and headers: a ban, and the weight the venue has counted."""
        if status in BANS:
            self._ban(retry_after, now)
            return
        self.strikes = 0
        counted = int(used) if used.isascii() and used.isdigit() and len(used) < 10 else 0
        if counted > self.limit_per_minute * SHARE:
            self.banned_until = max(self.banned_until, now + MINUTE_NS)

    def is_banned(self, now: int) -> bool:
        """Say whether no request may leave at all."""
        return now < self.banned_until

    def saved(self, now: int, wall: int) -> dict[str, float]:
        """Return what a restarted process has to know."""
        self._refill(now)
        return {
            "wall": wall,
            "tokens": self.tokens,
            "banned_ns": max(0, self.banned_until - now),
            "strikes": self.strikes,
        }

    def load(self, saved: dict[str, float], now: int, wall: int) -> None:
        """Go on where another process stopped; a wall clock that ran back counts as no time."""
        gone = max(0, wall - int(saved["wall"]))
        room = self.limit_per_minute * BURST
        refilled = float(saved["tokens"]) + gone / MINUTE_NS * self.limit_per_minute * REFILL
        self.tokens = min(room, refilled)
        left = min(int(saved["banned_ns"]) - gone, int(LONGEST_BAN_S * SECOND_NS))
        self.banned_until = now + max(0, left)
        self.strikes = int(saved["strikes"])
        self._at = now

    def _refill(self, now: int) -> None:
        if self._at is not None:
            made = (now - self._at) / MINUTE_NS * self.limit_per_minute * REFILL
            self.tokens = min(self.limit_per_minute * BURST, self.tokens + made)
        self._at = now

    def _ban(self, retry_after: str, now: int) -> None:
        self.bans += 1
        self.strikes += 1
        doubled = min(LONGEST_BAN_S, BAN_S * 2.0 ** min(self.strikes - 1, 12))
        told = retry_after.strip()
        seconds = doubled
        if told.isascii() and told.isdigit() and len(told) < 10:
            seconds = min(LONGEST_BAN_S, float(told) + 1.0)
        self.banned_until = max(self.banned_until, now + int(seconds * SECOND_NS))
