"""What nobody sees: the fair price, the regime it moves in, and how active the market is.

The fair price is a geometric random walk whose variance and drift come from a three-state
regime chain. Activity is a self-exciting rate (Hawkes 1971, Biometrika): a base that follows
the regime and the hour of the day, plus a memory of recent orders that fades within seconds.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from numpy.random import Generator

from qf.testing.market.draws import exponentials, normals, uniforms
from qf.testing.market.settings import MarketSettings

DAY_S = 86_400.0
EXCITE_FADE_S = 6.0
SEASON_EVERY_S = 60.0
BRANCHING = 0.5  # share of orders that were provoked by earlier orders
ORDERS_PER_S = 0.05  # unprovoked, at intensity 1
QUOTES_PER_S = 0.45
CRASH_DOWN_S, CRASH_BACK_S = 45.0, 240.0
CRASH_DEPTH, CRASH_REBOUND = 0.06, 0.04


class Regime(NamedTuple):
    """One state of the market: multiples of the usual volatility and activity, and its length."""

    name: str
    volatility: float
    activity: float
    trend: float  # drift over the regime, in standard deviations of its own walk
    seconds: float  # mean length


REGIMES = (
    Regime("calm", 0.6, 0.65, 0.0, 720.0),
    Regime("trending", 0.9, 1.2, 2.0, 360.0),
    Regime("volatile", 1.9, 2.6, 0.0, 240.0),
)


class Latent:
    """Advance the fair price (in ticks) and the activity by one interval at a time."""

    def __init__(self, settings: MarketSettings, generator: Generator, tick: float) -> None:
        self.fair = settings.start_price / tick
        self.regime = REGIMES[0]
        self.elapsed_s = 0.0
        self.order_rate = ORDERS_PER_S * settings.intensity  # per second, now
        self.quote_rate = QUOTES_PER_S * settings.intensity
        self.crashing = False
        self._settings = settings
        self._hold_s = 0.5 * REGIMES[0].seconds
        self._drift = 0.0  # log return per second
        self._excite = 0.0
        self._sigma = self._sigma_now()
        self._season, self._season_until_s = 1.0, 0.0
        self._burst_until_s = -1.0
        self._uniform = uniforms(generator)
        self._normal = normals(generator)
        self._exponential = exponentials(generator)

    def advance(self, seconds: float) -> None:
        """Move everything forward by `seconds`."""
        self.elapsed_s += seconds
        self._hold_s -= seconds
        if self._hold_s <= 0:
            self._change_regime()
        step = self._sigma * math.sqrt(seconds) * self._normal() + self._drift * seconds
        if self._settings.flash_crash_s is not None:
            step += self._crash(seconds, self.elapsed_s - self._settings.flash_crash_s)
        self.fair *= math.exp(step)
        self._excite *= math.exp(-seconds / EXCITE_FADE_S)
        if self.elapsed_s >= self._season_until_s:
            self._season_until_s = self.elapsed_s + SEASON_EVERY_S
            self._season = 1.0 + 0.35 * math.sin(2 * math.pi * (self.elapsed_s / DAY_S - 0.35))
        factor = self.regime.activity * self._season * self._settings.intensity
        if self.elapsed_s < self._burst_until_s:
            factor *= 10.0
        if self.crashing:
            factor *= 8.0
        self.order_rate = ORDERS_PER_S * factor + self._excite
        self.quote_rate = QUOTES_PER_S * factor + 2.0 * self._excite

    def provoke(self, push: float) -> None:
        """Let one order excite others and move the fair price by `push` ticks."""
        self._excite += BRANCHING / EXCITE_FADE_S
        self.fair += push

    def burst(self, seconds: float) -> None:
        """Multiply activity for a while."""
        self._burst_until_s = self.elapsed_s + seconds

    def _change_regime(self) -> None:
        here = REGIMES.index(self.regime)
        self.regime = REGIMES[(here + (1 if self._uniform() < 0.5 else 2)) % len(REGIMES)]
        self._hold_s = self.regime.seconds * (0.25 + 0.75 * self._exponential())
        self._sigma = self._sigma_now()
        sign = 1.0 if self._uniform() < 0.5 else -1.0
        self._drift = sign * self.regime.trend * self._sigma / math.sqrt(self.regime.seconds)

    def _sigma_now(self) -> float:
        """Return the regime's standard deviation of the log price, per square root of a second."""
        return self._settings.daily_volatility * self.regime.volatility / math.sqrt(DAY_S)

    def _crash(self, seconds: float, since: float) -> float:
        """Return the log return of the flash crash in this interval."""
        self.crashing = 0.0 <= since < CRASH_DOWN_S + CRASH_BACK_S
        if not self.crashing:
            return 0.0
        if since < CRASH_DOWN_S:
            return -CRASH_DEPTH * seconds / CRASH_DOWN_S
        return CRASH_REBOUND * seconds / CRASH_BACK_S
