"""The second stage: features of several symbols meet on the decision clock of one of them.

It reads rows of the table `features` and nothing else, wherever they come from: stored, just made
by a run, or emitted by a live session. So batch and live are one code over one input.

1. rows are taken, symbol by symbol, in any order of symbols
2. `settle` decides: every row of a reading symbol's clock up to a horizon sees its own row of the
   same bar, and of everything else the newest row strictly before it (cross_rows.py)
3. the rows go through the plan of the set and the symbol (cross_plan.py) and become vectors

What is kept is the state: rows that later decisions may see, and the programs'.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from qf.engines.cross_plan import TIME, CrossPlan, plan_cross
from qf.engines.cross_rows import FeatureRows, Source
from qf.program import Program
from qf.project.cross_model import CrossSet
from qf.project.model import Project
from qf.schema_tables import Table

BLOCK_ROWS = 256  # of decisions: they are few beside ticks

Key = tuple[str, str, str]  # symbol, feature set, feature


class Vectors(NamedTuple):
    """Rows of one cross set's vectors, of one symbol."""

    table: Table
    symbol: str
    columns: dict[str, np.ndarray]
    bar_clock: str


class _Reader:
    """One reading symbol of one cross set: its program, and its rows that wait for a decision."""

    def __init__(self, planned: CrossPlan) -> None:
        self.planned, self.program = planned, Program(planned.plan, BLOCK_ROWS)
        cross = planned.cross
        own = [each.feature for each in planned.inputs if each.aligned]
        anchor = next(f.name for f in cross.of.features if f.bar == cross.bar)
        self.waiting = {name: FeatureRows() for name in dict.fromkeys((anchor, *own))}
        self.anchor = self.waiting[anchor]
        self.others: dict[str, FeatureRows] = {}  # by input name, shared among readers

    def decide(self, horizon: int | None) -> Vectors | None:
        """Compute the decisions that are due; None where there are none."""
        times = self.anchor.rows[TIME]
        count = len(times)
        if horizon is not None:
            count = int(np.searchsorted(times, horizon, "right"))
        if not count:
            return None
        own = {name: rows.take(count) for name, rows in self.waiting.items()}
        ids = next(iter(own.values()))
        times, planned = ids[TIME], self.planned
        fed: dict[str, np.ndarray] = {TIME: times}
        ages: dict[str, np.ndarray] = {}
        for each in planned.inputs:
            if each.aligned:
                value, age = own[each.feature]["value"], np.zeros(count, np.int64)
                bits = own[each.feature]["quality"]
            else:
                value, age, bits = self.others[each.name].before(times)
            fed |= {each.name: value, f"{each.name}:age": age, f"{each.name}:bits": bits}
            ages[each.name] = age
        made = next(iter(self.program.push(fed).values()))
        columns = {name: made[name] for name in (*planned.reads, "quality")}
        for name, age in planned.ages_ms(ages, fed).items():
            columns[f"{name}_age_ms"] = age
        columns |= {"bar_id": ids["bar_id"], TIME: times}
        return Vectors(planned.table, planned.symbol, columns, planned.cross.bar)

    def state(self) -> dict[str, Any]:
        """Return what decides later rows."""
        waiting = {name: rows.state() for name, rows in self.waiting.items()}
        return {"program": self.program.save(), "waiting": waiting}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken. Errors: QF430, QF431."""
        self.program.restore(state["program"])
        for name, rows in self.waiting.items():
            rows.restore(state["waiting"][name])


class Cross:
    """All cross sets of a project over one stream of feature rows."""

    def __init__(
        self,
        project: Project,
        sets: Iterable[CrossSet] | None = None,
        symbols: Iterable[str] | None = None,
    ) -> None:
        """Plan the sets for those of their reading symbols that are among `symbols`."""
        chosen = project.cross_sets if sets is None else tuple(sets)
        here = frozenset(project.symbols if symbols is None else symbols)
        self._clocks = {(s.of.name, f.name): f.bar for s in chosen for f in s.of.features}
        self.readers = [
            _Reader(plan_cross(each, symbol))
            for each in chosen
            for symbol in each.symbols
            if symbol in here
        ]
        self._others: dict[Key, FeatureRows] = {}
        self._waiting: dict[Key, list[FeatureRows]] = {}
        for reader in self.readers:
            of = reader.planned.cross.of.name
            for name, rows in reader.waiting.items():
                self._waiting.setdefault((reader.planned.symbol, of, name), []).append(rows)
            for each in reader.planned.inputs:
                if not each.aligned:
                    key = (each.symbol, each.of, each.feature)
                    reader.others[each.name] = self._others.setdefault(key, FeatureRows())

    @property
    def tables(self) -> list[Table]:
        """Return the tables that its rows belong to, once each."""
        return list({r.planned.table.name: r.planned.table for r in self.readers}.values())

    @property
    def inputs(self) -> list[Source]:
        """Return everything that is read, in order."""
        keys = sorted({*self._others, *self._waiting})
        return [
            Source(symbol, self._clocks.get((of, name), ""), of, name) for symbol, of, name in keys
        ]

    def inputs_of(self, symbol: str) -> list[Source]:
        """Return what is read of a symbol, in order."""
        return [each for each in self.inputs if each.symbol == symbol]

    @property
    def symbols(self) -> frozenset[str]:
        """Return the symbols whose rows are read."""
        return frozenset(symbol for symbol, _, _ in (*self._others, *self._waiting))

    @property
    def late(self) -> int:
        """Return how many rows came behind a decision which should have seen them."""
        return sum(rows.late for rows in self._others.values())

    def take(self, columns: Mapping[str, Any], **constants: str) -> None:
        """Take rows of `features`, with the constants that the table gives them."""
        key = (constants["symbol"], constants["feature_set"], constants["feature_name"])
        if key in self._others:
            self._others[key].add(columns)
        for rows in self._waiting.get(key, ()):
            rows.add(columns)

    def settle(self, horizon: int | None = None) -> Iterator[Vectors]:
        """Yield the vectors of every decision up to the horizon, ns; None: of all.

        No row before the horizon may come later: it would have been seen.
        """
        for reader in self.readers:
            made = reader.decide(horizon)
            if made is not None:
                yield made

    def forget_before(self, time: int) -> None:
        """Let go of rows that no decision at or after `time` can see."""
        for reader in self.readers:
            waiting = reader.anchor.rows[TIME]
            time = min(time, int(waiting[0])) if len(waiting) else time
        for rows in self._others.values():
            rows.forget_before(time)

    def identity(self) -> dict[str, str]:
        """Return what a saved state belongs to, as JSON values."""
        return {f"{r.planned.cross.name} {r.planned.symbol}": r.planned.key for r in self.readers}

    def state(self) -> dict[str, Any]:
        """Return everything that decides the vectors to come, as plain values."""
        return {
            "rows": [[*key, rows.state()] for key, rows in sorted(self._others.items())],
            "readers": [reader.state() for reader in self.readers],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken, of the same sets. Errors: QF430, QF431."""
        for *key, rows in state["rows"]:
            self._others[key[0], key[1], key[2]].restore(rows)
        for reader, each in zip(self.readers, state["readers"], strict=True):
            reader.restore(each)
