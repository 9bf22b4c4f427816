"""The cross sets live: rows of features in, as the lines emit them, vectors out.

1. every line hands the feature rows of a group of frames to the stage as it hands them to a sink
2. when all lines have computed the group, the decisions of the group are made: frames come in the
   order of their receive time, so every row before a decision's instant has been taken
3. a line whose reader holds frames back holds back the decisions that could see them
4. vectors go to every sink, gathered like the rows of a line

Where a group ends changes no number: a decision sees rows strictly before its instant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from qf.engines.cross import Cross, Vectors
from qf.engines.cross_inputs import RowTap
from qf.live.outlet import GATHERED_ROWS
from qf.project.model import Project
from qf.schema_tables import Table
from qf.sinks.sink import Sink

if TYPE_CHECKING:
    from qf.live.line import Line

CROSS = "cross sets"  # in a checkpoint, beside the symbols
LATE = "{late:,} feature rows came too late for decisions of other symbols: frames out of order"


class CrossTap(RowTap):
    """What a line writes its feature rows to; not one of the project's sinks."""

    PROMPT = True
    name = CROSS

    def flush(self) -> None:
        """Do nothing: rows are taken as they come."""


class CrossLine:
    """The cross sets of one session; without any it does nothing."""

    def __init__(self, project: Project, symbols: Iterable[str], sinks: Iterable[Sink]) -> None:
        self._cross = Cross(project, symbols=symbols)
        self.taps = [CrossTap(self._cross.take)] if self._cross.readers else []
        self._sinks = [sink for sink in sinks if any(map(sink.wants, self._cross.tables))]
        self._venues: dict[str, str] = {}
        self._gathered: dict[tuple[str, str, str], list[Vectors]] = {}  # sink, table, symbol
        self._rows = 0

    def settle(self, lines: Mapping[str, Line], quiet: frozenset[str]) -> None:
        """Make the decisions of a group of frames; rows of `quiet` sinks are there already."""
        if not self.taps:
            return
        held = [line.last_time for line in lines.values() if line.holds_back]
        horizon = min(held, default=None)
        newest = None
        for made in self._cross.settle(horizon):
            newest = max(newest or 0, int(made.columns["feature_time"][-1]))
            self._venues[made.symbol] = lines[made.symbol].instrument.venue
            for sink in self._sinks:
                if sink.name not in quiet and sink.wants(made.table):
                    key = (sink.name, made.table.name, made.symbol)
                    self._gathered.setdefault(key, []).append(made)
                    self._rows += len(made.columns["bar_id"])
        if newest is not None and not held:
            # Every line has come this far, so no later decision is of an earlier instant.
            self._cross.forget_before(newest)
        if self._rows > GATHERED_ROWS or any(sink.PROMPT for sink in self._sinks):
            self.flush()

    def flush(self) -> None:
        """Hand every gathered row to its sink."""
        gathered, self._gathered, self._rows = self._gathered, {}, 0
        sinks = {sink.name: sink for sink in self._sinks}
        for (name, _, symbol), parts in gathered.items():
            table: Table = parts[0].table
            columns = {
                each: np.concatenate([part.columns[each] for part in parts])
                for each in parts[0].columns
            }
            where = {"venue": self._venues[symbol], "symbol": symbol}
            sinks[name].write(table, columns, **where, bar_clock=parts[0].bar_clock)

    @property
    def notes(self) -> list[str]:
        """Return what the user should know, in sentences."""
        return [LATE.format(late=self._cross.late)] if self._cross.late else []

    def identity(self) -> dict[str, dict[str, str]]:
        """Return what a saved state belongs to, as JSON values under its name."""
        return {CROSS: self._cross.identity()} if self.taps else {}

    def state(self) -> dict[str, dict[str, Any]]:
        """Return everything that decides the vectors to come, under its name; flush before."""
        return {CROSS: self._cross.state()} if self.taps else {}

    def begin(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken, here or at the end of a batch run."""
        self._cross.restore(state)
