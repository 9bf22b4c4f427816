"""Where a leak comes from: the op in which the past first differs, or the formula it is part of.

For the machine every column of the plan is read out, once with the real future and once with the
garbage, over the rows that existed at the instant. The first instruction behind the leaking column
whose outputs differ while its inputs do not is the one that looks ahead. Where none differs, the
row says it was known before it was, or depends on where a block of the machine begins (qf prove).
For Polars each op's expression is tried alone: which one changes its past with its future?
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from qf.engines.features import normalizer_of, staleness_of
from qf.engines.polars_engine import frame_of
from qf.engines.symbol_plan import AGE, plan_symbol
from qf.engines.symbol_run import BLOCK_ROWS
from qf.language.columns import ColumnInfo
from qf.language.graph import Graph, Node
from qf.language.source import Source
from qf.lower.to_polars import with_graphs
from qf.op import Op
from qf.program import Column, Plan, Program
from qf.project.model import Feature
from qf.proof.poison_runs import EVERY_GROUP, MACHINE, POLARS, Spoilt, SymbolRuns
from qf.proof.poison_tables import Difference, Part, unequal

ROWS, CUTS = 256, range(160, 168)


class Blame:
    """Find the source of the leaks of one symbol."""

    def __init__(self, runs: SymbolRuns) -> None:
        self._runs = runs
        self._ahead: dict[tuple[int, str], tuple[Plan, set[int]]] = {}
        self._every_column: Program | None = None
        self._reached = 0, b""  # a row of the tape, and the state there
        self._polars: dict[tuple[str, str, str], bool] = {}  # does a rule look ahead

    def source(self, engine: str, spoilt: Spoilt, each: Difference) -> str:
        """Return the op or formula that a leaking column comes from, in words."""
        part = self._runs.clean.get(engine, {}).get(each.key)
        if part is None:
            return "the tape's own table" if engine not in (MACHINE, POLARS) else "a new table"
        feature = self._feature(part, each.column)
        about = self._about(part, feature)
        if engine == POLARS and feature is not None:
            ahead = dict.fromkeys(
                f"{op.family}/{op.name}"
                for op, given in self._polars_ops(feature)
                if self._reads_ahead(op, given)
            )
            return f"{about}; the Polars rule of {', '.join(ahead)}" if ahead else about
        first = self._first_op(spoilt, part, each.column)
        return f"{first}; {about}" if about else first

    def _reads_ahead(self, op: Op, given: Mapping[str, Any]) -> bool:
        key = (op.family, op.name, repr(sorted(given.items())))
        if key not in self._polars:
            self._polars[key] = reads_ahead(op, given)
        return self._polars[key]

    def _feature(self, part: Part, column: str) -> Feature | None:
        name = part.constants.get("feature_name") or column.removesuffix("_age_ms")
        for found in self._runs.project.feature_sets:
            where = part.constants.get("feature_set")
            if where != found.name and part.table.name != f"feature_vectors_{found.name}":
                continue
            for feature in found.features:
                if feature.name == name:
                    return feature
        return None

    def _about(self, part: Part, feature: Feature | None) -> str:
        """Return what the user wrote that makes the rows: a formula, a label or a bar rule."""
        if feature is not None:
            graph = self._runs.planned.graphs[feature.feature_set, feature.name]
            return f"formula of {feature.name}: {graph.source.text}"
        if "label_name" in part.constants:
            return f"label {part.constants['label_name']} on {part.constants['bar_clock']}"
        if "bar_clock" in part.constants:
            return f"bars of {part.constants['bar_clock']}"
        return ""

    def _first_op(self, spoilt: Spoilt, part: Part, column: str) -> str:
        key = (spoilt.at.row, spoilt.kind)
        if key not in self._ahead:
            self._ahead[key] = self._trace(spoilt)
        plan, apart = self._ahead[key]
        makers = _makers(plan)
        behind = _behind(plan, makers, self._columns(part, column))
        for place in sorted(behind & apart):
            instruction = plan.instructions[place]
            before = {makers.get((c.clock, c.place), -1) for c in instruction.inputs}
            if not before & apart:
                clocks = " to ".join(dict.fromkeys(plan.clocks[c] for c in instruction.clocks))
                return f"op {instruction.op.family}/{instruction.op.name} on {clocks}"
        return "no op: the row says it was known before it was, or depends on how blocks are cut"

    def _columns(self, part: Part, column: str) -> list[Column]:
        """Return the plan's columns that a table's column is read from."""
        planned = self._runs.planned
        found = []
        for route in planned.routes:
            if route.table.name != part.table.name or any(
                part.constants.get(name) != value for name, value in route.constants.items()
            ):
                continue
            aged = f"{column.removesuffix('_age_ms')}{AGE}"
            names = {route.columns.get(column), route.columns.get(aged)}
            reads = planned.plan.reads.get(route.clock, ())
            found += [place for name, place in reads if name in names]
        return found

    def _trace(self, spoilt: Spoilt) -> tuple[Plan, set[int]]:
        """Return the plan, and the instructions whose rows before the instant differ."""
        runs, program = self._runs, self._program()
        stop = spoilt.start + len(spoilt.rows["seq"])
        row, saved = self._reached  # instants grow, so that the way there is gone once
        program.restore(saved)
        runs.push(program, row, spoilt.start)
        saved = program.save()
        self._reached = spoilt.start, saved
        counts = program.rows
        runs.push(program, spoilt.start, spoilt.at.row)
        known = {clock: rows - counts[clock] for clock, rows in program.rows.items()}
        program.restore(saved)
        real = runs.push(program, spoilt.start, stop)
        program.restore(saved)
        other = program.advance(spoilt.rows)
        apart = set()
        for (clock, place), maker in _makers(program.plan).items():
            name = program.plan.clocks[clock]
            pair = (program.named(name, each.get(name))[str(place)] for each in (real, other))
            one, two = (column[: known[name]] for column in pair)
            if len(one) != len(two) or unequal(one, two).any():
                apart.add(maker)
        return program.plan, apart

    def _program(self) -> Program:
        """Return a program of the same plan that hands out every column."""
        if self._every_column is None:
            runs = self._runs
            tape = runs.tape
            plan = plan_symbol(runs.project, tape.instrument, tape.continuity, EVERY_GROUP).plan
            plan.reads.clear()
            for clock, kinds in enumerate(plan.columns):
                for place, kind in enumerate(kinds):
                    plan.read(str(place), Column(clock, place, kind))
            self._every_column = Program(plan, BLOCK_ROWS)
            self._reached = 0, self._every_column.save()
        return self._every_column

    def _polars_ops(self, feature: Feature) -> Iterator[tuple[Op, Mapping[str, Any]]]:
        graph = self._runs.planned.graphs[feature.feature_set, feature.name]
        for node in graph.nodes:
            if node.column is None:
                yield graph.ops[node.name], dict(node.parameters)
        method, _ = normalizer_of(feature.normalization)
        if method is not None:
            yield method[0], method[0].bind(**method[1])
        if feature.staleness is not None:
            rule, given = staleness_of(feature.staleness)
            yield rule, rule.bind(**given)


def _makers(plan: Plan) -> dict[tuple[int, int], int]:
    """Return, for each column of the plan, the instruction that writes it."""
    return {
        (first.clock, first.place + k): place
        for place, each in enumerate(plan.instructions)
        for first, width in zip(each.outputs, each.widths, strict=True)
        for k in range(width)
    }


def _behind(plan: Plan, makers: Mapping[tuple[int, int], int], columns: list[Column]) -> set[int]:
    """Return every instruction that the columns depend on."""
    found: set[int] = set()
    waiting = list(columns)
    while waiting:
        column = waiting.pop()
        maker = makers.get((column.clock, column.place))
        if maker is not None and maker not in found:
            found.add(maker)
            waiting += plan.instructions[maker].inputs
    return found


def reads_ahead(op: Op, given: Mapping[str, Any]) -> bool:
    """Say whether an op's Polars rule changes its past rows when later rows change."""
    if "polars" not in op.rules:
        return False
    nodes, places = [], []
    for each in op.signature.inputs:
        if each.kind != "time":
            info = ColumnInfo(each.name, "int" if each.kind == "int" else "float")
            places.append(len(nodes))
            nodes.append(Node("column", column=info, kind=info.kind))
    nodes.append(Node(op.name, tuple(places), tuple(given.items())))
    graph = Graph(Source(op.name), "rows", tuple(nodes), {op.name: op}, op.name)
    clean = _some_columns(op)
    whole = with_graphs(frame_of(clean), {"value": graph}, "time")["value"]
    for cut in CUTS:
        spoilt = {name: column.copy() for name, column in clean.items()}
        for name, column in spoilt.items():
            times = 7 if cut % 2 else -7
            column[cut:] = column[cut:] + 10**12 if name == "time" else times * column[cut:]
        made = with_graphs(frame_of(spoilt), {"value": graph}, "time")["value"]
        if not made[:cut].equals(whole[:cut]):
            return True
    return False


def _some_columns(op: Op) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    columns: dict[str, np.ndarray] = {"time": 10**18 + np.cumsum(rng.integers(1, 10**9, ROWS))}
    for each in op.signature.inputs:
        if each.kind == "int":
            columns[each.name] = rng.integers(1, 8, ROWS)
        elif each.kind != "time":
            # Ties and returns to old values: some rules look ahead only there.
            columns[each.name] = 100.0 + np.cumsum(rng.choice([-0.5, 0.0, 0.0, 0.5], ROWS))
    return columns
