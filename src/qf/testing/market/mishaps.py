"""When things go wrong: independent Poisson clocks per kind of fault, and what is in progress."""

from __future__ import annotations

from numpy.random import Generator

from qf.clock import SECOND_NS
from qf.testing.market.draws import exponentials, uniforms
from qf.testing.market.settings import MarketSettings
from qf.testing.market.wire import Wire

QUIET_START_S = 20.0  # nothing goes wrong before the first book stands
CLOCK_STEP_LASTS_S = 600.0
HOUR_S = 3_600.0


class Mishaps:
    """Say which faults are due, and carry those that last for several frames."""

    def __init__(self, settings: MarketSettings, generator: Generator) -> None:
        self._uniform, self._exponential = uniforms(generator), exponentials(generator)
        rates = settings.faults.per_hour()
        if not settings.face.futures:
            rates["non_market"] = 0.0
        self._every_ns = {
            kind: HOUR_S / rate * SECOND_NS for kind, rate in rates.items() if rate > 0
        }
        first = settings.start_ns + QUIET_START_S * SECOND_NS
        self._next_ns = {
            kind: int(first + every * self._exponential()) for kind, every in self._every_ns.items()
        }
        self._lose_depth = self._lose_trades = 0
        self._lost: list[int] = []  # first and last update id of the depth frames lost
        self._lost_trades: list[int] = []
        self._repeat_trade = self._repeat_depth = False
        self._kinds = tuple(self._next_ns)
        self.soonest_ns = min(self._next_ns.values(), default=2**62)

    def due(self, now_ns: int) -> list[str]:
        """Return the kinds that the market itself must act on; start the others."""
        late = [kind for kind, when in self._next_ns.items() if when <= now_ns]
        stepped = "clock_mend" in self._next_ns
        found = [kind for kind in late if kind != "clock_step" or not stepped]
        for kind in late:
            if kind in self._every_ns:
                wait = self._every_ns[kind] * self._exponential()
                self._next_ns[kind] = int(now_ns + wait)
            else:
                del self._next_ns[kind]
            if kind == "clock_step" and not stepped:
                self._next_ns["clock_mend"] = int(now_ns + CLOCK_STEP_LASTS_S * SECOND_NS)
            elif kind == "gap":
                self._lose_depth = 1 + int(4 * self._uniform())
            elif kind == "trade_gap":
                self._lose_trades = 1 + int(3 * self._uniform())
            elif kind == "duplicate":
                self._repeat_trade = self._uniform() < 0.5
                self._repeat_depth = not self._repeat_trade
        self.soonest_ns = min(self._next_ns.values(), default=2**62)
        return found

    def silence_ns(self) -> int:
        """Return the length of a silence: 4 to 60 s, mostly short."""
        return int(SECOND_NS * (5.0 + 55.0 * self._uniform() ** 3))

    def clock_step_ns(self) -> int:
        """Return how far the receive clock steps back: 3 to 6 s, more than frames lie apart."""
        return int(SECOND_NS * (3.0 + 3.0 * self._uniform()))

    def lose_depth(self, first: int, last: int) -> bool:
        """Say whether this depth frame is lost on the way."""
        if not self._lose_depth:
            return False
        self._lose_depth -= 1
        self._lost += [first, last]
        return True

    def noticed_gap(self) -> tuple[int, int] | None:
        """Return the lost range of update ids once, when the first frame after it leaves."""
        if not self._lost:
            return None
        found = self._lost[0], self._lost[-1]
        self._lost = []
        return found

    def lose_trade(self, wire: Wire, trade_id: int) -> bool:
        """Say whether this trade frame is lost; note the hole when the next one leaves."""
        if self._lose_trades:
            self._lose_trades -= 1
            self._lost_trades.append(trade_id)
            return True
        if self._lost_trades:
            wire.note("trade_gap", self._lost_trades[0], self._lost_trades[-1])
            self._lost_trades = []
        return False

    def trades_in_doubt(self) -> bool:
        """Say whether trade frames are being lost or repeated just now."""
        return bool(self._lose_trades or self._lost_trades or self._repeat_trade)

    def repeat_trade(self) -> bool:
        """Say once whether the trade frame just sent is delivered again."""
        wanted, self._repeat_trade = self._repeat_trade, False
        return wanted

    def repeat_depth(self) -> bool:
        """Say once whether the depth frame just sent is delivered again."""
        wanted, self._repeat_depth = self._repeat_depth, False
        return wanted
