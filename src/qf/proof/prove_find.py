"""Find where two ways of pushing part: the first instruction, its column and its row.

Both ways are run once more, side by side, with every instruction's outputs read; only what waits
for its counterpart is kept. The first instruction of the program that has a row with other bits is
to blame: whatever it reads was made before it, and that was equal.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from qf.clock import format_time
from qf.engines.symbol_plan import AGE, SymbolPlan
from qf.plan import Column, Instruction
from qf.program import Plan, Program
from qf.proof.prove_path import Made, Rows, Subject, outputs
from qf.proof.prove_schedule import Leg, Way
from qf.schema import NULL_INT

ENOUGH = 4_096  # rows that are compared at once, where there are as many
Pushes = Iterator[tuple[Program, Made, int]]
Reads = dict[str, list[tuple[str, Column]]]


@dataclass(frozen=True)
class Finding:
    """The first difference: which instruction, which of its columns, which row of its clock."""

    symbol: str
    way: str
    op: str  # family/name
    call: str  # with its parameters
    instruction: int  # its place in the program, from 0
    column: str
    clock: str
    row: int  # from 0, since the history's start
    expected: float | int | None  # what a run makes; None is null, or no row
    found: float | int | None
    time: int | None  # receive time of the row in ns, where its clock has one
    reaches: tuple[str, ...]  # columns of tables that are made from it

    def line(self) -> str:
        """Return the finding as a sentence."""
        when = f" ({format_time(self.time)})" if self.time is not None else ""
        what = f"column {self.column}, " if self.column else "the number of rows, "
        what += f"row {self.row:,} of {self.clock}{when}"
        reached = ", ".join(self.reaches[:4]) + (" …" if len(self.reaches) > 4 else "")
        return (
            f"{self.way}, {self.symbol}: the first to differ is {self.op}, {self.call} "
            f"(instruction {self.instruction}), {what}: a run makes {_shown(self.expected)}, "
            f"this {_shown(self.found)}" + (f"; it reaches {reached}" if reached else "")
        )

    def json(self) -> dict[str, Any]:
        """Return the finding for a script."""
        return asdict(self)


def _shown(value: float | int | None) -> str:
    return "null" if value is None else repr(value)


@dataclass(frozen=True)
class Difference:
    """The first row of a column that differs; without a column: the number of rows does."""

    column: Column | None
    row: int
    expected: float | int | None
    found: float | int | None
    time: int | None = None


class Trail:
    """How far two streams of one clock were compared, and where each column first differs."""

    def __init__(self, columns: list[Column], time: Column | None) -> None:
        self.columns = columns
        self.time = columns.index(time) if time in columns else None
        self.rows = 0  # compared
        self.made = [0, 0]  # on each side
        self.first: dict[Column, Difference] = {}
        self._waiting: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])

    def take(self, side: int, matrix: np.ndarray) -> None:
        """Keep rows of one side until the other has made them."""
        self._waiting[side].append(matrix)
        self.made[side] += matrix.shape[1]

    def compare(self, least: int = 1) -> None:
        """Compare the rows both sides have made, if there are at least so many new ones."""
        count = min(self.made) - self.rows
        if count < max(1, least):
            return
        pair = []
        for parts in self._waiting:
            joined = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
            pair.append(np.ascontiguousarray(joined[:, :count]).view(np.int64))
            parts[:] = [joined[:, count:]]
        left, right = pair
        if not np.array_equal(left, right):
            times = None if self.time is None else left[self.time]
            for place, column in enumerate(self.columns):
                if column not in self.first:
                    self._compare_column(column, left[place], right[place], times)
        self.rows += count

    def _compare_column(
        self, column: Column, left: np.ndarray, right: np.ndarray, times: np.ndarray | None
    ) -> None:
        differs = left != right
        if column.kind == "float":  # one NaN is as good as another: in the table it is null
            differs &= ~(np.isnan(left.view(np.float64)) & np.isnan(right.view(np.float64)))
        if differs.any():
            at = int(np.argmax(differs))
            time = None if times is None else int(times[at])
            values = (_value(column, left[at]), _value(column, right[at]))
            self.first[column] = Difference(column, self.rows + at, *values, time)


def _value(column: Column, word: np.int64) -> float | int | None:
    if column.kind == "int":
        return None if word == NULL_INT else int(word)
    value = float(word.view(np.float64))
    return None if np.isnan(value) else value


def every_output(plan: Plan) -> Plan:
    """Return the plan with every column that an instruction writes read out, once each."""
    reads: Reads = {}
    for instruction in plan.instructions:
        for column, _ in columns_of(instruction):
            reads.setdefault(plan.clocks[column.clock], []).append(("", column))
    traced = copy.copy(plan)
    traced.reads = reads
    return traced


def columns_of(instruction: Instruction) -> Iterator[tuple[Column, str]]:
    """Yield the columns an instruction writes, with the names its signature gives them."""
    outputs = instruction.op.signature.outputs
    for output, first, width in zip(outputs, instruction.outputs, instruction.widths, strict=True):
        for k in range(width):
            name = f"{output.name}_{k}" if output.count else output.name
            yield Column(first.clock, first.place + k, first.kind), name


def trails_of(
    plan: Plan, left: Pushes, right: Pushes, times: Mapping[str, Column] | None = None
) -> dict[str, Trail]:
    """Run two streams of pushes side by side and return, by clock, where their columns part.

    `times` names the column that holds the time of a clock's rows.
    """
    trails = {
        clock: Trail([column for _, column in reads], (times or {}).get(clock))
        for clock, reads in plan.reads.items()
    }
    sides, done, alive = (left, right), [0, 0], [True, True]
    while any(alive):
        side = 0 if alive[0] and (done[0] <= done[1] or not alive[1]) else 1
        push = next(sides[side], None)
        if push is None:
            alive[side] = False
            continue
        done[side] = push[2]
        for clock, matrix in push[1].items():
            trails[clock].take(side, matrix)
            trails[clock].compare(ENOUGH)
    for trail in trails.values():
        trail.compare()
    return trails


def first_difference(plan: Plan, trails: Mapping[str, Trail]) -> tuple[int, Difference] | None:
    """Return the place of the first instruction that differs, and its first differing row.

    An instruction that makes rows also differs where it made more or fewer of them.
    """
    for place, instruction in enumerate(plan.instructions):
        found = [
            trails[clock].first[column]
            for column, _ in columns_of(instruction)
            for clock in [plan.clocks[column.clock]]
            if clock in trails and column in trails[clock].first
        ]
        if found:
            return place, min(found, key=lambda each: each.row)
        for clock in instruction.clocks[1:] if instruction.op.shape != "map" else ():
            trail = trails.get(plan.clocks[clock])
            if trail is not None and trail.made[0] != trail.made[1]:
                return place, Difference(None, min(trail.made), *trail.made)
    return None


def find(subject: Subject, way: Way) -> Finding | None:
    """Return where a way of pushing first differs from a run, or None where it does not.

    Reading every column may hide a difference (a kernel may leave out what nobody reads); then
    only the columns that the tables take are compared.
    """
    own = subject.planned.plan
    for plan in (every_output(own), own):
        right = outputs(plan, way.legs, Rows(subject.blocks()), way.dirty)
        left = outputs(plan, (Leg(subject.rows),), Rows(subject.blocks()))
        trails = trails_of(plan, left, right, _times(subject))
        found = first_difference(plan, trails)
        if found is not None:
            return _finding(subject, way, *found)
    return None


def _times(subject: Subject) -> dict[str, Column]:
    """Return the column of receive times per clock, where the clock has one."""
    state = subject.planned.state
    given = [state.tick, state.prints, state.book, state.snapshot, *state.bars.values()]
    found = {}
    for columns in given:
        for name in ("processed_time", "snapshot_time", "feature_time"):
            if name in columns:
                column = columns[name]
                found.setdefault(state.plan.clocks[column.clock], column)
    return found


def _finding(subject: Subject, way: Way, place: int, at: Difference) -> Finding:
    plan = subject.planned.plan
    instruction = plan.instructions[place]
    names = dict(columns_of(instruction))
    clock = at.column.clock if at.column else instruction.clocks[1]
    return Finding(
        symbol=subject.planned.instrument.symbol,
        way=way.name,
        op=f"{instruction.op.family}/{instruction.op.name}",
        call=call_of(instruction),
        instruction=place,
        column=names[at.column] if at.column else "",
        clock=plan.clocks[clock],
        row=at.row,
        expected=at.expected,
        found=at.found,
        time=at.time,
        reaches=_reached(subject.planned, place),
    )


def call_of(instruction: Instruction) -> str:
    """Return an op with the parameters it runs with: rolling_sum(window=20)."""
    parameters = instruction.op.signature.parameters
    shown = []
    for parameter, value in zip(parameters, instruction.parameters, strict=True):
        chosen = parameter.choices[int(value)] if parameter.kind == "choice" else f"{value:.15g}"
        shown.append(f"{parameter.name}={chosen}")
    return f"{instruction.op.name}({', '.join(shown)})"


def _reached(planned: SymbolPlan, place: int) -> tuple[str, ...]:
    """Return what of the tables an instruction's columns lead to: features, labels, columns."""
    tainted = {column for column, _ in columns_of(planned.plan.instructions[place])}
    for instruction in planned.plan.instructions[place:]:
        if not tainted.isdisjoint(instruction.inputs):
            tainted |= {column for column, _ in columns_of(instruction)}
    names: dict[str, None] = {}
    for route in planned.routes:
        columns = dict(planned.plan.reads.get(route.clock, ()))
        own = route.constants.get("feature_name") or route.constants.get("label_name")
        for field, read in route.columns.items():
            if columns[read] in tainted:
                names[own or f"{route.table.name}.{field.removesuffix(AGE)}"] = None
    return tuple(names)
