"""Feed providers and instruments."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from qf.project.structs.struct import Decimal_, Name, Struct, Text

Channel = Literal[
    "trade",
    "agg_trade",
    "depth",
    "partial_depth",
    "bbo",
    "mark",
    "liquidation",
    "open_interest",
    "snapshot",
]
TimeUnit = Literal["ns", "us", "ms", "s"]
Ordering = Literal["arrival", "event"]
Trades = Literal["trade", "agg_trade"]
Truncated = Literal["refuse", "accept"]


class ProviderRow(Struct):
    """What every provider says."""

    name: Name
    description: Text = ""
    symbols: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()


class CaptureProvider(ProviderRow):
    """Raw frames, one `<receive time> <json>` a line, in files that continue each other."""

    kind: Literal["capture"]
    venue: Name
    path: str = Field(min_length=1)
    time_unit: TimeUnit
    trades: Trades | None = None
    truncated: Truncated = "refuse"


class FilesTable(Struct):
    """One kind of file: its glob, its stream, and which column feeds which field."""

    path: str = Field(min_length=1)
    stream: Literal["trade", "depth", "snapshot", "bbo"]
    time_unit: TimeUnit
    fields: dict[Name, str]
    values: dict[Name, dict[str, int]] = Field(default_factory=dict)


class FilesProvider(ProviderRow):
    """Tables in files: a known format with its path, or tables with a field mapping."""

    kind: Literal["files"]
    venue: Name
    path: str | None = None
    format: Name | None = None
    tables: tuple[FilesTable, ...] | None = None
    ordering: Ordering = "arrival"
    timezone: str = "America/New_York"
    truncated: Truncated = "refuse"

    @model_validator(mode="after")
    def _one_way(self) -> FilesProvider:
        if (self.format is None) == (self.tables is None):
            raise PydanticCustomError("bad_value", "needs either format and path, or tables")
        if self.format is not None and not self.path:
            raise PydanticCustomError("bad_value", "needs the path of the files of its format")
        return self


class SimulatedProvider(ProviderRow):
    """The seeded market: frames as the venue would send them, from nothing but a seed."""

    kind: Literal["simulated"]
    venue: Literal["binance_spot", "binance_usdm"] = "binance_spot"
    seed: int = Field(default=7, ge=0, le=2**32 - 1)
    minutes: float = Field(default=30.0, gt=0, le=60 * 24 * 31)
    start: Text | None = None
    intensity: float = Field(default=30.0, ge=0.01, le=200)
    daily_volatility: float = Field(default=0.08, ge=0.0001, le=1)
    start_price: float | None = Field(default=None, ge=100, le=1e7)
    flash_crash_minute: float | None = Field(default=None, ge=0)
    faults: dict[str, float] = Field(default_factory=dict)


class ArchiveProvider(ProviderRow):
    """A vendor's archive, fetched with the credentials of the same name."""

    kind: Literal["archive"]
    venue: Name
    vendor: Name
    ordering: Ordering = "event"
    trades: Trades | None = None
    time_unit: TimeUnit | None = None
    start: Text | None = None
    end: Text | None = None


class JournalProvider(ProviderRow):
    """What a live session has received: its journal, by default that of this project."""

    kind: Literal["journal"]
    venue: Name
    path: str | None = None
    trades: Trades | None = None


class WebsocketProvider(ProviderRow):
    """The venue's own live stream; without addresses, the venue's own."""

    kind: Literal["websocket"]
    venue: Name
    trades: Trades | None = None
    depth_speed: str | None = Field(default=None, pattern=r"^[0-9]{1,5}ms$")
    ws_url: str | None = Field(default=None, pattern=r"^wss?://[^\s?#]+$", max_length=2048)
    rest_url: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$", max_length=2048)


AnyProvider = Annotated[
    CaptureProvider
    | FilesProvider
    | SimulatedProvider
    | ArchiveProvider
    | JournalProvider
    | WebsocketProvider,
    Field(discriminator="kind"),
]
COMMON = frozenset(ProviderRow.model_fields) | {"kind", "venue", "path", "time_unit"}
COMMON |= {"ordering", "trades", "truncated"}
# What the readers of files never see: it steers the project, not the reading.
ABOUT = ("description", "symbols", "channels")


def provider_options(row: Any) -> dict[str, Any]:
    """Return what only this kind of provider says, as plain data."""
    rows = row.model_dump().items()
    return {key: value for key, value in rows if key not in COMMON and value is not None}


class InstrumentRow(Struct):
    """One tradable thing: its grid in decimals, written as text so that no digit is lost."""

    venue: Name
    symbol: str
    base: str
    quote: str
    asset_type: Literal["spot", "linear", "inverse"] = "spot"
    tick_size: Decimal_
    lot_size: Decimal_
    contract_size: Decimal_ | None = None
    valid_from: Text | None = None


class InstrumentsFile(Struct):
    """.definitions/instruments.yml."""

    instruments: tuple[InstrumentRow, ...]
