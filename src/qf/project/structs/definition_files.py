"""Feed providers and instruments."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from qf.project.structs.struct import Decimal_, Name, Scalar, Struct, Text

Channel = Literal["trade", "agg_trade", "depth", "partial_depth", "bbo", "mark", "snapshot"]
TimeUnit = Literal["ns", "us", "ms", "s"]
Ordering = Literal["arrival", "event"]


class ProviderRow(Struct):
    """What every provider says."""

    name: Name
    description: Text = ""
    symbols: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    ordering: Ordering = "arrival"
    trades: Literal["trade", "agg_trade"] = "trade"


class CaptureProvider(ProviderRow):
    """Raw frames, one `<receive time> <json>` a line, in files that continue each other."""

    kind: Literal["capture"]
    venue: Name
    path: str
    time_unit: TimeUnit
    truncated: Literal["refuse", "accept"] = "refuse"


class FieldRow(Struct):
    """Where a canonical column comes from: the raw name (or column number) and its cast."""

    column: str | int
    cast: Literal["integer", "decimal", "text", "boolean", "side"] | None = None
    map: dict[str, Scalar] = Field(default_factory=dict)
    scale: Decimal_ | None = None


class FilesTable(Struct):
    """One kind of file: its glob, and which raw column feeds which canonical one."""

    path: str
    fields: dict[Name, str | int | FieldRow] = Field(default_factory=dict)


class FilesProvider(ProviderRow):
    """Tables in files: snapshots and trades in Parquet or CSV, or LOBSTER."""

    kind: Literal["files"]
    venue: Name
    format: Literal["parquet", "csv", "lobster"]
    time_unit: TimeUnit
    tables: dict[Literal["trades", "snapshots", "depth", "messages"], FilesTable] = Field(
        default_factory=dict
    )
    path: str = ""
    date: Text = ""
    price_scale: Decimal_ | None = None
    truncated: Literal["refuse", "accept"] = "refuse"


class SimulatedProvider(ProviderRow):
    """The seeded market: frames as the venue would send them, from nothing but a seed."""

    kind: Literal["simulated"]
    venue: Literal["binance_spot", "binance_usdm"] = "binance_spot"
    seed: int = Field(default=7, ge=0, le=2**32 - 1)
    minutes: float = Field(default=30.0, gt=0, le=60 * 24 * 31)
    start: Text = "2024-01-02T00:00:00Z"
    intensity: float = Field(default=1.0, gt=0, le=1000)


class ArchiveProvider(ProviderRow):
    """A vendor's archive, fetched with the credentials of the same name."""

    kind: Literal["archive"]
    venue: Name
    vendor: Name
    time_unit: TimeUnit | None = None
    start: Text | None = None
    end: Text | None = None


class WebsocketProvider(ProviderRow):
    """The venue's own live stream."""

    kind: Literal["websocket"]
    venue: Name


AnyProvider = Annotated[
    CaptureProvider | FilesProvider | SimulatedProvider | ArchiveProvider | WebsocketProvider,
    Field(discriminator="kind"),
]
COMMON = frozenset(ProviderRow.model_fields) | {"kind", "venue", "path", "time_unit", "truncated"}


def provider_options(row: Any) -> dict[str, Any]:
    """Return what only this kind of provider says, as plain data."""
    return {key: value for key, value in row.model_dump().items() if key not in COMMON}


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
