"""The feature part of a symbol's program: formulas, aggregation, normalisation, vectors.

1. a formula in mode tick runs on every enriched trade, its quality is OR-ed over its memory, and
   both fold into a row per bar; in mode bar it runs on the bar rows and on other features;
2. the row is trusted, normalised and clipped on its clock, its quality carried the same way;
3. `seal` publishes it: value or a reason;
4. the decision clock takes the newest row of every feature known at its own row, and the
   staleness contract says what an old value is worth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qf.engines.columns import State
from qf.language.graph import Graph
from qf.lower.to_program import flags, lower
from qf.op import Op, find
from qf.program import Column, Plan
from qf.project.model import Feature, FeatureSet, Normalization, Staleness
from qf.schema import BIT, BOOK_INVALID

# What taints a formula that reads no book column: everything that is not about the book.
TRADE_BITS = sum(BIT.values()) & ~(BOOK_INVALID | BIT["unknown_depth"] | BIT["no_venue_time"])


@dataclass(frozen=True)
class Row:
    """One feature on its clock: before normalisation, and as published."""

    feature: Feature
    graph: Graph
    raw: Column  # aggregated, trusted, not normalised
    raw_quality: Column
    value: Column
    quality: Column
    warmup_bars: int


@dataclass(frozen=True)
class Seen:
    """One feature as the decision clock sees it."""

    feature: Feature
    value: Column
    age_ns: Column
    quality: Column


def levels_needed(graphs: Mapping[tuple[str, str], Graph], depth_levels: int) -> int:
    """Return K: the most levels a feature reads, at least 5, at most what is recorded."""
    most = max((graph.levels for graph in graphs.values()), default=0)
    return min(max(5, most), max(1, depth_levels), 50)


def normalizer_of(spec: Normalization) -> tuple[tuple[Op, dict[str, object]] | None, int]:
    """Return the normaliser with its parameters (None: none), and its warm-up in rows."""
    if spec.method == "none":
        return None, 0
    op = find(spec.method, "normalizers")
    names = {p.name for p in op.signature.parameters}
    given: dict[str, object] = {}
    if spec.window is not None and "window" in names:
        given["window"] = spec.window
    if "exclude_current" in names:
        given["exclude_current"] = "true" if spec.exclude_current else "false"
    return (op, given), op.amount("warmup", op.bind(**given))


def staleness_of(contract: Staleness) -> tuple[Op, dict[str, Any]]:
    """Return the rule for what an old value is worth, with its parameters."""
    rule = find(contract.action, "staleness")
    given = {"ttl_ms": contract.ttl_ms, "half_life_ms": contract.half_life_ms}
    names = {p.name for p in rule.signature.parameters}
    return rule, {name: number for name, number in given.items() if name in names}


def as_seen(
    plan: Plan, contract: Staleness | None, value: Column, quality: Column, age: Column
) -> tuple[Column, Column]:
    """Return what a feature's newest value of some age is worth to a decision, and its quality."""
    if contract is not None:
        rule, kept = staleness_of(contract)
        value = plan.one(rule, [value, age], **kept)
        if contract.action == "invalidate":
            late = find("flag_stale", "quality")
            quality = plan.one(late, [quality, age], ttl_ms=float(contract.ttl_ms))
    return value, quality


class FeatureBuilder:
    """Add the features of one symbol to its plan."""

    def __init__(self, state: State, graphs: Mapping[tuple[str, str], Graph]) -> None:
        self.state, self.plan, self.graphs = state, state.plan, graphs
        self.rows: dict[tuple[str, str], Row] = {}

    def add_set(self, feature_set: FeatureSet) -> list[Seen]:
        """Add every feature of a set and return its decision vector, in file order."""
        for feature in feature_set.ordered():
            self.rows[feature_set.name, feature.name] = self._add_feature(feature)
        return [
            self._see(self.rows[feature_set.name, f.name], feature_set.bar)
            for f in feature_set.features
        ]

    def _add_feature(self, feature: Feature) -> Row:
        graph = self.graphs[feature.feature_set, feature.name]
        bar = self.state.bars[feature.bar]
        if feature.mode == "tick":
            raw, quality = self._from_ticks(feature, graph, bar)
        else:
            raw, quality = self._from_bars(feature, graph, bar)
        raw = self._one("quality", "trusted", raw, quality)
        method, warmup = normalizer_of(feature.normalization)
        value, carried = raw, quality
        if method is not None:
            value = self.plan.one(method[0], [raw], **method[1])
            memory = method[0].amount("memory", method[0].bind(**method[1]))
            carried = self._carry(quality, (("rows", memory),), None)
            carried = self._one("quality", "flag_warmup", carried, rows=warmup)
        if feature.normalization.clip is not None:
            low, high = feature.normalization.clip
            value = self._one("ops", "clip", value, low=low, high=high)
        carried = self._one(
            "quality", "flag_first_bars", carried, bar["bar_id"], warmup_bars=feature.warmup_bars
        )
        sealed = self.plan.add(find("seal", "quality"), [value, carried])
        own = graph.warmup_rows if feature.mode == "bar" else 0
        needed = max(feature.warmup_bars, warmup + own)
        return Row(feature, graph, raw, quality, sealed[0][0], sealed[1][0], needed)

    def _from_ticks(
        self, feature: Feature, graph: Graph, bar: Mapping[str, Column]
    ) -> tuple[Column, Column]:
        tick = self.state.tick
        x = lower(graph, self.plan, tick, tick["processed_time"])
        quality = tick["quality"]
        if not graph.book:
            quality = self._one("quality", "keep_bits", quality, bits=TRADE_BITS)
        quality = self.of_graph(graph, quality, tick, tick["processed_time"])
        out = [bar["bar_id"].clock]
        folded = find(feature.aggregation, "aggregations")
        rows = [bar["first_row"], bar["close_row"]]
        raw = self.plan.add(folded, [x, *rows], {}, out)[0][0]
        # The last value answers for its own window only, any other for every row of the bar.
        joined = find("last_int" if feature.aggregation == "last" else "bit_or", "aggregations")
        return raw, self.plan.add(joined, [quality, *rows], {}, out)[0][0]

    def _from_bars(
        self, feature: Feature, graph: Graph, bar: Mapping[str, Column]
    ) -> tuple[Column, Column]:
        columns = dict(bar)
        quality = None
        for source in feature.needs:
            row = self.rows[feature.feature_set, source]
            columns[source] = row.raw
            quality = self.either(self.plan, quality, row.raw_quality)
        if any(name in bar for name in graph.columns) or quality is None:
            own = bar["quality"]
            if not graph.book:
                own = self._one("quality", "keep_bits", own, bits=TRADE_BITS)
            quality = self.either(self.plan, quality, own)
        raw = lower(graph, self.plan, columns, bar["feature_time"])
        return raw, self.of_graph(graph, quality, columns, bar["feature_time"])

    def _see(self, row: Row, decision: str) -> Seen:
        here, there = self.state.bars[decision], self.state.bars[row.feature.bar]
        inputs = [row.value, row.quality, there["feature_time"], there["known_row"]]
        inputs += [here["known_row"], here["feature_time"]]
        out = [here["bar_id"].clock]
        latest = self.plan.add(find("latest", "aggregations"), inputs, {}, out)
        value, quality, _, age = (group[0] for group in latest)
        value, quality = as_seen(self.plan, row.feature.staleness, value, quality, age)
        return Seen(row.feature, value, age, quality)

    def of_graph(
        self, graph: Graph, quality: Column, columns: Mapping[str, Column], time: Column
    ) -> Column:
        """Return the quality of a formula's value: of every row it reaches, and its own flags."""
        for full in flags(graph, self.plan, columns, time).get("window_full", []):
            quality = self._one("quality", "flag_window", quality, full)
        quality = self._carry(quality, graph.memory.steps, time)
        if graph.memory.ns:
            early = find("flag_early", "quality")
            quality = self.plan.add(early, [quality, time], {"span": graph.memory.ns})[0][0]
        return self._one("quality", "flag_warmup", quality, rows=graph.warmup_rows)

    def _carry(
        self, quality: Column, steps: tuple[tuple[str, int], ...], time: Column | None
    ) -> Column:
        for kind, extent in reversed(steps):
            if kind == "ns" and time is not None:
                op = find("window_or", "ops")
                quality = self.plan.add(op, [quality, time], {"window": extent})[0][0]
            elif kind == "rows" and extent > 1:
                quality = self._one("ops", "rolling_or", quality, rows=extent)
        return quality

    @staticmethod
    def either(plan: Plan, one: Column | None, other: Column) -> Column:
        """Return the bits of both; of the other where there is only one."""
        return other if one is None else plan.one(find("either", "quality"), [one, other])

    def _one(self, family: str, name: str, *inputs: Column, **given: object) -> Column:
        return self.plan.one(find(name, family), list(inputs), **given)
