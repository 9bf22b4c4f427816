"""The seeded market: a true book under self-exciting order flow, seen through venue frames.

One interval of the depth stream is one step:
1. the fair price, the regime and the activity move (`latent`);
2. orders and quotes fall into the interval at random instants and change the book (`flow`);
   each sends its trades and, if the best changed, a bookTicker (`frames`);
3. deeper levels breathe; the interval's changes leave as one depth frame;
4. the recorder asks for a snapshot when it starts and after each hole it notices;
5. planted faults come due (`mishaps`) and are noted with their place.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np

from qf.clock import SECOND_NS
from qf.testing.market.draws import exponentials, uniforms
from qf.testing.market.flow import Flow, Print
from qf.testing.market.frames import Frames
from qf.testing.market.ladder import ASK, BID, Best, Book, Ladder
from qf.testing.market.latent import Latent
from qf.testing.market.mishaps import Mishaps
from qf.testing.market.settings import MarketSettings
from qf.testing.market.wire import MS, Fault, Wire

FIRST_UPDATE_ID = 50_093_000_000
FIRST_TRADE_ID = 3_735_000_000
DEEP_CHANGES_PER_S = 1.0
DEEP_EVERY_S = 2.0  # so that the book is never silent for long unless a silence is planted


class Market:
    """A market that runs as far as it is read. The same settings give the same bytes."""

    def __init__(self, settings: MarketSettings | None = None) -> None:
        self.settings = settings or MarketSettings()
        streams = np.random.SeedSequence(self.settings.seed).spawn(5)
        latent, flow, events, wire, mishaps = map(np.random.default_rng, streams)
        face = self.settings.face
        self.now_ns = self.settings.start_ns  # the venue's clock
        self.latent = Latent(self.settings, latent, 10.0**-face.price_decimals)
        self._ladder = Ladder(FIRST_UPDATE_ID, self.settings.keep_truth)
        self._flow = Flow(self.settings, self.latent, self._ladder, flow)
        self._frames = Frames(self.settings)
        self._wire = Wire(self.settings, wire)
        self._mishaps = Mishaps(self.settings, mishaps)
        self._uniform, self._exponential = uniforms(events), exponentials(events)
        self._signs = array("b")  # the aggressor of every trade, by id from FIRST_TRADE_ID
        self._until_order, self._until_quote = self._exponential(), self._exponential()
        self._step_ns = self.settings.step_ms * MS
        self._deep_due = 0.0
        self._sent_ns = 0
        self._mark_ns = self.now_ns
        self._flow.fill()
        self._ladder.take_changes()
        self._depth_id = self._ladder.update_id  # u of the last depth frame
        self._best = self._ladder.best()
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

    def book(self, update_id: int) -> Book:
        """Return the true book, all levels, after every change up to `update_id`."""
        if self._ladder.history is None:
            raise ValueError("this market was made with keep_truth=False")
        return self._ladder.history.book(update_id)

    # --- one step -------------------------------------------------------------------------------

    def _step(self) -> None:
        start = self.now_ns
        if start >= self._mishaps.soonest_ns:
            self._plant(start)
            start = self.now_ns  # later, if a silence was planted
        end = (start // self._step_ns + 1) * self._step_ns
        seconds = (end - start) / SECOND_NS
        self.latent.advance(seconds)
        for drawn, is_order in self._instants(start, end):
            instant = max(drawn, self._sent_ns)
            if start <= self._snapshot_ns <= instant:
                self._snapshot(self._snapshot_ns)
            if is_order:
                self._order(instant)
            else:
                self._flow.quote()
                self._ticker(instant)
        self._breathe(seconds)
        self._ticker(end - MS)
        if self._snapshot_ns <= end:
            self._snapshot(end - MS)
        self._depth(end)
        self._mark(end)
        self.now_ns = end

    def _instants(self, start: int, end: int) -> list[tuple[int, bool]]:
        """Return the instants of orders (True) and quotes (False) in the interval, sorted."""
        seconds = (end - start) / SECOND_NS
        found: list[tuple[int, bool]] = []
        self._until_order -= self.latent.order_rate * seconds
        while self._until_order <= 0:
            found.append((start + int(self._uniform() * (end - start - 2 * MS)), True))
            self._until_order += self._exponential()
        self._until_quote -= self.latent.quote_rate * seconds
        while self._until_quote <= 0:
            found.append((start + int(self._uniform() * (end - start - 2 * MS)), False))
            self._until_quote += self._exponential()
        found.sort()
        return found

    def _breathe(self, seconds: float) -> None:
        """Change deeper levels at a rate that follows the activity, two seconds' worth at once."""
        self._deep_due += seconds * max(DEEP_CHANGES_PER_S, 0.5 * self.latent.quote_rate)
        if self._deep_due >= DEEP_CHANGES_PER_S * DEEP_EVERY_S:
            for _ in range(int(self._deep_due)):
                self._flow.breathe()
            self._deep_due %= 1.0

    def _order(self, instant: int) -> None:
        prints = self._flow.order()
        if self.settings.face.futures:
            self._trades(instant, prints)
            self._ticker(instant)
        else:
            self._ticker(instant)
            self._trades(instant, prints)
        if self._flow.spread() > 1 and self._uniform() < 0.85:
            self._flow.close_spread()
            # what follows is not earlier, so venue times never run backwards
            self._sent_ns = instant + int(MS * (0.3 + 0.7 * self._uniform()))
            self._ticker(self._sent_ns)

    def _trades(self, instant: int, prints: list[Print]) -> None:
        for execution in prints:
            self._trade(instant, execution, "MARKET")

    def _trade(self, instant: int, execution: Print, kind: str) -> None:
        trade_id = FIRST_TRADE_ID + len(self._signs)
        self._signs.append(execution.sign)
        frame = self._frames.trade(trade_id, execution, instant // MS, kind)
        if self._mishaps.lose_trade(self._wire, trade_id):
            return
        self._wire.send(instant, frame)
        if self._mishaps.repeat_trade():
            self._wire.note("duplicate", trade_id, trade_id)
            self._wire.send(instant, frame)

    def _ticker(self, instant: int) -> None:
        """Send a bookTicker if the best price or size changed."""
        best = self._ladder.best()
        if best != self._best:
            self._best: Best = best
            frame = self._frames.ticker(self._ladder.update_id, best, instant // MS)
            self._wire.send(instant, frame)

    def _depth(self, end: int) -> None:
        """Send the interval's changes, best prices first, unless nothing changed."""
        first, bids, asks = self._ladder.take_changes()
        if not first:
            return
        last, previous = self._ladder.update_id, self._depth_id
        self._depth_id = last
        if not self.settings.face.futures:
            first = previous + 1
        frame = self._frames.depth(
            (first, last, previous),
            [(key, bids[key]) for key in sorted(bids, reverse=True)],
            [(-key, asks[key]) for key in sorted(asks, reverse=True)],
            end // MS,
        )
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
        return self._frames.snapshot(ladder.update_id, bids, asks, instant // MS)

    def _mark(self, end: int) -> None:
        if self.settings.face.futures and end >= self._mark_ns:
            every = SECOND_NS if self.settings.intensity >= 5 else 3 * SECOND_NS
            self._mark_ns = (end // every + 1) * every
            middle = 0.5 * (self._best.bid + self._best.ask)
            self._wire.send(end, self._frames.mark_price(middle, end // MS))

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
