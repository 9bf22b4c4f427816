"""One symbol on the exchange: its market, what it printed, and who is told.

A message is written only for those who subscribed. Nothing that a client does changes the market,
so its truth is a function of the seed alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial

from qf.exchange.audience import Audience
from qf.exchange.candles import Candles
from qf.exchange.trade_tape import FIRST_AGGREGATE_ID, TradeTape
from qf.exchange.windows import Window
from qf.testing.market import Book, MarketSettings
from qf.testing.market.flow import Print
from qf.testing.market.frames import Frames
from qf.testing.market.ladder import ASK, BID, Best
from qf.testing.market.positions import Liquidations
from qf.testing.market.trading import FIRST_UPDATE_ID, MS, Changes, Trading

STEP_MS = 100
RESET_IDS = 1_000_000_000  # how far the ids run back when the venue starts them anew
REMEMBERED = 1_200  # intervals whose ids are kept, for a stale snapshot
SECOND_NS = 1_000_000_000
FAR_TICKS = 40_000  # further than the levels that a book keeps at hand


class Listing(Trading):
    """A market at ten intervals a second, with its streams and its tape of trades."""

    def __init__(self, settings: MarketSettings) -> None:
        super().__init__(settings)
        self._step_ns = STEP_MS * MS
        self.symbol = settings.symbol
        self.frames = Frames(settings)
        self.tape = TradeTape()
        self.halted_until = 0  # ns; past ones stay, so that one can ask
        self._leaves: tuple[int, int] | None = None  # the side that leaves the book, until when
        self.clock_ms = 0  # by how much the venue's own clock is wrong
        self._kind = "MARKET"
        self._audiences: dict[str, Audience] = {}
        self._trade: Audience | None = None
        self._aggregate: Audience | None = None
        self._book_ticker: Audience | None = None
        self._windows: list[Window] = []
        self._candles: list[Candles] = []
        # What is told at the end of an interval of its own: the message of a time, if there is one.
        self._slow: dict[Audience, Callable[[int], str | None]] = {}
        self._back = 0
        self._recent: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)  # (time, last id)
        # Who is told the truth as it happens: a new best (instant, best), a trade (instant, id).
        self.on_quote: Callable[[int, Best], None] | None = None
        self.on_trade: Callable[[int, int], None] | None = None

    # --- the truth ------------------------------------------------------------------------------

    @property
    def update_id(self) -> int:
        """Return the book's update id now, as the venue says it."""
        return self._ladder.update_id - self._back

    @property
    def best(self) -> Best:
        """Return the best bid and ask now."""
        return self._best

    def true_book(self, update_id: int | None = None) -> Book:
        """Return the whole book after every change up to one of the venue's update ids, or now."""
        return self.book(self.own_id(self.update_id if update_id is None else update_id))

    def own_id(self, update_id: int) -> int:
        """Return the market's own id of a venue's: they differ where the venue began anew.

        Ids run back by RESET_IDS, further than a market comes, so only one of its own fits; what
        happened before the ids ran back may be told after, in the new ones.
        """
        own = FIRST_UPDATE_ID + (update_id - FIRST_UPDATE_ID) % RESET_IDS
        return own if own <= self._ladder.update_id else update_id

    def id_before(self, ns: int) -> int:
        """Return the venue's update id at a time a little ago."""
        found = self._recent[0][1] if self._recent else self._ladder.update_id
        for at, last in self._recent:
            if at > ns:
                break
            found = last
        return found - self._back

    # --- what the exchange does with it ---------------------------------------------------------

    def instants(self) -> Iterator[int]:
        """Run for ever, yielding each instant before what happens at it does."""
        while True:
            if self._leaves is not None:
                yield from self._leave(*self._leaves)
            until = self.halted_until // self._step_ns * self._step_ns
            if until > self.now_ns:
                self.latent.advance((until - self.now_ns) / SECOND_NS)
                self.now_ns = max(until, self.now_ns)
                yield self.now_ns
            self._flow.restore(FAR_TICKS)
            yield from self._interval()

    def withdraw(self, side: int, until_ns: int) -> None:
        """Let a side leave the book at the next interval; nobody trades until it is back."""
        self._leaves = side, until_ns

    def _leave(self, side: int, until_ns: int) -> Iterator[int]:
        self._leaves = None
        self._flow.withdraw(side)
        self.halted_until = max(self.halted_until, until_ns)
        end = (self.now_ns // self._step_ns + 1) * self._step_ns
        yield end
        self._close(end)
        self.now_ns = end

    def reset_ids(self) -> None:
        """Let the venue's update ids begin anew, far below the last ones."""
        self._back += RESET_IDS

    def attach(self, audience: Audience) -> None:
        """Begin to write a stream."""
        stream = audience.stream
        if stream.channel == "trade":
            self._trade = audience
        elif stream.channel == "aggTrade":
            self._aggregate = audience
        elif stream.channel == "bookTicker":
            self._book_ticker = audience
        elif stream.channel in ("depth", "partial"):
            self._windows.append(Window(audience, self._depth_id, self.now_ns))
        elif stream.channel == "kline":
            self._candles.append(Candles(audience, self.frames, self.symbol))
        elif stream.channel == "markPrice":
            self._slow[audience] = self._mark
        elif stream.channel == "forceOrder":
            self._slow[audience] = partial(self._force, Liquidations())

    def detach(self, audience: Audience) -> None:
        """Stop writing a stream that nobody listens to."""
        self._trade = None if self._trade is audience else self._trade
        self._aggregate = None if self._aggregate is audience else self._aggregate
        self._book_ticker = None if self._book_ticker is audience else self._book_ticker
        self._windows = [window for window in self._windows if window.audience is not audience]
        self._candles = [candles for candles in self._candles if candles.audience is not audience]
        self._slow.pop(audience, None)

    def levels(self, limit: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return the best levels per side now, (ticks, lots), best first."""
        ladder = self._ladder
        bids = [(key, ladder.sizes[BID][key]) for key in ladder.keys[BID][: -limit - 1 : -1]]
        asks = [(-key, ladder.sizes[ASK][key]) for key in ladder.keys[ASK][: -limit - 1 : -1]]
        return bids, asks

    # --- what happens in the market -------------------------------------------------------------

    def _trades(self, instant: int, prints: list[Print]) -> None:
        tape, time_ms = self.tape, instant // MS + self.clock_ms
        opened, price = tape.aggregate_count, None
        for execution in prints:
            trade_id = tape.next_id
            if self.on_trade is not None:
                self.on_trade(instant, trade_id)
            tape.add(execution, time_ms, opens=execution.price != price)
            price = execution.price
            if self._trade is not None:
                payload = self.frames.trade(trade_id, execution, time_ms, self._kind)
                self._trade.send(instant, payload, trade_id, trade_id)
        if self._aggregate is not None:
            for each in tape.aggregates(FIRST_AGGREGATE_ID + opened, len(prints)):
                ids = (each.id, each.first_id, each.last_id)
                whole = Print(each.price, each.size, each.sign)
                payload = self.frames.aggregate(ids, whole, time_ms)
                self._aggregate.send(instant, payload, each.id, each.id)
        if self._candles:
            for trade in tape.latest(len(prints)):
                for candles in self._candles:
                    candles.add(trade, instant)

    def _quoted(self, instant: int) -> None:
        if self.on_quote is not None:
            self.on_quote(instant, self._best)
        if self._book_ticker is not None:
            update_id = self.update_id
            time_ms = instant // MS + self.clock_ms
            payload = self.frames.ticker(update_id, self._best, time_ms)
            self._book_ticker.send(instant, payload, update_id, update_id)

    def _changed(self, end: int, ids: tuple[int, int, int], bids: Changes, asks: Changes) -> None:
        self._recent.append((end, ids[1]))
        for window in self._windows:
            window.add(ids, bids, asks)

    def _passes_over(self, end: int, seconds: float) -> bool:
        if self._ladder.first_changed or self._breathes(seconds):
            return False
        for window in self._windows:
            if window.changed:
                return False
        for candles in self._candles:
            if candles.changed:
                return False
        for audience in self._slow:  # noqa: SIM110 - called for every interval
            if self._ends(audience, end):
                return False
        return True

    def _ends(self, audience: Audience, end: int) -> bool:
        """Say whether the interval of a slow stream ends here."""
        return end % (audience.stream.speed_ms * MS) < self._step_ns

    def _close(self, end: int) -> None:
        super()._close(end)
        for window in self._windows:
            if window.is_over(end) and window.changed:
                self._send_window(window, end)
        if self._candles:
            every = 250 * MS if self.settings.face.futures else SECOND_NS
            if end % every < self._step_ns:
                for candles in self._candles:
                    candles.tell(end)
        for audience, message in self._slow.items():
            if self._ends(audience, end):
                payload = message(end // MS + self.clock_ms)
                if payload is not None:
                    audience.send(end, payload, 0, 0)

    def _mark(self, time_ms: int) -> str:
        return self.frames.mark_price(self._middle(), time_ms)

    def _force(self, liquidations: Liquidations, time_ms: int) -> str | None:
        forced = liquidations.look(self._middle())
        return None if forced is None else self.frames.forced_order(forced, time_ms)

    def _middle(self) -> float:
        return 0.5 * (self._best.bid + self._best.ask)

    def _send_window(self, window: Window, end: int) -> None:
        """Send a difference, or the best levels, of the window that is over."""
        (first, last, previous), bids, asks = window.take()
        first, last, previous = first - self._back, last - self._back, previous - self._back
        time_ms = end // MS + self.clock_ms
        if window.levels:
            best = self.levels(window.levels)
            if self.settings.face.futures:
                payload = self.frames.depth((first, last, previous), *best, time_ms)
            else:
                payload = self.frames.snapshot(last, *best, time_ms)
        else:
            payload = self.frames.depth(
                (first, last, previous),
                [(key, bids[key]) for key in sorted(bids, reverse=True)],
                [(-key, asks[key]) for key in sorted(asks, reverse=True)],
                time_ms,
            )
        window.audience.send(end, payload, first, last)
