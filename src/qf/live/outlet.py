"""From one symbol's program to a sink: routes of its own, because a route counts empty bars."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from qf.engines.collect import Collector
from qf.engines.symbol_plan import SymbolPlan
from qf.live.beside import Published
from qf.program import Program
from qf.sinks.sink import Sink

# So many gathered rows are handed over at once: a moment's work, where an epoch's would be a halt.
GATHERED_ROWS = 2_048


class Outlet:
    """Hand the rows of one symbol to one sink: at once, or gathered into larger pieces."""

    def __init__(self, sink: Sink, planned: SymbolPlan, program: Program) -> None:
        self.sink, self.name = sink, sink.name
        instrument = planned.instrument
        self._where = {"venue": instrument.venue, "symbol": instrument.symbol}
        self.routes = [
            dataclasses.replace(route) for route in planned.routes if sink.wants(route.table)
        ]
        self._clocks = {route.clock for route in self.routes}
        if any(route.group == "enriched" for route in self.routes):
            self._clocks.add("prints")
        self._collector = Collector(planned, program, sink, self.routes)
        self._gathered = 0

    def take(self, made: Mapping[str, np.ndarray]) -> None:
        """Take what one advance made."""
        own = {clock: rows for clock, rows in made.items() if clock in self._clocks}
        if own:
            self._collector.take(own)
            self._gathered += sum(rows.shape[1] for rows in own.values())
            if self.sink.PROMPT or self._gathered > GATHERED_ROWS:
                self.flush()

    def pass_over(self, made: Mapping[str, np.ndarray]) -> None:
        """Let rows go by that are there already."""
        self._collector.pass_over(made)

    def publish(self, rows: Published) -> None:
        """Take rows that are published as they came."""
        table, columns = rows
        if self.sink.wants(table):
            self.sink.write(table, columns, **self._where)

    def flush(self) -> None:
        """Hand over everything that was gathered."""
        self._collector.flush()
        self._collector.barriers = {}
        self._gathered = 0

    def begin(self, before: Mapping[str, Mapping[str, int]]) -> None:
        """Count empty bars from the last bar of each clock that a batch run has made."""
        for route in self.routes:
            if route.period_ns:
                route.go_on_from(before.get(route.clock))

    def state(self) -> list[dict[str, int] | None]:
        """Return what the routes count from; what was gathered must have been flushed."""
        return [route.before for route in self.routes]

    def restore(self, state: list[dict[str, Any] | None]) -> None:
        """Go on where `state` was taken."""
        for route, before in zip(self.routes, state, strict=True):
            route.go_on_from(before)
