"""What a seeded market is asked to be: every number that shapes it, with its unit."""

from __future__ import annotations

from dataclasses import dataclass, field

from qf.errors import diagnostic, nearest

UNKNOWN_VENUE = diagnostic("QF802", "the seeded market cannot imitate the venue {name!r}")
BAD_SETTING = diagnostic("QF803", "market setting {name!r} is {value}; it must be {rule}")

DEFAULT_START_NS = 1_723_075_200_000_000_000  # 2024-08-08T00:00:00Z


@dataclass(frozen=True)
class Face:
    """The form of one venue's frames: its grid in decimals and which identifiers it prints."""

    price_decimals: int  # of the tick size
    size_decimals: int  # of the lot size
    padding: int  # decimals printed
    futures: bool  # pu, T and X present; update ids skip; trades are sent before the ticker
    inverse: bool = False  # sizes are contracts of a fixed value in USD; frames name the pair


FACES = {
    "binance_spot": Face(price_decimals=2, size_decimals=5, padding=8, futures=False),
    "binance_usdm": Face(price_decimals=1, size_decimals=3, padding=0, futures=True),
    "binance_coinm": Face(price_decimals=1, size_decimals=0, padding=0, futures=True, inverse=True),
}


@dataclass(frozen=True)
class FaultRates:
    """How often things go wrong, per hour; the defaults leave a 5-day tape mostly valid."""

    silence: float = 0.2  # no message at all for 4 to 60 s
    burst: float = 1.0  # ten times the usual activity for 3 to 8 s
    gap: float = 0.04  # 1 to 4 depth frames lost, then a new snapshot
    trade_gap: float = 0.04  # 1 to 3 trade frames lost
    duplicate: float = 0.25  # a trade or depth frame delivered twice
    clock_step: float = 0.02  # the recorder's clock steps back 3 to 6 s, for ten minutes
    non_market: float = 0.02  # futures only: an insurance fund print far from the book

    def per_hour(self) -> dict[str, float]:
        """Return the rates by name, in a fixed order."""
        return dict(vars(self))


NO_FAULTS = FaultRates(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class MarketSettings:
    """The seed and the shape of one market. Errors: QF802 unknown venue, QF803 out of bounds."""

    seed: int = 7
    venue: str = "binance_spot"
    symbol: str = "BTCUSDT"
    start_ns: int = DEFAULT_START_NS
    start_price: float = 61_700.0  # quote currency
    intensity: float = 1.0  # activity; 1 is about two frames a second, 30 a busy exchange
    daily_volatility: float = 0.025  # of the fair price, as a fraction
    levels: int = 400  # price levels kept per side
    snapshot_levels: int = 1_000  # levels per side in a REST snapshot
    clock_offset_ms: float = -1_273.0  # recorder clock minus venue clock
    latency_ms: float = 6.0  # smallest travel time
    flash_crash_s: float | None = None  # seconds after the start, or none
    faults: FaultRates = field(default_factory=FaultRates)
    keep_truth: bool = True  # remember every book change, so that `Market.book` can answer

    def __post_init__(self) -> None:
        if self.venue not in FACES:
            raise UNKNOWN_VENUE(name=self.venue, near=nearest(self.venue, FACES))
        bounds = {
            "intensity": (0.01, 200.0),
            "daily_volatility": (0.0001, 1.0),
            "levels": (20, 5_000),
            "snapshot_levels": (5, 5_000),
            "start_price": (100.0, 1e7),
        }
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                rule = f"between {low:g} and {high:g}"
                raise BAD_SETTING(name=name, value=getattr(self, name), rule=rule)

    @property
    def face(self) -> Face:
        """Return the form of the venue's frames."""
        return FACES[self.venue]

    @property
    def contract_usd(self) -> int:
        """Return what one contract of an inverse venue is worth, in USD."""
        return 100 if self.symbol.startswith("BTC") else 10

    @property
    def lots_per_unit(self) -> int:
        """Return how many lots one unit of the base currency is; contracts: at the first price."""
        if self.face.inverse:
            return max(1, round(self.start_price / self.contract_usd))
        return 10**self.face.size_decimals

    @property
    def step_ms(self) -> int:
        """Return the interval of the depth stream: fast for a busy market, else the slow one."""
        if self.intensity >= 5:
            return 100
        return 500 if self.face.futures else 1_000
