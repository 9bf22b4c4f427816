"""Gather the rows a program makes until there are enough to write at once.

A push may bring one event or a day; tables want batches. Rows wait here per clock, as matrices,
and go to their tables through the routes. What waits is bounded by `batch_bytes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from qf.engines.symbol_plan import AGE, Route, SymbolPlan
from qf.program import Program
from qf.schema import NULL_INT
from qf.schema_tables import Table

BATCH_BYTES = 32 << 20


class TableWriter(Protocol):
    """What takes the rows: the store's writer, or a test's."""

    def write(self, table: Table, columns: Mapping[str, np.ndarray], **constants: str) -> None:
        """Add rows to a table."""
        ...


class Collector:
    """Hand the rows of one symbol's program to a writer, in batches."""

    def __init__(
        self,
        planned: SymbolPlan,
        program: Program,
        writer: TableWriter,
        routes: Sequence[Route] | None = None,
    ) -> None:
        """Write what `routes` take, by default all of the plan's."""
        self._planned, self._program, self._writer = planned, program, writer
        self._routes = planned.routes if routes is None else routes
        self._waiting: dict[str, list[np.ndarray]] = {}
        self._bytes = 0
        self.rows: dict[str, int] = {}  # rows made, by clock
        self.barriers: dict[tuple[str, str], list[np.ndarray]] = {}  # met, by (label, clock)

    def take(self, made: Mapping[str, np.ndarray]) -> None:
        """Keep what one advance made; write when enough has gathered."""
        for clock, matrix in made.items():
            self._waiting.setdefault(clock, []).append(matrix)
            self._bytes += matrix.nbytes
            self.rows[clock] = self.rows.get(clock, 0) + matrix.shape[1]
        if self._bytes > BATCH_BYTES:
            self.flush()

    def pass_over(self, made: Mapping[str, np.ndarray]) -> None:
        """Let what one advance made go by unwritten; it lies before the rows to write."""
        for route in self._routes:
            if route.period_ns and route.clock in made:
                route.rows({route.clock: self._program.named(route.clock, made[route.clock])})

    def flush(self) -> None:
        """Write everything that waits."""
        made = {
            clock: self._program.named(clock, _joined(parts))
            for clock, parts in self._waiting.items()
        }
        self._waiting, self._bytes = {}, 0
        instrument = self._planned.instrument
        for route in self._routes:
            if route.clock not in made and not (route.group == "enriched" and "prints" in made):
                continue
            columns = self._enriched(made) if route.group == "enriched" else route.rows(made)
            if route.group == "labels":
                key = (route.constants["label_name"], route.constants["bar_clock"])
                self.barriers.setdefault(key, []).append(columns["barrier"])
            self._writer.write(
                route.table,
                ages_in_ms(route, columns),
                venue=instrument.venue,
                symbol=instrument.symbol,
                **route.constants,
            )

    def _enriched(self, made: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Return market prints and the others in one order, that of arrival."""
        parts = [dict(made[clock]) for clock in ("tick", "prints") if clock in made]
        if len(parts) == 1:
            return parts[0]
        order = np.argsort(np.concatenate([part["seq"] for part in parts]), kind="stable")
        return {name: np.concatenate([part[name] for part in parts])[order] for name in parts[1]}


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Return the matrices side by side; one alone as it is, for it may be large."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def ages_in_ms(route: Route, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the columns with every age in milliseconds, null where there is none."""
    if route.group != "vectors":
        return columns
    shown = dict(columns)
    for name, column in columns.items():
        if name.endswith(AGE):
            known = np.where(column == NULL_INT, np.nan, column / 1e6)
            shown[f"{name.removesuffix(AGE)}_age_ms"] = known
    return shown
