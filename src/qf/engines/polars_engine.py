"""The second feature engine: the same rows from Polars expressions alone.

Nothing of the machine computes here; only the tick and bar rows come from it. Per symbol:

1. the columns that formulas and membership need are read out of the program, block by block;
2. formulas in mode tick run on all enriched trades at once, their quality beside them;
3. rows first_row..close_row of the ticks are gathered per bar and aggregated;
4. formulas in mode bar run on the bars, on features before normalisation;
5. values are normalised, clipped and sealed; the decision clock joins the newest row of each.

It needs the whole history in memory: it is the check on the machine, not its replacement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from qf.engines import polars_quality as bits
from qf.engines.features import TRADE_BITS, normalizer_of, staleness_of
from qf.language.graph import Graph
from qf.lower.to_polars import with_graphs
from qf.op import Op, find
from qf.project.model import Feature, FeatureSet
from qf.schema import BIT, NULL_INT

TIME = "processed_time"
BAR_WORDS = ("bar_id", "feature_time", "first_row", "close_row", "known_row", "quality")

Frames = Mapping[str, pl.DataFrame]
Graphs = Mapping[tuple[str, str], Graph]


@dataclass(frozen=True)
class SetRows:
    """What one feature set came to: rows by feature on their own clocks, and the vectors."""

    features: dict[str, pl.DataFrame]  # bar_id, feature_time, known_row, value, quality, raw, …
    vectors: pl.DataFrame  # bar_id, feature_time, <feature>, <feature>:age (ns), …:quality; quality
    tolerance: dict[str, float]  # relative, summed over the ops that make each feature's row


def frame_of(columns: Mapping[str, np.ndarray]) -> pl.DataFrame:
    """Return arrays as a frame, null in place of NaN and NULL_INT."""
    series = []
    for name, values in columns.items():
        column = pl.Series(name, values)
        if column.dtype == pl.Float64:
            column = column.fill_nan(None)
        elif (values == NULL_INT).any():
            column = column.set(column == NULL_INT, None)
        series.append(column)
    return pl.DataFrame(series)


def tick_columns(feature_set: FeatureSet, graphs: Graphs) -> set[str]:
    """Return the tick columns that a set's formulas read."""
    names = {TIME, "quality"}
    for feature in feature_set.features:
        if feature.mode == "tick":
            names.update(graphs[feature_set.name, feature.name].columns)
    return names


def bar_columns(feature_set: FeatureSet, graphs: Graphs, clock: str) -> set[str]:
    """Return the columns of a bar clock that a set needs."""
    names: set[str] = set(BAR_WORDS)
    for feature in feature_set.features:
        if feature.mode == "bar" and feature.bar == clock:
            graph = graphs[feature_set.name, feature.name]
            names.update(set(graph.columns) - set(feature.needs))
    return names


def compute_set(
    feature_set: FeatureSet, graphs: Graphs, ticks: pl.DataFrame, bars: Frames
) -> SetRows:
    """Return the rows of a set: ticks and bars are one symbol's, from its history's start.

    Errors: QF139 where an op has no Polars rule.
    """
    own = {f.name: graphs[feature_set.name, f.name] for f in feature_set.features}
    raw = _from_ticks(feature_set, own, ticks, bars)
    rows: dict[str, pl.DataFrame] = {}
    tolerance: dict[str, float] = {}
    for feature in feature_set.ordered():
        graph = own[feature.name]
        if feature.mode == "bar":
            raw[feature.name] = _from_bars(feature, graph, bars[feature.bar], rows)
        rows[feature.name] = _publish(feature, raw[feature.name])
        tolerance[feature.name] = sum(tolerance[source] for source in feature.needs) + sum(
            (graph.tolerance, *(op.tolerance for op in _further_ops(feature)))
        )
    return SetRows(rows, _vectors(feature_set, rows, bars[feature_set.bar]), tolerance)


def _further_ops(feature: Feature) -> Iterable[Op]:
    """Yield the ops after the formula that may round."""
    if feature.mode == "tick":
        yield find(feature.aggregation, "aggregations")
    method, _ = normalizer_of(feature.normalization)
    if method is not None:
        yield method[0]


def _from_ticks(
    feature_set: FeatureSet, graphs: Mapping[str, Graph], ticks: pl.DataFrame, bars: Frames
) -> dict[str, pl.DataFrame]:
    """Return, for each feature in mode tick, its bars with `raw` and `raw_quality`."""
    features = [f for f in feature_set.features if f.mode == "tick"]
    values = with_graphs(ticks, {f".{f.name}": graphs[f.name] for f in features}, TIME, flags=True)
    for feature in features:
        graph, name = graphs[feature.name], f"?{feature.name}"
        start = pl.col("quality").fill_null(0)
        start = start if graph.book else bits.keep(start, TRADE_BITS)
        values = values.with_columns(start.alias(name))
        values = _taint(values, graph, name, f".{feature.name}:window_full", TIME)
    found: dict[str, pl.DataFrame] = {}
    for clock in dict.fromkeys(f.bar for f in features):
        here = [f for f in features if f.bar == clock]
        found.update(_fold(here, values, bars[clock]))
    return found


def _fold(
    features: list[Feature], values: pl.DataFrame, bars: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Return each feature's bars: the ticks of rows first_row..close_row, aggregated."""
    members = bars.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("%bar"),
        pl.int_ranges("first_row", pl.col("close_row") + 1).alias("%row"),
    ).explode("%row", empty_as_null=False, keep_nulls=False)
    names = [f"{kind}{f.name}" for f in features for kind in ".?"]
    gathered = values.select(pl.col(names).gather(members["%row"])).with_columns(members["%bar"])
    folded = []
    for feature in features:
        joined = "last_int" if feature.aggregation == "last" else "bit_or"
        for kind, op in ((".", feature.aggregation), ("?", joined)):
            rule = find(op, "aggregations").rules["polars"]
            folded.append(rule(pl.col(f"{kind}{feature.name}")).alias(f"{kind}{feature.name}"))
    by_bar = gathered.group_by("%bar", maintain_order=True).agg(folded)
    words = bars.select(BAR_WORDS)
    return {
        feature.name: words.with_columns(
            _trusted(by_bar[f".{feature.name}"], by_bar[f"?{feature.name}"])
        )
        for feature in features
    }


def _from_bars(feature: Feature, graph: Graph, bars: pl.DataFrame, rows: Frames) -> pl.DataFrame:
    """Return a feature in mode bar on its clock, with `raw` and `raw_quality`."""
    sources = [rows[name] for name in feature.needs]
    frame = bars.with_columns(
        source["raw"].alias(name) for name, source in zip(feature.needs, sources, strict=True)
    )
    tainted = [pl.lit(source["raw_quality"]) for source in sources]
    if not sources or any(name in bars.columns for name in graph.columns):
        quality = pl.col("quality").fill_null(0)
        tainted.append(quality if graph.book else bits.keep(quality, TRADE_BITS))
    frame = frame.with_columns(bits.either(tainted).alias("?"))
    frame = with_graphs(frame, {".": graph}, "feature_time", flags=True)
    frame = _taint(frame, graph, "?", ".:window_full", "feature_time")
    return bars.select(BAR_WORDS).with_columns(_trusted(frame["."], frame["?"]))


def _taint(frame: pl.DataFrame, graph: Graph, name: str, full: str, time: str) -> pl.DataFrame:
    """Return the frame with the bits in `name` spread over the formula's memory, and its own."""
    if full in frame.columns:
        frame = frame.with_columns(bits.window_full(pl.col(name), pl.col(full)).alias(name))
    frame = bits.carry(frame, name, graph.memory.steps, time)
    if graph.memory.ns:
        reached = bits.early(pl.col(name), pl.col(time), graph.memory.ns)
        frame = frame.with_columns(reached.alias(name))
    return frame.with_columns(bits.warm(pl.col(name), graph.warmup_rows).alias(name))


def _trusted(value: pl.Series, quality: pl.Series) -> list[pl.Series]:
    pair = pl.DataFrame([value.alias("raw"), quality.cast(pl.Int64).alias("raw_quality")])
    finite = pl.when(pl.col("raw").is_finite()).then("raw")
    pair = pair.with_columns(bits.trusted(finite, pl.col("raw_quality")).alias("raw"))
    return pair.get_columns()


def _publish(feature: Feature, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with `value` and `quality` as the features table has them."""
    rows = rows.with_columns(value="raw", bits="raw_quality")
    method, warmup = normalizer_of(feature.normalization)
    if method is not None:
        op, given = method
        bound = op.bind(**given)
        rows = rows.with_columns(value=op.rules["polars"](pl.col("raw"), **bound))
        memory = op.amount("memory", bound)
        rows = bits.carry(rows, "bits", [("rows", memory)], "feature_time")
        rows = rows.with_columns(bits=bits.warm(pl.col("bits"), warmup))
    if feature.normalization.clip is not None:
        low, high = feature.normalization.clip
        clip = find("clip", "ops").rules["polars"]
        rows = rows.with_columns(value=clip(pl.col("value"), low=low, high=high))
    rows = rows.with_columns(value=pl.when(pl.col("value").is_finite()).then("value"))
    value, quality = bits.seal(
        pl.col("value"), pl.col("bits"), pl.col("bar_id"), feature.warmup_bars
    )
    return rows.with_columns(value=value, quality=quality).drop("bits")


def _vectors(feature_set: FeatureSet, rows: Frames, decisions: pl.DataFrame) -> pl.DataFrame:
    """Return one row per decision bar: every feature as of it, after its staleness contract."""
    vectors = decisions.select("bar_id", "feature_time", "known_row")
    for feature in feature_set.features:
        seen = _as_of(feature, rows[feature.name], vectors)
        vectors = vectors.with_columns(
            seen["value"].alias(feature.name),
            seen["age"].alias(f"{feature.name}:age"),
            seen["quality"].alias(f"{feature.name}:quality"),
        )
    tainted = [pl.col(f"{feature.name}:quality") for feature in feature_set.features]
    return vectors.with_columns(quality=bits.either(tainted))


def _as_of(feature: Feature, rows: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    known = rows.select("known_row", "value", "quality", made=pl.col("feature_time"))
    # Two bars that one trade made: the later one is the newest.
    known = known.unique("known_row", keep="last", maintain_order=True)
    seen = decisions.select("known_row", "feature_time").join_asof(
        known.set_sorted("known_row"), on="known_row", strategy="backward"
    )
    seen = seen.with_columns(
        age=pl.col("feature_time") - pl.col("made"),
        quality=pl.when(pl.col("made").is_null())
        .then(pl.lit(BIT["warmup"], pl.Int64))
        .otherwise("quality"),
    )
    contract = feature.staleness
    if contract is not None:
        rule, given = staleness_of(contract)
        bound = rule.bind(**given)
        seen = seen.with_columns(
            value=rule.rules["polars"](pl.col("value"), pl.col("age"), **bound)
        )
        if contract.action == "invalidate":
            flagged = bits.stale(pl.col("quality"), pl.col("age"), float(contract.ttl_ms))
            seen = seen.with_columns(quality=flagged)
    return seen
