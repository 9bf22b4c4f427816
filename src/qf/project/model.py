"""A project as the engines see it: frozen records, every reference resolved, every number checked.

Nothing here reads files. Times are int64 ns, durations carry their unit in the name, clocks are
names such as `dollar_k_50000`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qf.errors import Place, QuantflowError, diagnostic, nearest
from qf.project.formula_place import FormulaPlace
from qf.project.local_config import LocalConfig

if TYPE_CHECKING:
    from qf.project.cross_model import CrossSet

NO_CLOCK = diagnostic(
    "QF220",
    "{where} names the bar clock {clock!r}, which no bar of the project makes",
    hint="add it under state_engine.bars, or take one of: {known}",
)
NO_SET = diagnostic("QF221", "the project has no feature set {name!r}", hint="it has: {known}")
NO_FEATURE = diagnostic("QF222", "there is no feature {name!r}", hint="all of them: qf features")


@dataclass(frozen=True)
class ProviderSpec:
    """One feed: where the frames come from. `settings` is the whole checked file as plain data."""

    name: str
    kind: str  # capture, files, simulated, archive, websocket
    venue: str
    symbols: tuple[str, ...]  # empty: the project's
    channels: tuple[str, ...]
    path: str  # relative to the project folder, or absolute; "" where the kind has none
    time_unit: str
    ordering: str  # arrival, event
    trades: str | None  # trade, agg_trade; None: the channel of the first trade
    truncated: str  # refuse, accept
    options: Mapping[str, Any]
    settings: Mapping[str, Any]
    place: Place
    path_place: Place  # of its path, or of the file's head where it has none


@dataclass(frozen=True)
class InstrumentSpec:
    """One row of instruments.yml; decimals stay text."""

    venue: str
    symbol: str
    base: str
    quote: str
    asset_type: str
    tick_size: str
    lot_size: str
    contract_size: str | None
    valid_from: str | None
    place: Place


@dataclass(frozen=True)
class BarSpec:
    """One bar clock: its name, its rule, every parameter in the user's units."""

    clock: str
    rule: str
    params: Mapping[str, Any]
    table: str
    place: Place


@dataclass(frozen=True)
class SnapshotSpec:
    """The grid of book snapshots."""

    period_ns: int
    depth_levels: int


@dataclass(frozen=True)
class EnrichOptions:
    """How trades are paired with the book."""

    quote_asof: str
    quote_lag_ms: float
    book_ttl_ms: float
    include_non_market: bool


@dataclass(frozen=True)
class LabelSpec:
    """One label and the bar clocks it is made on."""

    name: str
    type: str
    params: Mapping[str, Any]
    clocks: tuple[str, ...]
    inputs: Mapping[str, str]
    place: Place


@dataclass(frozen=True)
class ParameterSpec:
    """One parameter of a feature type."""

    name: str
    kind: str  # integer, number, boolean, duration, string
    description: str
    required: bool
    default: Any
    low: float | None
    high: float | None
    choices: tuple[Any, ...]

    @property
    def bounds(self) -> str:
        """Return the legal values as text."""
        if self.choices:
            return "|".join(str(choice) for choice in self.choices)
        if self.kind == "boolean":
            return "true|false"
        if self.low is None and self.high is None:
            return self.kind
        low = "" if self.low is None else f"{self.low:g}"
        return f"{low}..{'' if self.high is None else f'{self.high:g}'}"


@dataclass(frozen=True)
class FeatureType:
    """A recipe: a formula, its parameters, what it reads, what comes out."""

    name: str
    dimension: str
    category: str
    description: str
    version: str
    status: str
    unit: str
    range: str
    source: str
    mode: str  # tick, bar: the grid the formula runs on unless a feature says otherwise
    required_inputs: tuple[str, ...]
    placeholders: tuple[str, ...]
    output_column: str
    output_description: str
    parameters: tuple[ParameterSpec, ...]
    formula: str
    formula_place: FormulaPlace
    place: Place
    library: bool  # false: it is the project's own
    variant_of: str = ""  # the type whose values it orders alike, and why both are there
    variant_because: str = ""


@dataclass(frozen=True)
class Normalization:
    """How a bar's value is made comparable; `method` is none or an op of the normalizers."""

    method: str = "none"
    window: int | None = None
    exclude_current: bool = False
    clip: tuple[float, float] | None = None


@dataclass(frozen=True)
class Staleness:
    """What an old value is worth; `action` is an op of the staleness rules."""

    ttl_ms: int
    action: str
    half_life_ms: int


@dataclass(frozen=True)
class Feature:
    """One feature of a set, every reference resolved."""

    name: str
    feature_set: str
    type: FeatureType
    group: str  # one of the dimensions
    params: Mapping[str, Any]
    bindings: Mapping[str, str]  # placeholder -> feature of the same set
    bar: str
    mode: str  # tick, bar
    aggregation: str
    normalization: Normalization
    warmup_bars: int
    staleness: Staleness | None
    place: Place

    @property
    def formula(self) -> str:
        """Return the formula's text."""
        return self.type.formula

    @property
    def formula_place(self) -> FormulaPlace:
        """Return where the formula stands."""
        return self.type.formula_place

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the features this one reads."""
        return tuple(self.bindings.values())


@dataclass(frozen=True)
class FeatureSet:
    """A named collection of features and the clock that decides on them."""

    name: str
    type: str
    bar: str
    features: tuple[Feature, ...]
    place: Place

    @property
    def table(self) -> str:
        """Return the table of its vectors."""
        return f"feature_vectors_{self.name}"

    def feature(self, name: str) -> Feature:
        """Return the feature called `name`. Errors: QF222."""
        for feature in self.features:
            if feature.name == name:
                return feature
        raise NO_FEATURE(name=name, near=nearest(name, [f.name for f in self.features]))

    def ordered(self) -> tuple[Feature, ...]:
        """Return the features so that every input comes before what reads it."""
        done: dict[str, Feature] = {}

        def visit(feature: Feature) -> None:
            for need in feature.needs:
                if need not in done:
                    visit(self.feature(need))
            done.setdefault(feature.name, feature)

        for feature in self.features:
            visit(feature)
        return tuple(done.values())


@dataclass(frozen=True)
class EngineChoice:
    """Which engine computes what."""

    historical_feature: str
    realtime_feature: str
    historical_label: str
    realtime_label: str


@dataclass(frozen=True)
class Costs:
    """Per side: the fee as a fraction, the slippage in basis points."""

    taker_fee: float
    slippage_bps: float

    @property
    def round_trip(self) -> float:
        """Return the cost of a round trip as a fraction: 2 (fee + slippage)."""
        return 2.0 * (self.taker_fee + self.slippage_bps * 1e-4)


@dataclass(frozen=True)
class Paths:
    """Where the project keeps what it makes; all absolute."""

    data: Path
    database: Path
    parquet: Path
    tape: Path
    state: Path
    lock: Path


@dataclass(frozen=True)
class Later:
    """A sink, detector or alert: checked as far as its kind is known."""

    name: str
    type: str
    options: Mapping[str, Any]
    place: Place


@dataclass(frozen=True)
class Project:
    """A whole project."""

    folder: Path
    name: str
    version: str
    symbols: tuple[str, ...]
    sources: tuple[str, ...]
    providers: tuple[ProviderSpec, ...]
    instruments: tuple[InstrumentSpec, ...]
    engine_backends: Mapping[str, str]
    bars: tuple[BarSpec, ...]
    snapshots: SnapshotSpec
    enrich: EnrichOptions
    force_refresh: bool
    micro_batch_size: int
    history_start_ns: int | None
    labels: tuple[LabelSpec, ...]
    feature_sets: tuple[FeatureSet, ...]
    feature_types: Mapping[str, FeatureType]  # the project's own and the library types in use
    engine: EngineChoice
    costs: Costs
    tables: frozenset[str]
    sinks: tuple[Later, ...]
    detectors: tuple[Later, ...]
    alerts: tuple[Later, ...]
    paths: Paths
    local: LocalConfig
    definitions_hash: str
    files: tuple[Path, ...]
    notes: tuple[str, ...] = field(default=())
    regimes: Mapping[str, Any] = field(default_factory=dict)  # the RegimeTable of each name
    cross_sets: tuple[CrossSet, ...] = ()

    @property
    def cdm_schema(self) -> str:
        """Return the schema of the market tables."""
        return f"{self.name}_cdm"

    @property
    def feature_schema(self) -> str:
        """Return the schema of the feature tables."""
        return f"{self.name}_feature"

    def bar(self, clock: str) -> BarSpec:
        """Return the bar that makes `clock`. Errors: QF220."""
        for spec in self.bars:
            if spec.clock == clock:
                return spec
        raise no_clock("the question", clock, [spec.clock for spec in self.bars])

    def feature_set(self, name: str) -> FeatureSet:
        """Return the feature set called `name`. Errors: QF221."""
        for found in self.feature_sets:
            if found.name == name:
                return found
        known = [found.name for found in self.feature_sets]
        raise NO_SET(name=name, known=", ".join(known) or "none", near=nearest(name, known))

    def feature(self, name: str) -> Feature:
        """Return the first feature called `name` over all sets. Errors: QF222."""
        known = [f.name for found in self.feature_sets for f in found.features]
        for found in self.feature_sets:
            for feature in found.features:
                if feature.name == name:
                    return feature
        raise NO_FEATURE(name=name, near=nearest(name, known))

    def instrument(self, venue: str, symbol: str) -> InstrumentSpec | None:
        """Return the instrument's row, or None where none is written down."""
        for row in self.instruments:
            if (row.venue, row.symbol) == (venue, symbol):
                return row
        return None


def no_clock(
    where: str, clock: str, known: list[str], place: Place | None = None
) -> QuantflowError:
    """Return the error of a bar clock that nothing makes."""
    return NO_CLOCK(
        where=where,
        clock=clock,
        known=", ".join(known) or "none",
        near=nearest(clock, known),
        place=place,
    )
