"""quantflow_project.yml, section by section."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from qf.project.structs.cross_rows import CrossEntry
from qf.project.structs.struct import Name, OpenStruct, Scalar, Struct, Text

Table = Literal[
    "raw",
    "bbo",
    "funding",
    "liquidations",
    "open_interest",
    "enriched",
    "bars",
    "footprints",
    "l2",
    "labels",
    "features",
    "vectors",
]
DEFAULT_TABLES = ("enriched", "bars", "l2", "labels", "features", "vectors")
Source = Literal["trades", "book", "bbo", "mark"]


class Bar(OpenStruct):
    """One bar clock: the rule's name, the rest are the rule's own parameters."""

    type: Name


class Snapshots(Struct):
    """The table of book states at fixed instants."""

    period_seconds: float = Field(default=0.5, ge=0.001, le=86_400)
    depth_levels: int = Field(default=20, ge=1, le=1000)


class Enrich(Struct):
    """How a trade is paired with the book."""

    quote_asof: Literal["exchange_strict", "arrival"] = "exchange_strict"
    quote_lag_ms: float = Field(default=0.0, ge=0, le=60_000)
    book_ttl_ms: float = Field(default=3000.0, ge=1, le=86_400_000)
    include_non_market: bool = False


class StateEngine(Struct):
    """From the tape to enriched trades, bars and snapshots."""

    force_refresh: bool = False
    micro_batch_size: int = Field(default=200_000, ge=1, le=100_000_000)
    history_start: Text | None = None
    bars: tuple[Bar, ...] = ()
    snapshots: Snapshots = Snapshots()
    enrich: Enrich = Enrich()


class Label(Struct):
    """One label: a file of the labels folder, its parameters, the bar clocks it is made on."""

    name: Name
    type: Name
    parameters: dict[str, Scalar] = Field(default_factory=dict)
    inputs: dict[str, str] = Field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    bar_types: tuple[str, ...] = ()


class LabelEngine(Struct):
    """The only code that may look ahead."""

    historical_label_engine: Literal["machine", "polars"] = "machine"
    realtime_label_engine: Literal["machine"] = "machine"
    labels: tuple[Label, ...] = ()


class FeatureEntry(Struct):
    """One feature set of the project: its name here, its definition, its decision clock."""

    name: Name
    type: Name
    bar: str | None = None


class FeatureEngine(Struct):
    """Which feature sets are computed, and by what."""

    historical_feature_engine: Literal["machine", "polars"] = "machine"
    realtime_feature_engine: Literal["machine"] = "machine"
    features: tuple[FeatureEntry, ...] = ()
    cross: tuple[CrossEntry, ...] = ()


class CostsSection(Struct):
    """What a round trip costs: fee as a fraction, slippage in basis points, each per side."""

    taker_fee: float = Field(default=0.001, ge=0, le=1)
    slippage_bps: float = Field(default=5.0, ge=0, le=10_000)


class Later(OpenStruct):
    """A sink, detector or alert: named and typed; its parameters belong to its type."""

    name: Name
    type: Name


class EngineBackends(Struct):
    """Which engine of the local configuration each job uses."""

    store: str = "duckdb"
    ingest: str = "local"
    state: str = "local"
    label: str = "local"
    feature: str = "local"
    stream: str = "local"


class ProjectFile(Struct):
    """The whole file."""

    name: Name
    version: str = "0.1.0"
    description: Text = ""
    sources: tuple[Source, ...] = ("trades", "book", "bbo", "mark")
    feed_providers: tuple[Name, ...] = ()
    engine_backends: EngineBackends = EngineBackends()
    symbols: tuple[str, ...] = ()
    state_engine: StateEngine = StateEngine()
    label_engine: LabelEngine = LabelEngine()
    feature_engine: FeatureEngine = FeatureEngine()
    sinks: tuple[Later, ...] = ()
    detectors: tuple[Later, ...] = ()
    alerts: tuple[Later, ...] = ()
    costs: CostsSection = CostsSection()
    tables: tuple[Table, ...] = DEFAULT_TABLES


def later_options(row: Later) -> dict[str, Any]:
    """Return a sink's, detector's or alert's own parameters."""
    return row.free
