"""Decision vectors of a set in which some features changed: the others come from their table.

1. the program runs the changed features and the bar clocks, nothing else of the set
2. of every other feature the stored rows are read, by the bars that the program has just made
3. a decision row takes the newest row of each feature known at its own row (as `latest` does),
   and a small program over the decision rows says what a value of that age is worth
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from qf.engines.collect import ages_in_ms
from qf.engines.features import FeatureBuilder, as_seen
from qf.engines.symbol_plan import AGE, SymbolPlan
from qf.errors import RunError, diagnostic
from qf.plan import Column, Plan
from qf.program import Program
from qf.project.model import Feature, FeatureSet
from qf.schema import BIT, NULL_INT

NOT_AS_RECORDED = diagnostic(
    "QF530",
    "the stored rows of {feature} on {clock} are not those that were recorded",
    RunError,
    "the table was changed by hand; make it anew with: qf run --force-refresh",
)

MOST_BARS = 1 << 17  # in hand at once
MARK = "join."  # the reads of this file among those of the tables
BAR = ("bar_id", "feature_time", "known_row")
ROW = (*BAR, "value", "quality")

Rows = dict[str, np.ndarray]


class FeatureRows(Protocol):
    """What reads stored features: the transaction."""

    def feature_rows(self, constants: Mapping[str, str], ids: tuple[int, int]) -> Rows:
        """Return bar_id, value and quality of a feature's bars."""
        ...


class VectorJoin:
    """Make the vectors of one set from computed and from stored features."""

    def __init__(
        self,
        planned: SymbolPlan,
        feature_set: FeatureSet,
        computed: Sequence[str],
        stored: FeatureRows,
    ) -> None:
        self._planned, self._set, self._stored = planned, feature_set, stored
        self._computed = set(computed)
        self._route = next(
            route
            for route in planned.routes
            if route.table.name == feature_set.table and route.group == "vectors"
        )
        self._clocks = {feature_set.bar, *(f.bar for f in feature_set.features)}
        self._parts: dict[str, list[Rows]] = {clock: [] for clock in self._clocks}
        self._last: dict[str, Rows] = {}  # by feature: the newest row before those in hand
        self._worth = Program(self._plan())
        self._waiting = 0

    def reads(self) -> dict[str, list[tuple[str, Column]]]:
        """Return what the program must hand out."""
        found = {}
        for clock in self._clocks:
            bar = self._planned.state.bars[clock]
            found[clock] = [(f"{MARK}{name}", bar[name]) for name in BAR]
        for feature in self._set.features:
            if feature.name in self._computed:
                row = self._planned.builder.rows[self._set.name, feature.name]
                mark = f"{MARK}{self._set.name}.{feature.name}"
                found[feature.bar] += [(f"{mark}.value", row.value)]
                found[feature.bar] += [(f"{mark}.quality", row.quality)]
        return found

    def take(self, program: Program, made: Mapping[str, np.ndarray], writer: Any) -> None:
        """Keep the bars that one advance made; go on to their vectors when there are enough."""
        for clock in self._clocks & made.keys():
            columns = program.named(clock, made[clock])
            kept = {n: columns[n].copy() for n in columns if n.startswith(MARK)}
            self._parts[clock].append(kept)
            self._waiting += len(kept[f"{MARK}bar_id"])
        if self._waiting > MOST_BARS:
            self.flush(writer)

    def flush(self, writer: Any) -> None:
        """Write the vectors of the bars in hand; without a writer let them go by."""
        self._waiting = 0
        bars = {clock: self._joined(clock) for clock in self._clocks}
        here = bars[self._set.bar]
        columns: Rows = {name: here[f"{MARK}{name}"] for name in BAR[:2]}
        given: Rows = {}
        for feature in self._set.features:
            rows = self._rows(feature, bars[feature.bar])
            seen = _latest(rows, here[f"{MARK}known_row"], here[f"{MARK}feature_time"])
            given |= {f"{feature.name}.{name}": column for name, column in seen.items()}
            self._last[feature.name] = {name: column[-1:] for name, column in rows.items()}
        if writer is None or not len(columns["bar_id"]):
            return
        worth = self._worth.push(given)["decisions"]
        for feature in self._set.features:
            columns[feature.name] = worth[feature.name]
            columns[feature.name + AGE] = given[f"{feature.name}.age"]
        columns["quality"] = worth["quality"]
        instrument = self._planned.instrument
        writer.write(
            self._route.table,
            ages_in_ms(self._route, columns),
            venue=instrument.venue,
            symbol=instrument.symbol,
            **self._route.constants,
        )

    def _plan(self) -> Plan:
        """Return the program that turns newest values with their ages into a decision's."""
        plan, total = Plan(), None
        plan.clock("decisions")
        for feature in self._set.features:
            value = plan.feed(f"{feature.name}.value")
            quality = plan.feed(f"{feature.name}.quality", "int")
            age = plan.feed(f"{feature.name}.age", "int")
            value, quality = as_seen(plan, feature.staleness, value, quality, age)
            plan.read(feature.name, value)
            total = FeatureBuilder.either(plan, total, quality)
        if total is not None:
            plan.read("quality", total)
        return plan

    def _joined(self, clock: str) -> Rows:
        parts, self._parts[clock] = self._parts[clock], []
        names = [name for name, _ in self.reads()[clock]]
        empty = np.zeros(0, np.int64)
        return {
            name: np.concatenate([part[name] for part in parts]) if parts else empty
            for name in names
        }

    def _rows(self, feature: Feature, bars: Rows) -> Rows:
        """Return a feature's rows of the bars in hand, behind the newest row before them."""
        rows = {name: bars[f"{MARK}{name}"] for name in BAR}
        if feature.name in self._computed:
            mark = f"{MARK}{self._set.name}.{feature.name}"
            rows |= {name: bars[f"{mark}.{name}"] for name in ("value", "quality")}
        else:
            rows |= self._read(feature, rows["bar_id"])
        last = self._last.get(feature.name)
        if last is None:
            return rows
        return {name: np.concatenate([last[name], rows[name]]) for name in ROW}

    def _read(self, feature: Feature, ids: np.ndarray) -> Rows:
        if not len(ids):
            return {"value": np.zeros(0), "quality": np.zeros(0, np.int64)}
        instrument = self._planned.instrument
        constants = {
            "venue": instrument.venue,
            "symbol": instrument.symbol,
            "bar_clock": feature.bar,
            "feature_set": self._set.name,
            "feature_name": feature.name,
        }
        found = self._stored.feature_rows(constants, (int(ids[0]), int(ids[-1])))
        if not np.array_equal(found["bar_id"], ids):
            raise NOT_AS_RECORDED(feature=feature.name, clock=feature.bar)
        return {name: found[name] for name in ("value", "quality")}


def _latest(rows: Rows, known: np.ndarray, time: np.ndarray) -> Rows:
    """Return value, quality and age of the newest row that is known at each decision row."""
    at = np.searchsorted(rows["known_row"], known, "right") - 1
    none = at < 0
    value = np.full(len(known), np.nan)
    quality = np.full(len(known), BIT["warmup"], np.int64)
    age = np.full(len(known), NULL_INT, np.int64)
    found = at[~none]
    value[~none], quality[~none] = rows["value"][found], rows["quality"][found]
    age[~none] = time[~none] - rows["feature_time"][found]
    return {"value": value, "quality": quality, "age": age}
