"""Request weights, and what happens to a client that exceeds them: 429, then 418.

A minute's weight is counted per client from the full minute. Past the limit every answer is 429
with Retry-After; a client that goes on all the same is banned with 418, longer every time.
Source: the venue's public REST documentation.
"""

from __future__ import annotations

from typing import NamedTuple

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
PATIENCE = 5  # requests after a 429 that are only refused again
FIRST_BAN_S = 120
LONGEST_BAN_S = 3 * 86_400
# What arrives so soon after a refusal may have left before that reached its sender.
IN_FLIGHT_NS = 50_000_000


class Verdict(NamedTuple):
    """What becomes of a request: 200, 429 or 418, how long to wait, the weight used so far."""

    status: int
    retry_after_s: int
    used: int


class Offence(NamedTuple):
    """What a good neighbour would not have done."""

    at_ns: int
    client: str
    what: str


class Meter:
    """One client's account."""

    def __init__(self, limit: int, client: str, offences: list[Offence]) -> None:
        self._limit, self._client, self._offences = limit, client, offences
        self._minute = -1
        self.used = 0  # weight of the current minute
        self._until_ns = 0  # requests are refused until then
        self._since_ns = 0  # and since then
        self._status = 200
        self._refused = 0
        self._ban_s = FIRST_BAN_S

    def take(self, now_ns: int, weight: int) -> Verdict:
        """Count a request and say what becomes of it."""
        minute = now_ns // MINUTE_NS
        if minute != self._minute:
            self._minute, self.used = minute, 0
        self.used += weight
        if now_ns < self._until_ns:
            self._insist(now_ns)
        elif self.used > self._limit:
            self.refuse(429, now_ns, (minute + 1) * MINUTE_NS)
        else:
            self._status, self._refused = 200, 0
        wait = -(-max(0, self._until_ns - now_ns) // SECOND_NS)
        return Verdict(self._status, wait if self._status != 200 else 0, self.used)

    def spend(self, now_ns: int, weight: int) -> None:
        """Count weight that somebody else behind the same address used."""
        self.take(now_ns, 0)
        self.used += weight

    def refuse(self, status: int, now_ns: int, until_ns: int) -> None:
        """Refuse everything until then."""
        self._status, self._refused = status, 0
        self._since_ns, self._until_ns = now_ns, until_ns

    def _insist(self, now_ns: int) -> None:
        if now_ns - self._since_ns > IN_FLIGHT_NS:
            what = f"a request during a {self._status}"
            self._offences.append(Offence(now_ns, self._client, what))
        self._refused += 1
        if self._refused >= PATIENCE:
            self.refuse(418, now_ns, max(self._until_ns, now_ns + self._ban_s * SECOND_NS))
            self._ban_s = min(4 * self._ban_s, LONGEST_BAN_S)
