"""A project in Python: `qf.open(folder)` reads its tables, runs it, and compiles its programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from qf.clock import DAY_NS, is_date, parse_time
from qf.engines.run import RunResult, run_project
from qf.engines.sources import instrument_of, providers_of
from qf.engines.symbol_plan import plan_symbol
from qf.errors import diagnostic
from qf.feeds.venue import find_venue
from qf.program import Program
from qf.project import open_project
from qf.project.cross_model import CrossSet
from qf.project.model import FeatureSet, Project
from qf.store.read import Reader

if TYPE_CHECKING:
    import polars as pl

    from qf.engines.warm_start import WarmStart

WHICH_SET = diagnostic(
    "QF520", "the project has {count} feature sets: say which", hint="it has: {known}"
)
NO_SYMBOL = diagnostic("QF521", "the project names no symbol to compile for")

Moment = str | int | date | datetime | None


def open_session(folder: str | Path) -> Session:
    """Return the project in `folder`, ready to be read and run. Errors: QF2xx."""
    return Session(open_project(folder))


class Tables:
    """Read what runs have stored; nothing is written, every call lets the file go again."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._reader = Reader(project.paths.database, project.name, project.paths.parquet)

    def tables(self) -> dict[str, int]:
        """Return the number of rows of each table, by name. Errors: QF601-QF603."""
        return self._reader.tables()

    def table(self, name: str, start: Moment = None, end: Moment = None) -> pl.LazyFrame:
        """Return a table's rows made in [start, end), by key. Errors: QF605."""
        return self._reader.frame(name, span=span_of(start, end)).lazy()

    def bars(self, clock: str) -> pl.LazyFrame:
        """Return the bars of one clock. Errors: QF220, QF606."""
        return self._reader.bars(self.project.bar(clock).clock)

    def features(self, feature_set: str = "", form: str = "long") -> pl.LazyFrame:
        """Return a set's features, long or wide. Errors: QF221, QF520, QF605."""
        return self._reader.features(self._set(feature_set), form)

    def vectors(self, feature_set: str = "") -> pl.LazyFrame:
        """Return the decision vectors of a set or a cross set. Errors: QF221, QF520, QF605."""
        return self._reader.vectors(self._deciding(feature_set).name)

    def labels(self, names: Sequence[str] | None = None) -> pl.LazyFrame:
        """Return labels, long. Errors: QF605, QF606."""
        return self._reader.labels(names)

    def training_set(
        self, labels: Sequence[str] | None = None, feature_set: str = ""
    ) -> pl.LazyFrame:
        """Return the vectors with labels beside them, by default all of the decision clock.

        Errors: QF221, QF520, QF605-QF607.
        """
        chosen = self._deciding(feature_set)
        if labels is None:
            labels = [each.name for each in self.project.labels if chosen.bar in each.clocks]
        return self._reader.training_set(chosen.name, labels)

    def sql(self, query: str, values: Sequence[object] = ()) -> pl.DataFrame:
        """Return what a query says about these tables. Errors: QF604."""
        return self._reader.sql(query, values)

    def _deciding(self, name: str) -> FeatureSet | CrossSet:
        """Return the set or cross set of a name; both have a clock that decides."""
        for each in self.project.cross_sets:
            if each.name == name:
                return each
        return self.project.feature_set(self._set(name))

    def _set(self, name: str) -> str:
        known = [found.name for found in self.project.feature_sets]
        if not name and len(known) != 1:
            raise WHICH_SET(count=len(known), known=", ".join(known) or "none")
        return self.project.feature_set(name or known[0]).name


class Run(Tables):
    """What one run did, and the tables as they are after it."""

    def __init__(self, project: Project, result: RunResult) -> None:
        super().__init__(project)
        self.result = result

    def __repr__(self) -> str:
        return "\n".join([*self.result.lines(), *(f"warning: {w}" for w in self.result.warnings)])


class Session(Tables):
    """A project: read its tables, run it, compile its programs."""

    def run(
        self,
        start: Moment = None,
        end: Moment = None,
        symbols: Sequence[str] | None = None,
        engine: str | None = None,
        progress: Callable[[str, int, int, str], None] | None = None,
    ) -> Run:
        """Compute the rows of [start, end); a date as end includes its whole day.

        `engine` replaces the project's choice: machine or polars. Errors: QF3xx, QF5xx, QF6xx.
        """
        first, last = span_of(start, end)
        result = run_project(
            self.project, engine=engine, start=first, end=last, symbols=symbols, progress=progress
        )
        return Run(self.project, result)

    def compile(self, feature_set: str = "", symbol: str = "") -> Program:
        """Return the program that makes a set's vectors from a symbol's tape (schema.TAPE rows).

        Errors: QF221, QF500-QF503, QF520, QF521, QF1xx at a formula's place.
        """
        if not self.project.symbols:
            raise NO_SYMBOL()
        symbol = symbol or self.project.symbols[0]
        chosen = self.project.feature_set(self._set(feature_set))
        alone = dataclasses.replace(self.project, feature_sets=(chosen,), labels=())
        venue = find_venue(providers_of(self.project, symbol)[0].venue)
        instrument = instrument_of(self.project, symbol)
        return Program(plan_symbol(alone, instrument, venue.CONTINUITY, {"vectors"}).plan)

    def warm_start(self, symbol: str = "") -> WarmStart:
        """Return where a symbol's history ends: what `Line.begin` takes to go on without warm-up.

        Errors: QF3xx, QF500-QF503, QF521, QF545.
        """
        from qf.engines.warm_start import warm_start

        if not self.project.symbols:
            raise NO_SYMBOL()
        return warm_start(self.project, symbol or self.project.symbols[0])

    def __repr__(self) -> str:
        project = self.project
        features = sum(len(found.features) for found in project.feature_sets)
        lines = [
            f"project {project.name} in {project.folder}",
            f"  symbols  {', '.join(project.symbols) or 'none'}",
            f"  feeds    {', '.join(each.name for each in project.providers) or 'none'}",
            f"  clocks   {', '.join(spec.clock for spec in project.bars) or 'none'}",
            f"  features {features} in {len(project.feature_sets)} set(s)",
            f"  labels   {', '.join(label.name for label in project.labels) or 'none'}",
        ]
        return "\n".join(lines)


def span_of(start: Moment, end: Moment) -> tuple[int | None, int | None]:
    """Return [start, end) in ns; dates are UTC and an end date includes its day. Errors: QF001."""
    return _moment(start, 0), _moment(end, DAY_NS)


def _moment(given: Moment, day_ns: int) -> int | None:
    if given is None or isinstance(given, int):
        return given
    text = given if isinstance(given, str) else given.isoformat()
    return parse_time(text) + (day_ns if is_date(text) else 0)
