"""The seeded market as a feed provider: kind `simulated`, a source of frames and its instrument."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from qf.clock import parse_time
from qf.errors import diagnostic, nearest
from qf.tape.instruments import Instrument
from qf.tape.source import FrameSource
from qf.testing.market.settings import FaultRates, MarketSettings
from qf.testing.market.simulate import Market

UNKNOWN_FAULT = diagnostic("QF804", "the seeded market cannot plant the fault {name!r}")

# Part of every tape's identity: counts up when the same settings begin to give other bytes.
EDITION = 1
_PLAIN = {"intensity": float, "daily_volatility": float, "seed": int, "start_price": float}


@dataclass(frozen=True)
class SimulatedFeed:
    """What a provider file of kind `simulated` describes: a market and how long it runs."""

    settings: MarketSettings
    minutes: float

    def source(self, name: str) -> FrameSource:
        """Return the frames as a source for ingest; its identity is the settings."""
        identity = {"edition": EDITION, "minutes": self.minutes, **asdict(self.settings)}
        return FrameSource(name, self.settings.venue, identity, self._open)

    def instrument(self) -> Instrument:
        """Return the grid that the market trades on."""
        face, symbol = self.settings.face, self.settings.symbol
        pair = symbol.partition("_")[0] if face.inverse else symbol
        quote = next((end for end in ("USDT", "USDC", "USD") if pair.endswith(end)), "USDT")
        linear = "linear" if face.futures else "spot"
        return Instrument(
            venue=self.settings.venue,
            symbol=symbol,
            base=pair.removesuffix(quote),
            quote=quote,
            asset_type="inverse" if face.inverse else linear,
            tick_size=_step(face.price_decimals),
            lot_size=_step(face.size_decimals),
            contract_size=str(self.settings.contract_usd) if face.inverse else None,
        )

    def _open(self) -> Iterator[tuple[int, bytes]]:
        return Market(self.settings).frames(self.minutes * 60.0)


def simulated_feed(options: Mapping[str, Any], venue: str, symbol: str) -> SimulatedFeed:
    """Return the feed that a provider's options describe.

    Options: seed, minutes (30), start (ISO time), intensity (30), daily_volatility (0.08),
    start_price, flash_crash_minute, faults {silence, gap, … per hour}. Unknown options are the
    project loader's to refuse. Errors: QF001, QF802, QF803, QF804.
    """
    given: dict[str, Any] = {"intensity": 30.0, "daily_volatility": 0.08}
    given |= {name: kind(options[name]) for name, kind in _PLAIN.items() if name in options}
    if options.get("start"):
        given["start_ns"] = parse_time(str(options["start"]))
    if options.get("flash_crash_minute") is not None:
        given["flash_crash_s"] = 60.0 * float(options["flash_crash_minute"])
    rates = options.get("faults") or {}
    known = [rate.name for rate in fields(FaultRates)]
    for name in rates:
        if name not in known:
            raise UNKNOWN_FAULT(name=name, near=nearest(name, known))
    faults = FaultRates(**{name: float(rate) for name, rate in rates.items()})
    settings = MarketSettings(venue=venue, symbol=symbol, faults=faults, keep_truth=False, **given)
    return SimulatedFeed(settings, float(options.get("minutes", 30.0)))


def _step(decimals: int) -> str:
    return "0." + "0" * (decimals - 1) + "1" if decimals else "1"
