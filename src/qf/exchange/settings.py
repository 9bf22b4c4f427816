"""What a simulated exchange is asked to be."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from qf.errors import diagnostic, nearest
from qf.exchange.face import FACES, Face
from qf.testing.market import NO_FAULTS, MarketSettings
from qf.testing.market.settings import DEFAULT_START_NS

NO_FACE = diagnostic("QF850", "the simulated exchange has no face of the venue {name!r}")
BAD_EXCHANGE = diagnostic("QF851", "exchange setting {name!r} is {value!r}; it must be {rule}")

START_PRICES = {
    "BTCUSDT": 61_700.0,
    "ETHUSDT": 2_650.0,
    "BTCUSD_PERP": 61_700.0,
    "ETHUSD_PERP": 2_650.0,
}
ROOM = 20  # steps of price per level: the deepest bid must stay far above zero


@dataclass(frozen=True)
class ExchangeSettings:
    """The venue, its symbols and how lively they are. Errors: QF850, QF851.

    `intensity` is that of the seeded market: 1 is about two frames a second and symbol, 30 a busy
    exchange. Latencies are those of the way to a client in process; over real sockets the sockets
    have their own. `life_s` is how long a connection lives, `grace_s` how long before the end a
    serverShutdown is said.
    """

    venue: str = "binance_spot"
    symbols: tuple[str, ...] = ("BTCUSDT",)
    intensity: float = 1.0
    daily_volatility: float = 0.04
    levels: int = 400
    start_ns: int = DEFAULT_START_NS
    start_prices: dict[str, float] = field(default_factory=dict)
    flash_crash_s: float | None = None
    latency_ms: float = 4.0
    jitter_ms: float = 0.8
    life_s: float = 86_400.0
    grace_s: float = 600.0
    keep_truth: bool = True  # every book change, for `true_book`; about 24 bytes each
    weight_limit: int | None = None  # per minute; the venue's own by default
    slow_reader: int = 200_000  # messages that may wait for one client before it is cut off

    def __post_init__(self) -> None:
        if self.venue not in FACES:
            raise NO_FACE(name=self.venue, near=nearest(self.venue, FACES))
        if not self.symbols or len(set(self.symbols)) != len(self.symbols):
            rule = "one or more different names"
            raise BAD_EXCHANGE(name="symbols", value=self.symbols, rule=rule)
        for symbol in self.symbols:
            plain = symbol.replace("_", "") if self.face.inverse else symbol
            if not (plain.isascii() and plain.isalnum() and symbol == symbol.upper()):
                rule = "names of capital letters and digits, such as BTCUSDT"
                raise BAD_EXCHANGE(name="symbols", value=symbol, rule=rule)

    @property
    def face(self) -> Face:
        """Return the venue's face."""
        return FACES[self.venue]

    def market(self, symbol: str, seed: int) -> MarketSettings:
        """Return the seeded market behind one symbol; each has a seed of its own. Errors: QF851."""
        own = zlib.crc32(f"{seed}/{self.venue}/{symbol}".encode())
        usual = START_PRICES.get(symbol, 2_000.0 + own % 8_000)
        found = MarketSettings(
            seed=own,
            venue=self.venue,
            symbol=symbol,
            start_ns=self.start_ns,
            start_price=self.start_prices.get(symbol, usual),
            intensity=self.intensity,
            daily_volatility=self.daily_volatility,
            levels=self.levels,
            flash_crash_s=self.flash_crash_s,
            faults=NO_FAULTS,
            keep_truth=self.keep_truth,
        )
        if found.start_price * 10**found.face.price_decimals < ROOM * self.levels:
            least = ROOM * self.levels / 10**found.face.price_decimals
            rule = f"at least {least:g} for {self.levels} levels a side"
            raise BAD_EXCHANGE(name=f"start_price of {symbol}", value=found.start_price, rule=rule)
        return found
