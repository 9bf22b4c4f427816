"""The venue of a seeded market: order flow that changes the true book, interval by interval.

One interval of the depth stream is one step:
1. the fair price, the regime and the activity move (`latent`);
2. orders and quotes fall into the interval at random instants and change the book (`flow`);
3. deeper levels breathe, and the interval's changes are collected.

What happens is handed to methods that a subclass writes: `Market` sends it to one recorder over a
line that fails, the simulated exchange to whoever has subscribed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from qf.clock import SECOND_NS
from qf.testing.market.draws import exponentials, uniforms
from qf.testing.market.flow import Flow, Print
from qf.testing.market.ladder import Best, Book, Ladder
from qf.testing.market.latent import Latent
from qf.testing.market.settings import MarketSettings

MS = 1_000_000
FIRST_UPDATE_ID = 50_093_000_000
FIRST_TRADE_ID = 3_735_000_000
DEEP_CHANGES_PER_S = 1.0
DEEP_EVERY_S = 2.0  # so that the book is never silent for long unless a silence is planted

Changes = dict[int, int]  # size in lots (0: gone) by key of the ladder


class Trading(ABC):
    """A market that trades as far as its intervals are run; whom it tells is a subclass's."""

    def __init__(self, settings: MarketSettings) -> None:
        self.settings = settings
        streams = np.random.SeedSequence(settings.seed).spawn(5)
        latent, flow, events, *rest = map(np.random.default_rng, streams)
        self._rest: list[Generator] = rest  # for what a subclass draws
        face = settings.face
        self.now_ns = settings.start_ns  # the venue's clock
        self.latent = Latent(settings, latent, 10.0**-face.price_decimals)
        self._ladder = Ladder(FIRST_UPDATE_ID, settings.keep_truth)
        self._flow = Flow(settings, self.latent, self._ladder, flow)
        self._uniform, self._exponential = uniforms(events), exponentials(events)
        self._until_order, self._until_quote = self._exponential(), self._exponential()
        self._step_ns = settings.step_ms * MS
        self._deep_due = 0.0
        self._sent_ns = 0
        self._flow.fill()
        self._ladder.take_changes()
        self._depth_id = self._ladder.update_id  # the last id of the interval before
        self._best = self._ladder.best()

    def book(self, update_id: int) -> Book:
        """Return the true book, all levels, after every change up to `update_id`."""
        if self._ladder.history is None:
            raise ValueError("this market was made with keep_truth=False")
        return self._ladder.history.book(update_id)

    # --- what a subclass does with it -----------------------------------------------------------

    @abstractmethod
    def _trades(self, instant: int, prints: list[Print]) -> None:
        """Take the executions of one order."""

    @abstractmethod
    def _quoted(self, instant: int) -> None:
        """Take a change of the best price or size; `self._best` is the new one."""

    @abstractmethod
    def _changed(self, end: int, ids: tuple[int, int, int], bids: Changes, asks: Changes) -> None:
        """Take an interval's changes; ids are the first, the last, and the last before."""

    def _passes_over(self, end: int, seconds: float) -> bool:
        """Say whether an interval without orders and quotes need not be stopped at."""
        return False

    # --- one step -------------------------------------------------------------------------------

    def _interval(self) -> Iterator[int]:
        """Run one interval, yielding each instant before what happens at it does.

        The last are the end less 1 ms, if deeper levels change, and the end with what changed.
        """
        start = self.now_ns
        end = (start // self._step_ns + 1) * self._step_ns
        seconds = (end - start) / SECOND_NS
        self.latent.advance(seconds)
        found = self._instants(start, end)
        if not found and self._passes_over(end, seconds):
            self._breathe(seconds)
            self.now_ns = end
            return
        for drawn, is_order in found:
            instant = max(drawn, self._sent_ns)
            yield instant
            if is_order:
                self._order(instant)
            else:
                self._flow.quote()
                self._ticker(instant)
        if self._breathes(seconds):
            yield end - MS
        self._breathe(seconds)
        self._ticker(end - MS)
        yield end
        self._close(end)
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

    def _breathes(self, seconds: float) -> bool:
        """Say whether deeper levels change at the end of an interval."""
        due = self._deep_due + seconds * max(DEEP_CHANGES_PER_S, 0.5 * self.latent.quote_rate)
        return due >= DEEP_CHANGES_PER_S * DEEP_EVERY_S

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

    def _ticker(self, instant: int) -> None:
        best = self._ladder.best()
        if best != self._best:
            self._best: Best = best
            self._quoted(instant)

    def _close(self, end: int) -> None:
        """Hand on the interval's changes, unless nothing changed."""
        first, bids, asks = self._ladder.take_changes()
        if first:
            last, previous = self._ladder.update_id, self._depth_id
            self._depth_id = last
            if not self.settings.face.futures:
                first = previous + 1
            self._changed(end, (first, last, previous), bids, asks)
