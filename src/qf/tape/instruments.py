"""What one symbol's integers mean: tick, lot and contract size, as exact decimals."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache

from qf.errors import QuantflowError, diagnostic, nearest
from qf.feeds.record import Quarantine, Record
from qf.feeds.venue import find_venue
from qf.tape.source import Source

ASSET_TYPES = ("spot", "linear", "inverse")
PROPOSAL_FRAMES = 10_000
PROPOSAL_NAMES = 12  # symbols that an error lists
PROPOSAL_LEVELS = 20  # of one side of an archive's book of float64 numbers
# Quote currencies that end a venue's symbol, longest first where one ends another.
_QUOTES = ("FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USD", "BTC", "ETH", "BNB", "EUR", "TRY", "JPY")

BAD_INSTRUMENT = diagnostic(
    "QF310",
    "the instrument {symbol} has {field} = {value!r}, which is not {expected}",
    hint='write it as a decimal in quotes, for example "0.01"',
)
NOTHING_TO_PROPOSE = diagnostic(
    "QF311",
    "no frame of {symbol} among the first {frames:,} frames of {source} carries a price",
    hint="check the venue: no frame there is one of its own",
)


@dataclass(frozen=True)
class Instrument:
    """One symbol of one venue. Steps are decimals in text: "0.01". Errors: QF310."""

    venue: str
    symbol: str
    base: str
    quote: str
    asset_type: str
    tick_size: str
    lot_size: str
    contract_size: str | None = None
    valid_from: str | None = None

    def __post_init__(self) -> None:
        if self.asset_type not in ASSET_TYPES:
            expected = "one of " + ", ".join(ASSET_TYPES)
            raise self._bad("asset_type", self.asset_type, expected)
        for name in ("tick_size", "lot_size", "contract_size"):
            text = getattr(self, name)
            if text is not None or name != "contract_size":
                self._step(name, text)
        if self.asset_type == "inverse" and self.contract_size is None:
            raise self._bad("contract_size", None, "a decimal (an inverse contract has a value)")

    def _bad(self, field: str, value: object, expected: str) -> Exception:
        return BAD_INSTRUMENT(symbol=self.symbol, field=field, value=value, expected=expected)

    def _step(self, name: str, text: object) -> Fraction:
        try:
            step = Decimal(text) if isinstance(text, str) and len(text) <= 40 else Decimal("nan")
        except InvalidOperation:
            step = Decimal("nan")
        if not step.is_finite() or step <= 0 or not -18 <= step.adjusted() <= 15:
            raise self._bad(name, text, "a positive decimal")
        return Fraction(step)

    @property
    def tick(self) -> Fraction:
        """Return the price of one tick, exactly."""
        return self._step("tick_size", self.tick_size)

    @property
    def lot(self) -> Fraction:
        """Return the size of one lot, exactly."""
        return self._step("lot_size", self.lot_size)

    @property
    def price_scale(self) -> tuple[int, int]:
        """Return (num, den) such that price = ticks * num / den, one rounding."""
        return self.tick.as_integer_ratio()

    @property
    def size_scale(self) -> tuple[int, int]:
        """Return (num, den) such that size = lots * num / den, one rounding."""
        return self.lot.as_integer_ratio()

    @property
    def value_from_price(self) -> bool:
        """Say whether a trade's integer value is ticks * lots; inverse contracts count lots."""
        return self.asset_type != "inverse"

    @property
    def value_scale(self) -> tuple[int, int]:
        """Return (num, den) such that value = units * num / den; see value_from_price."""
        contract = Fraction(1)
        if self.contract_size is not None:
            contract = self._step("contract_size", self.contract_size)
        unit = self.tick * self.lot if self.value_from_price else self.lot
        return (unit * contract).as_integer_ratio()


def propose(source: Source, symbol: str) -> Instrument:
    """Return an instrument with the smallest steps of the first 10,000 frames. Errors: QF311."""
    mapper = find_venue(source.venue)
    decimals: list[int | None] = [None, None]
    named: set[str] = set()
    for item in itertools.islice(source.arrivals(), PROPOSAL_FRAMES):
        for record in _records(item, mapper):
            named.add(record.symbol)
            if record.symbol not in ("", symbol):
                continue
            for level in (*_texts(record.bids), *_texts(record.asks)):
                for place, text in enumerate(level):
                    found = _decimals(text)
                    if found is not None:
                        decimals[place] = max(found, decimals[place] or 0)
    named.discard("")  # a snapshot names no symbol, so it does not speak for any
    strange = bool(named) and symbol not in named
    if strange or decimals[0] is None or decimals[1] is None:
        raise _nothing_to_propose(symbol, source, named)
    base, quote = _currencies(symbol)
    contract = None
    if mapper.ASSET_TYPE == "inverse":
        contract = "100" if base == "BTC" else "10"
    tick, lot = _step_text(decimals[0]), _step_text(decimals[1])
    return Instrument(source.venue, symbol, base, quote, mapper.ASSET_TYPE, tick, lot, contract)


def propose_trades(source: Source, symbol: str) -> str | None:
    """Return the channel to make trades from: trade where the first 10,000 frames have one."""
    mapper = find_venue(source.venue)
    streams: set[str] = set()
    for item in itertools.islice(source.arrivals(), PROPOSAL_FRAMES):
        for record in _records(item, mapper):
            if record.symbol in ("", symbol):
                streams.add(record.stream)
        if "trade" in streams:
            return "trade"
    return "agg_trade" if "agg_trade" in streams else None


def _nothing_to_propose(symbol: str, source: Source, named: set[str]) -> QuantflowError:
    told = ", ".join(sorted(named)[:PROPOSAL_NAMES])
    near = [name for name in named if name.upper() == symbol.upper()]
    return NOTHING_TO_PROPOSE(
        symbol=symbol,
        frames=PROPOSAL_FRAMES,
        source=source.name,
        near=near or nearest(symbol, named),
        hint=f"the frames there are of: {told}" if told else "",
    )


def _records(item: tuple, mapper: object) -> Iterable[Record]:
    payload = item[1]
    if isinstance(payload, Record):
        return (payload,)
    if not isinstance(payload, bytes):
        return ()
    try:
        return mapper.parse(payload, item[0])  # type: ignore[attr-defined]
    except Quarantine:
        return ()


def _texts(levels: object) -> list[tuple[str, str]]:
    pairs = list(levels)  # type: ignore[call-overload]
    if pairs and not isinstance(pairs[0], tuple):  # archives: two arrays of float64
        top = zip(pairs[0][:PROPOSAL_LEVELS], pairs[1][:PROPOSAL_LEVELS], strict=False)
        return [(repr(float(a)), repr(float(b))) for a, b in top]
    return pairs


@lru_cache(1 << 14)  # the same prices and sizes come again and again
def _decimals(text: str) -> int | None:
    """Return how many decimals the number really uses: 2 of "61837.64000000"."""
    try:
        number = Decimal(text[:40])
    except InvalidOperation:
        return None
    if not number.is_finite() or number == 0:
        return None
    exponent = number.normalize().as_tuple().exponent
    return min(18, max(0, -exponent)) if isinstance(exponent, int) else None


def _step_text(decimals: int) -> str:
    return "1" if decimals == 0 else "0." + "0" * (decimals - 1) + "1"


def _currencies(symbol: str) -> tuple[str, str]:
    pair = symbol.upper().partition("_")[0].replace("-", "").replace("/", "")
    for quote in _QUOTES:
        if pair.endswith(quote) and len(pair) > len(quote):
            return pair[: -len(quote)], quote
    return pair, ""
