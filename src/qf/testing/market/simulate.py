"""The seeded market: a true book under self-exciting order flow, seen through venue frames.

One step is one interval of trading (`trading`), seen by one recorder:
1. planted faults come due (`mishaps`) and are noted with their place;
2. each order sends its trades and, if the best changed, a bookTicker (`frames`);
3. the interval's changes leave as one depth frame;
4. of a futures market, the mark price follows, and what is told with it (`positions`);
5. the recorder asks for a snapshot when it starts and after each hole it notices.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from qf.clock import SECOND_NS
from qf.testing.market.flow import Print
from qf.testing.market.frames import Frames, Streams
from qf.testing.market.ladder import ASK, BID
from qf.testing.market.mishaps import Mishaps
from qf.testing.market.positions import Liquidations
from qf.testing.market.settings import MarketSettings
from qf.testing.market.trading import FIRST_TRADE_ID, MS, Changes, Trading
from qf.testing.market.wire import Fault, Wire

INTEREST_NS = 10 * SECOND_NS  # between two questions for the open interest


class Market(Trading):
    """A market that runs as far as it is read. The same settings give the same bytes."""

    def __init__(self, settings: MarketSettings | None = None) -> None:
        super().__init__(settings or MarketSettings())
        wire, mishaps = self._rest
        self._frames, self._streams = Frames(self.settings), Streams(self.settings)
        self._wire = Wire(self.settings, wire)
        self._mishaps = Mishaps(self.settings, mishaps)
        self._signs = array("b")  # the aggressor of every trade, by id from FIRST_TRADE_ID
        self._mark_ns = self._interest_ns = self.now_ns
        self._liquidations = Liquidations()
        self._snapshot_ns = self.now_ns + int(2.4 * self._step_ns)  # when it will be asked for

    # --- what a recorder sees -------------------------------------------------------------------

    def frames(self, seconds: float) -> Iterator[tuple[int, bytes]]:
        """Run on for `seconds` of venue time and yield (receive time in ns, frame).

        Times need not be sorted: the recorder's clock may step back. Reading in several pieces
        gives the same bytes as reading at once, as long as the pieces are whole steps.
        """
        until = self.now_ns + round(seconds * SECOND_NS)
        while self.now_ns < until:
            self._step()
            yield from self._wire.received
            self._wire.received.clear()

    def lines(self, seconds: float) -> Iterator[bytes]:
        """Run on like `frames`, yielding lines of a capture file: `<receive ns> <frame>`."""
        for receive_ns, frame in self.frames(seconds):
            yield b"%d %b\n" % (receive_ns, frame)

    # --- the truth ------------------------------------------------------------------------------

    @property
    def faults(self) -> list[Fault]:
        """Return the faults planted so far, in order."""
        return self._wire.faults

    @property
    def trade_count(self) -> int:
        """Return how many trades the venue has printed (lost frames included)."""
        return len(self._signs)

    def aggressor(self, trade_id: int) -> int:
        """Return +1 if the buyer crossed the spread in this trade, -1 if the seller did."""
        return self._signs[trade_id - FIRST_TRADE_ID]

    # --- one step -------------------------------------------------------------------------------

    def _step(self) -> None:
        if self.now_ns >= self._mishaps.soonest_ns:
            self._plant(self.now_ns)
        start = self.now_ns  # later, if a silence was planted
        end = (start // self._step_ns + 1) * self._step_ns
        for instant in self._interval():
            if instant < end - MS and start <= self._snapshot_ns <= instant:
                self._snapshot(self._snapshot_ns)
            elif instant == end and self._snapshot_ns <= end:
                self._snapshot(end - MS)
        self._mark(end)

    def _trades(self, instant: int, prints: list[Print]) -> None:
        for execution in prints:
            self._trade(instant, execution, "MARKET")

    def _trade(self, instant: int, execution: Print, kind: str) -> None:
        trade_id = FIRST_TRADE_ID + len(self._signs)
        self._signs.append(execution.sign)
        trade = self._frames.trade(trade_id, execution, instant // MS, kind)
        frame = self._streams.frame("trade", trade)
        if self._mishaps.lose_trade(self._wire, trade_id):
            return
        self._wire.send(instant, frame)
        if self._mishaps.repeat_trade():
            self._wire.note("duplicate", trade_id, trade_id)
            self._wire.send(instant, frame)

    def _quoted(self, instant: int) -> None:
        ticker = self._frames.ticker(self._ladder.update_id, self._best, instant // MS)
        self._wire.send(instant, self._streams.frame("bookTicker", ticker))

    def _changed(self, end: int, ids: tuple[int, int, int], bids: Changes, asks: Changes) -> None:
        """Send the interval's changes, best prices first."""
        depth = self._frames.depth(
            ids,
            [(key, bids[key]) for key in sorted(bids, reverse=True)],
            [(-key, asks[key]) for key in sorted(asks, reverse=True)],
            end // MS,
        )
        frame = self._streams.frame(self._streams.depth, depth)
        first, last, _ = ids
        if self._mishaps.lose_depth(first, last):
            return
        lost = self._mishaps.noticed_gap()
        if lost:
            self._wire.note("gap", *lost)
            self._snapshot_ns = end + int(SECOND_NS * (0.4 + 1.2 * self._uniform()))
        self._wire.send(end, frame)
        if self._mishaps.repeat_depth():
            self._wire.note("duplicate", first, last)
            self._wire.send(end, frame)

    def _snapshot(self, instant: int) -> None:
        self._snapshot_ns = self.now_ns + 10**18
        self._wire.answer(instant, self._snapshot_body(instant))

    def _snapshot_body(self, instant: int) -> bytes:
        ladder, limit = self._ladder, self.settings.snapshot_levels
        bids = [(key, ladder.sizes[BID][key]) for key in ladder.keys[BID][: -limit - 1 : -1]]
        asks = [(-key, ladder.sizes[ASK][key]) for key in ladder.keys[ASK][: -limit - 1 : -1]]
        return self._frames.snapshot(ladder.update_id, bids, asks, instant // MS).encode()

    def _mark(self, end: int) -> None:
        if self.settings.face.futures and end >= self._mark_ns:
            every = SECOND_NS if self.settings.intensity >= 5 else 3 * SECOND_NS
            self._mark_ns = (end // every + 1) * every
            middle = 0.5 * (self._best.bid + self._best.ask)
            mark = self._frames.mark_price(middle, end // MS)
            self._wire.send(end, self._streams.frame(self._streams.mark, mark))
            forced = self._liquidations.look(middle)
            if forced is not None:
                order = self._frames.forced_order(forced, end // MS)
                self._wire.send(end, self._streams.frame("forceOrder", order))
            if end >= self._interest_ns:
                self._interest_ns = end + INTEREST_NS
                self._wire.send(end, self._frames.open_interest(end // MS).encode())

    def _plant(self, start: int) -> None:
        """Let the mishaps due by now happen; a silence moves the venue's clock."""
        for kind in self._mishaps.due(start):
            if kind == "silence":
                length = self._mishaps.silence_ns() // self._step_ns * self._step_ns
                self._wire.note("silence", start, start + length)
                self.latent.advance(length / SECOND_NS)
                self.now_ns = start + length
            elif kind == "burst":
                self.latent.burst(3.0 + 5.0 * self._uniform())
            elif kind == "clock_step":
                self._wire.step_clock(self._mishaps.clock_step_ns())
            elif kind == "clock_mend":
                self._wire.step_clock(0)
            elif kind == "non_market" and not self._mishaps.trades_in_doubt():
                self._insurance_print(start)

    def _insurance_print(self, instant: int) -> None:
        """Print a trade of the insurance fund, far from the book and not made in it."""
        sign = 1 if self._uniform() < 0.5 else -1
        trade_id = FIRST_TRADE_ID + len(self._signs)
        self._wire.note("non_market", trade_id, trade_id)
        size = 1 + int(1_000 * self._uniform())
        self._trade(instant, Print(round(0.98 * self._best.bid), size, sign), "INSURANCE_FUND")
