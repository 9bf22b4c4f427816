"""The cross sets of a project, computed in other ways from the rows that a run gives them.

A way cuts the time at random instants and hands over, piece by piece, what every symbol made in
it, the symbols in a random order each time; at some cuts everything is saved and goes on in a new
stage, and rows that nobody may see again are let go. That is what live sessions and runs do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qf.engines.cross import Cross
from qf.engines.cross_inputs import MadeInputs
from qf.engines.cross_rows import Rows, Source
from qf.proof.prove_path import Subject, Sums
from qf.schema_tables import Table
from qf.store.arrow import schema_of
from qf.store.duck import FIRST_NS, LAST_NS
from qf.store.hashing import RowSums
from qf.store.writer import Batches, Writer

MOST_CUTS, KILLS = 120, 2
TIME = "feature_time"


class CrossProof:
    """What a project's cross sets read, and the hashes of what they make of it."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        """Make every input once; a project without cross sets, or without vectors, has none."""
        first = subjects[0]
        self._project, self._span = first.project, first.span
        self._there = bool(self._project.cross_sets) and "vectors" in self._project.tables
        self._venues = {
            each.planned.instrument.symbol: each.planned.instrument.venue for each in subjects
        }
        self._rows: list[tuple[Source, Rows]] = []
        self.rows: dict[str, int] = {}  # of the reference, by table
        if not self._there:
            return
        cross = Cross(self._project)
        for subject in subjects:
            symbol, end = subject.planned.instrument.symbol, subject.span[1]
            own = cross.inputs_of(symbol)
            if own:
                made = MadeInputs(self._project, subject.tape, end, lambda *told: None)
                self._rows += [(each, made.rows(each, end)) for each in own]

    def reference(self) -> dict[str, str]:
        """Return the hash of every table as a run makes it."""
        if not self._there:
            return {}
        cross = Cross(self._project)
        self._take(cross, self._rows)
        sums = self._written(cross, None)
        self.rows = {name: each.rows for name, each in sums.items()}
        return self._hashes(cross.tables, sums)

    def hashes(self, seed: int) -> dict[str, str]:
        """Return the hash of every table as the way of that seed makes it."""
        if not self._there:
            return {}
        rng = np.random.default_rng([seed, 17])
        times = np.unique(np.concatenate([rows[TIME] for _, rows in self._rows]))
        count = min(len(times), int(rng.integers(1, MOST_CUTS)))
        cuts = np.sort(rng.choice(times, count, replace=False)).tolist() if count else []
        kills = rng.choice(cuts, min(KILLS, len(cuts)), replace=False).tolist()
        cross, low = Cross(self._project), FIRST_NS
        sums: Sums = {}
        for cut in (*cuts, None):
            high = LAST_NS if cut is None else cut
            pieces = [(each, _between(rows, low, high)) for each, rows in self._rows]
            order = rng.permutation(len(pieces))
            self._take(cross, [pieces[place] for place in order])
            made = self._written(cross, None if cut is None else high - 1)
            for name, found in made.items():
                sums[name] = sums.get(name, RowSums()) + found
            if cut is not None and rng.random() < 0.5:
                cross.forget_before(high)
            if cut in kills:
                state, cross = cross.state(), Cross(self._project)
                cross.restore(state)
            low = high
        return self._hashes(cross.tables, sums)

    def _take(self, cross: Cross, pieces: Sequence[tuple[Source, Rows]]) -> None:
        for each, rows in pieces:
            cross.take(rows, **each.constants)

    def _written(self, cross: Cross, horizon: int | None) -> Sums:
        """Return the sums of what is decided now, by the way of the store's writer."""
        writer = _Sums(self._project.name, cross.tables, self._venues, self._span)
        for made in cross.settle(horizon):
            where = {"venue": self._venues[made.symbol], "symbol": made.symbol}
            writer.write(made.table, made.columns, **where, bar_clock=made.bar_clock)
        writer.finish()
        return writer.sums

    def _hashes(self, tables: Sequence[Table], sums: Sums) -> dict[str, str]:
        return {each.name: sums[each.name].digest(schema_of(each)) for each in tables}


class _Sums(Writer):
    """Check and convert rows as the store's writer does, and sum them up."""

    def __init__(
        self,
        project: str,
        tables: Sequence[Table],
        venues: dict[str, str],
        span: tuple[int | None, int | None],
    ) -> None:
        where: Any = [(venue, symbol) for symbol, venue in venues.items()]
        start, end = span
        limits = (FIRST_NS if start is None else start, LAST_NS if end is None else end)
        super().__init__(None, project, tables, where, limits)
        self.sums: Sums = {table.name: RowSums() for table in tables}

    def put(self, table: Table, batches: Batches) -> None:
        """Add the batches' rows to the table's sums."""
        for batch in batches:
            self.sums[table.name].add(batch)


def _between(rows: Rows, low: int, high: int) -> Rows:
    """Return the rows made in [low, high), ns."""
    first, last = np.searchsorted(rows[TIME], [low, high], "left")
    return {name: column[first:last] for name, column in rows.items()}
