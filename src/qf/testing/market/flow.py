"""Orders, quotes and cancels acting on the true book, pushed towards the fair price.

- An order's sign follows a parent order that lasts for several child orders (sign persistence)
  and the distance between fair price and mid (informed flow). It eats queues, several levels
  when large, and prints one trade per resting order it meets.
- A quote event adds to, or cancels from, a best queue; which side is decided by the same
  distance, so the flow of orders at the best prices explains the moves of the mid.
- A wide spread is closed within milliseconds by the side the fair price favours.
- Deeper levels breathe: gaps wider than usual are filled, crowded places thinned.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from numpy.random import Generator

from qf.testing.market.draws import gammas, lognormals, uniforms
from qf.testing.market.ladder import ASK, BID, Ladder
from qf.testing.market.latent import DAY_S, QUOTES_PER_S, Latent
from qf.testing.market.settings import MarketSettings

ORDER_SIZE = 1.2  # base currency, mean
QUEUE_SIZE = 2.4  # base currency, mean at one level
MAX_SWEEP = 12  # levels one order may eat
GAP_PER_MOVE = 1.3  # usual distance between levels, in moves of the fair price per quote event


class Print(NamedTuple):
    """One execution: price in ticks, size in lots, the aggressor's sign."""

    price: int
    size: int
    sign: int


class Flow:
    """Turn random numbers into changes of the ladder."""

    def __init__(
        self, settings: MarketSettings, latent: Latent, ladder: Ladder, generator: Generator
    ) -> None:
        face = settings.face
        per_s = settings.start_price * settings.daily_volatility / math.sqrt(DAY_S)
        move = per_s / math.sqrt(1.5 * QUOTES_PER_S * settings.intensity)
        self.gap = max(2.0, GAP_PER_MOVE * move * 10**face.price_decimals)  # ticks
        self._lots = settings.lots_per_unit
        self._levels = settings.levels
        self._futures = face.futures
        self._latent, self._ladder = latent, ladder
        self._uniform = uniforms(generator)
        self._queue = gammas(generator, 2.5)
        self._gap = gammas(generator, 2.5)
        self._order = lognormals(generator, 1.3)
        self._parent = 1
        self._withdrawn: tuple[int, list[int]] = (BID, [])  # a side that left the book

    def fill(self) -> None:
        """Build the first book around the fair price."""
        middle = round(self._latent.fair)
        for side, best in ((BID, middle), (ASK, -middle - 1)):
            key = best
            for rank in range(self._levels):
                self._put(side, key, self._fresh(rank))
                key -= self._distance(rank)

    def withdraw(self, side: int) -> None:
        """Take every level of a side out of the book; until `restore` nothing may be sent."""
        self._withdrawn = side, self._ladder.keys[side][::-1]
        for key in self._withdrawn[1]:
            self._put(side, key, 0)

    def restore(self, far: int) -> None:
        """Put a side back that has left, but every fourth level `far` ticks further out.

        A bid goes no further than half of its price.
        """
        side, keys = self._withdrawn
        self._withdrawn = side, []
        for rank, key in enumerate(keys):
            out = min(far, key // 2) if side == BID else far
            self._put(side, key - out if rank % 4 == 3 else key, self._fresh(rank))

    def order(self) -> list[Print]:
        """Send one aggressive order; return its executions in the order they happened."""
        pressure = self._pressure()
        if self._uniform() < 0.07:
            self._parent = 1 if self._uniform() < _logistic(0.5 * pressure) else -1
        sign = 1 if self._uniform() < _logistic(1.6 * self._parent + 0.5 * pressure) else -1
        size = max(1, round(self._order() * ORDER_SIZE * self._lots))
        if self._latent.crashing:
            size *= 3
        if self._uniform() < 0.25:
            grain = max(1, self._lots // 1_000)
            size = max(grain, size // grain * grain)
        relative = min(size / (ORDER_SIZE * self._lots), 6.0)
        self._latent.provoke(0.12 * self.gap * sign * relative)
        return self._execute(sign, size)

    def quote(self) -> None:
        """Add to or cancel from one of the best queues."""
        if self.spread() > 1 and self._uniform() < 0.8:
            self.close_spread()
            return
        up = self._uniform() < _logistic(0.9 * self._pressure())
        ladder = self._ladder
        if self._uniform() < 0.5:
            side = BID if up else ASK
            key = ladder.keys[side][-1]
            added = max(1, round(0.6 * self._queue() * QUEUE_SIZE * self._lots))
            self._put(side, key, ladder.sizes[side][key] + added)
            return
        side = ASK if up else BID
        key = ladder.keys[side][-1]
        if self._uniform() < 0.6:
            self._put(side, key, 0)
        else:
            self._put(side, key, max(1, round(ladder.sizes[side][key] * self._uniform())))

    def close_spread(self) -> None:
        """Quote inside a wide spread, on the side that the fair price favours."""
        bid, ask = self._ladder.keys[BID][-1], -self._ladder.keys[ASK][-1]
        room = ask - bid - 1
        if room < 1:
            return
        into = room if self._uniform() < 0.8 else 1 + int(self._uniform() * room)
        if self._uniform() < _logistic(1.2 * self._pressure()):
            self._put(BID, bid + into, self._fresh(0))
        else:
            self._put(ASK, -(ask - into), self._fresh(0))

    def spread(self) -> int:
        """Return the spread in ticks."""
        return -self._ladder.keys[ASK][-1] - self._ladder.keys[BID][-1]

    def breathe(self) -> None:
        """Change one deeper level: fill a wide gap, thin a crowd, or resize a queue."""
        side = BID if self._uniform() < 0.5 else ASK
        keys, sizes = self._ladder.keys[side], self._ladder.sizes[side]
        if len(keys) > 1.1 * self._levels:
            self._put(side, keys[0], 0)
            return
        if len(keys) < 0.9 * self._levels:
            self._put(side, keys[0] - self._distance(len(keys)), self._fresh(len(keys)))
            return
        rank = int(self._uniform() ** 2 * (len(keys) - 2))
        key, below = keys[-1 - rank], keys[-2 - rank]
        usual = self.gap * (1 + rank / 100)
        if key - below > 1.6 * usual:
            self._put(side, key - 1 - int(self._uniform() * (key - below - 1)), self._fresh(rank))
        elif key - below < 0.35 * usual and self._uniform() < 0.7:
            self._put(side, below, 0)
        else:
            change = 0.4 + 1.2 * self._uniform()
            self._put(side, below, max(1, round(sizes[below] * change**0.7)))

    def _execute(self, sign: int, size: int) -> list[Print]:
        side = ASK if sign > 0 else BID
        keys, sizes = self._ladder.keys[side], self._ladder.sizes[side]
        prints: list[Print] = []
        for _ in range(MAX_SWEEP):
            key = keys[-1]
            resting = sizes[key]
            taken = min(size, resting)
            self._split(prints, abs(key), taken, sign)
            self._put(side, key, resting - taken)
            size -= taken
            if not size:
                break
        return prints

    def _split(self, prints: list[Print], price: int, size: int, sign: int) -> None:
        """Print the executed size against one to four resting orders."""
        while size > 1 and len(prints) < 60 and self._uniform() < 0.42:
            part = max(1, int(size * self._uniform()))
            if part == size:
                break
            prints.append(Print(price, part, sign))
            size -= part
        prints.append(Print(price, size, sign))

    def _pressure(self) -> float:
        """Return the distance from mid to fair price, in usual gaps, bounded."""
        bid, ask = self._ladder.keys[BID][-1], -self._ladder.keys[ASK][-1]
        return max(-8.0, min(8.0, (self._latent.fair - 0.5 * (bid + ask)) / self.gap))

    def _fresh(self, rank: int) -> int:
        """Return the size of a new queue; deeper queues are larger."""
        return max(1, round(self._queue() * QUEUE_SIZE * (1 + min(rank, 50) / 25) * self._lots))

    def _distance(self, rank: int) -> int:
        return 1 + int(self._gap() * self.gap * (1 + rank / 100))

    def _put(self, side: int, key: int, size: int) -> None:
        skip = 1 + int(40 * self._uniform() ** 3) if self._futures else 1
        self._ladder.put(side, key, size, skip)


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))
