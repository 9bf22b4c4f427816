"""A symbol's run with the Polars engine: gather, compute, compare with the machine, write.

The machine still runs, because it makes the ticks and bars; its feature rows are not written but
held against Polars', feature by feature. What is continuous must agree within the sum of its ops'
tolerances. A rank, a comparison or a clip may turn a last-bit difference into another value: those
rows are counted and named, never hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import polars as pl

from qf.engines.features import staleness_of
from qf.engines.polars_engine import SetRows, bar_columns, compute_set, frame_of, tick_columns
from qf.engines.symbol_plan import SymbolPlan
from qf.program import Column, Program
from qf.project.model import FeatureSet, Project
from qf.schema_tables import TABLES, Table, vector_table

GROUPS = ("features", "vectors")
MARK = "polars."  # the reads of this engine among those of the tables


class RowWriter(Protocol):
    """What takes the rows."""

    def write(self, table: Table, columns: Mapping[str, Any], **constants: str) -> None:
        """Add rows to a table."""
        ...


@dataclass(frozen=True)
class Agreement:
    """How one feature of two engines compares, on its own clock or as the decision saw it."""

    symbol: str
    feature_set: str
    feature: str
    form: str  # "features" or "vectors"
    rows: int
    values: int  # rows with a value
    tolerance: float  # relative
    largest: float  # largest relative difference
    unequal: int  # rows beyond the tolerance, or with a value on one side only
    other: int  # rows with other quality bits, or in vectors another age
    first: str  # the first unequal row, said in words

    @property
    def agrees(self) -> bool:
        """Say whether no row is unequal."""
        return self.unequal == 0 and self.other == 0

    def line(self) -> str:
        """Return the comparison in one line."""
        share = self.unequal / self.rows if self.rows else 0.0
        parts = [
            f"{self.values:,} of {self.rows:,} rows have a value",
            f"largest relative difference {self.largest:.1e}",
            f"tolerance {self.tolerance:.0e}",
            f"unequal {share:.3%}",
        ]
        parts += [f"other quality or age in {self.other:,}"] if self.other else []
        parts += [self.first] if self.first else []
        return f"{self.feature}: {', '.join(parts)}"


def agreement_lines(agreements: Iterable[Agreement]) -> list[str]:
    """Return what a person reads: every feature, and of the vectors what does not agree."""
    agreements = list(agreements)
    lines = [f"polars {each.line()}" for each in agreements if each.form == "features"]
    vectors = [each for each in agreements if each.form == "vectors"]
    apart = [each for each in vectors if not each.agrees]
    lines += [f"polars, vectors: {each.line()}" for each in apart]
    if vectors and not apart:
        lines.append(f"polars, vectors: {len(vectors)} columns agree, ages and quality too")
    return lines


class PolarsRun:
    """Compute one symbol's features with Polars, beside the machine's pass over its tape."""

    def __init__(self, project: Project, planned: SymbolPlan) -> None:
        """Ask the plan for what Polars needs (before a program is made of it)."""
        taken = [r for r in planned.routes if r.group in GROUPS]
        self.tables = [route.table for route in taken]  # what it writes in the machine's place
        self._planned, self._wanted = planned, {route.group for route in taken}
        self._sets = [s for s in project.feature_sets if s.name in planned.vectors]
        planned.routes[:] = [r for r in planned.routes if r.group not in GROUPS]
        self._kept: dict[str, list[dict[str, np.ndarray]]] = {}
        self._names: dict[str, dict[str, str]] = {}
        for each in self._sets:
            self._ask(each)

    def take(self, program: Program, made: Mapping[str, np.ndarray]) -> None:
        """Keep what one advance of the program made."""
        for clock, names in self._names.items():
            if clock in made:
                columns = program.named(clock, made[clock])
                kept = {name: columns[read].copy() for name, read in names.items()}
                self._kept.setdefault(clock, []).append(kept)

    def finish(self, program: Program, writer: RowWriter) -> list[Agreement]:
        """Compute, write and compare. Errors: QF139 and those of the writer."""
        frames = {clock: frame_of(self._columns(program, clock)) for clock in self._names}
        ticks = frames.pop("tick") if "tick" in frames else pl.DataFrame()
        found = []
        for each in self._sets:
            rows = compute_set(each, self._planned.graphs, ticks, frames)
            self._write(each, rows, writer)
            found += self._compare(each, rows, frames)
        return found

    def _ask(self, each: FeatureSet) -> None:
        planned, state = self._planned, self._planned.state
        wanted = tick_columns(each, planned.graphs)
        self._read("tick", {name: state.tick[name] for name in wanted})
        for clock in {each.bar, *(f.bar for f in each.features)}:
            bar = state.bars[clock]
            self._read(
                clock, {name: bar[name] for name in bar_columns(each, planned.graphs, clock)}
            )
        for feature in each.features:
            row = planned.builder.rows[each.name, feature.name]
            name = f"{each.name}.{feature.name}"
            self._read(feature.bar, {f"{name}.value": row.value, f"{name}.quality": row.quality})
        for seen in planned.vectors[each.name]:
            name = f"{each.name}:{seen.feature.name}"
            columns = {"value": seen.value, "age": seen.age_ns, "quality": seen.quality}
            self._read(each.bar, {f"{name}.{key}": column for key, column in columns.items()})

    def _read(self, clock: str, columns: Mapping[str, Column]) -> None:
        names = self._names.setdefault(clock, {})
        for name, column in columns.items():
            if name not in names:
                names[name] = MARK + name
                self._planned.plan.read(MARK + name, column)

    def _columns(self, program: Program, clock: str) -> dict[str, np.ndarray]:
        parts = self._kept.pop(clock, [])
        if not parts:
            empty = program.named(clock, None)
            return {name: empty[read] for name, read in self._names[clock].items()}
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _write(self, each: FeatureSet, rows: SetRows, writer: RowWriter) -> None:
        instrument = self._planned.instrument
        where = {"venue": instrument.venue, "symbol": instrument.symbol}
        if "features" in self._wanted:
            for feature in each.features:
                frame = rows.features[feature.name]
                names = ("bar_id", "feature_time", "value", "quality")
                constants = {"feature_set": each.name, "feature_name": feature.name}
                writer.write(
                    TABLES["features"],
                    {name: _array(frame[name]) for name in names},
                    bar_clock=feature.bar,
                    **where,
                    **constants,
                )
        if "vectors" in self._wanted:
            columns = {name: _array(rows.vectors[name]) for name in ("bar_id", "feature_time")}
            columns["quality"] = _array(rows.vectors["quality"])
            for feature in each.features:
                columns[feature.name] = _array(rows.vectors[feature.name])
                # NumPy divides; Polars would multiply by the reciprocal, another last bit.
                age = _array(rows.vectors[f"{feature.name}:age"].cast(pl.Float64)) / 1e6
                columns[f"{feature.name}_age_ms"] = age
            table = vector_table(each.name, [f.name for f in each.features])
            writer.write(table, columns, bar_clock=each.bar, **where)

    def _compare(
        self, each: FeatureSet, rows: SetRows, frames: Mapping[str, pl.DataFrame]
    ) -> list[Agreement]:
        found = []
        for feature in each.features:
            machine = frames[feature.bar]
            mine = rows.features[feature.name].select("bar_id", "value", "quality")
            name = f"{each.name}.{feature.name}"
            theirs = machine.select(value=f"{name}.value", quality=f"{name}.quality")
            found.append(self._agree(each, feature.name, "features", mine, theirs, rows))
        for feature in each.features:
            machine, name = frames[each.bar], feature.name
            columns = {"value": name, "age": f"{name}:age", "quality": f"{name}:quality"}
            mine = rows.vectors.select("bar_id", **columns)
            theirs = machine.select(**{key: f"{each.name}:{name}.{key}" for key in columns})
            found.append(self._agree(each, feature.name, "vectors", mine, theirs, rows))
        return found

    def _agree(
        self,
        each: FeatureSet,
        feature: str,
        form: str,
        mine: pl.DataFrame,
        theirs: pl.DataFrame,
        rows: SetRows,
    ) -> Agreement:
        tolerance = rows.tolerance[feature]
        contract = each.feature(feature).staleness
        if form == "vectors" and contract is not None:
            tolerance += staleness_of(contract)[0].tolerance
        a, b = _array(mine["value"]), _array(theirs["value"])
        relative = relative_difference(a, b)
        wrong = relative > tolerance
        other = [mine[name].ne_missing(theirs[name]) for name in theirs.columns if name != "value"]
        first = ""
        if wrong.any():
            row = int(np.argmax(wrong))
            first = f"bar {mine['bar_id'][row]}: {a[row]!r} is {b[row]!r} in the machine"
        known = relative[np.isfinite(relative)]
        return Agreement(
            self._planned.instrument.symbol,
            each.name,
            feature,
            form,
            rows=len(a),
            values=int((~np.isnan(b)).sum()),
            tolerance=tolerance,
            largest=float(known.max()) if len(known) else 0.0,
            unequal=int(wrong.sum()),
            other=int(np.logical_or.reduce([column.to_numpy() for column in other]).sum()),
            first=first,
        )


def relative_difference(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return |a - b| over the larger of |b| and the mean of |b|; 0 where both are missing.

    It is infinite where one side alone is missing. A difference of two large sums has no relative
    accuracy of its own where it happens to be near zero, hence the mean.
    """
    missing = np.isnan(mine), np.isnan(theirs)
    known = ~(missing[0] | missing[1])
    scale = float(np.abs(theirs[known]).mean()) if known.any() else 0.0
    result = np.where(missing[0] == missing[1], 0.0, np.inf)
    size = np.maximum(np.abs(theirs[known]), scale)
    apart = np.abs(mine[known] - theirs[known])
    result[known] = np.divide(apart, size, out=np.zeros_like(apart), where=apart > 0)
    return result


def _array(column: pl.Series) -> np.ndarray:
    if column.dtype == pl.Float64:
        return column.fill_null(float("nan")).to_numpy()
    return column.to_numpy()
