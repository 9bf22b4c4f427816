"""Poison across symbols: one symbol's future is garbage, and no other may have known of it.

What a poisoned symbol's features became stands in for its real ones, the other symbols are as they
are; the cross sets are computed of both, and every vector of every reading symbol that was known
at the instant must keep every bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qf.engines.cross import Cross
from qf.engines.cross_inputs import FEATURES, MadeInputs
from qf.engines.cross_rows import Rows, Source
from qf.engines.sources import open_tape
from qf.project.model import Project
from qf.proof.poison_runs import Spoilt
from qf.proof.poison_tables import Difference, Instant, Key, Part, Recorder, differences

Progress = Callable[[str, int, int, str], None]


class CrossPoison:
    """The cross sets of a project over clean rows, and over rows of which one symbol's changed."""

    def __init__(self, project: Project, end: int | None, report: Progress) -> None:
        """Make every input once; without cross sets there is nothing to do."""
        self._project = project
        self._rows: dict[Source, Rows] = {}
        self._symbols: frozenset[str] = frozenset()
        self.clean: dict[Key, Part] = {}
        if not project.cross_sets:
            return
        cross = Cross(project)
        self._symbols = cross.symbols
        for symbol in sorted(cross.symbols):
            report("clean run", 0, 1, symbol)
            made = MadeInputs(project, open_tape(project, symbol), end, report)
            self._rows |= {each: made.rows(each, end) for each in cross.inputs_of(symbol)}
        self.clean = self._vectors({}, "")

    def differences(
        self, symbol: str, spoilt: Mapping[Key, Part], at: Instant
    ) -> tuple[list[Difference], int]:
        """Return what differs where one symbol's tables are spoilt after an instant."""
        if symbol not in self._symbols:
            return [], 0
        return differences(self.clean, self._vectors(spoilt, symbol), at)

    def source(self, engine: str, spoilt: Spoilt, each: Difference) -> str:
        """Return in words what a column is made by."""
        name = each.table.removeprefix("feature_vectors_")
        found = next(cross for cross in self._project.cross_sets if cross.name == name)
        reader = next(word for word in each.key[1:] if word in found.symbols)
        for feature in found.features:
            if each.column in (feature.name, f"{feature.name}_age_ms"):
                return f"the cross set {name} as {reader} reads it: {feature.formula}"
        return f"the cross set {name} as {reader} reads it"

    def _vectors(self, spoilt: Mapping[Key, Part], symbol: str) -> dict[Key, Part]:
        cross, recorder = Cross(self._project), Recorder()
        theirs = _features(spoilt, symbol)
        for each in cross.inputs:
            changed = each.symbol == symbol and not each.published  # that stays as it was
            rows = theirs.get(each) if changed else self._rows[each]
            if rows is not None:
                cross.take(rows, **each.constants)
        for made in cross.settle():
            where = {"symbol": made.symbol, "bar_clock": made.bar_clock}
            recorder.write(made.table, made.columns, **where)
        return recorder.parts()


def _features(tables: Mapping[Key, Part], symbol: str) -> dict[Source, Rows]:
    """Return a symbol's feature rows, by what they belong to."""
    names = Source._fields[1:]
    return {
        Source(symbol, *(part.constants[name] for name in names)): part.columns
        for part in tables.values()
        if part.table.name == FEATURES
    }
