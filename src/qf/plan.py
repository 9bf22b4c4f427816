"""A plan: clocks, their columns, and the instructions that fill them; what a program runs."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from qf import kernel
from qf.errors import diagnostic
from qf.op import Op

WRONG_INPUTS = diagnostic("QF435", "{op} takes columns of kind {asked}, was given {given}")


@dataclass(frozen=True)
class Column:
    """Point at one column of one clock; `kind` is float or int."""

    clock: int
    place: int
    kind: str


@dataclass(frozen=True)
class Instruction:
    """One op at work: where it reads, where it writes, with which parameters."""

    op: Op
    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]  # the first column of each declared output
    clocks: tuple[int, ...]  # in clock, then out clocks
    parameters: tuple[float, ...]
    slots: int
    ints: int
    widths: tuple[int, ...] = ()  # columns of each declared output
    lookback: int = 0  # rows of history of its inputs that it may read


class Plan:
    """Collect clocks, columns and instructions; equal instructions are one."""

    def __init__(self) -> None:
        self.clocks: list[str] = []
        self.columns: list[list[str]] = []  # per clock, the kind of each column
        self.tails: list[int] = []
        self.feeds: list[tuple[str, Column]] = []
        self.instructions: list[Instruction] = []
        self.reads: dict[str, list[tuple[str, Column]]] = {}
        self._made: dict[Any, tuple[tuple[Column, ...], ...]] = {}

    def clock(self, name: str) -> int:
        """Return the clock called `name`, adding it the first time; the first is the root."""
        if name not in self.clocks:
            self.clocks.append(name)
            self.columns.append([])
            self.tails.append(1)
        return self.clocks.index(name)

    def ops(self) -> list[Op]:
        """Return the op of every instruction, in order."""
        return [instruction.op for instruction in self.instructions]

    def feed(self, name: str, kind: str = "float") -> Column:
        """Add a column of the root clock that every push brings."""
        column = self._column(self.clock(self.clocks[0] if self.clocks else "root"), kind)
        self.feeds.append((name, column))
        return column

    def add(
        self,
        op: Op,
        inputs: Sequence[Column],
        parameters: dict[str, Any] | None = None,
        out: Sequence[int] = (),
        row_clock: int | None = None,
    ) -> tuple[tuple[Column, ...], ...]:
        """Append an op and return, for each declared output, its columns. Errors: QF435.

        `out` are the clocks it writes on (default: the clock it reads); `row_clock` is the clock
        whose rows it walks (default: the clock of the first input).
        """
        bound = op.bind(**(parameters or {}))
        given = [column.kind for column in inputs]
        asked = ["float" if i.kind == "float" else "int" for i in op.signature.inputs]
        if given != asked:
            raise WRONG_INPUTS(op=op.name, asked=", ".join(asked), given=", ".join(given))
        here = inputs[0].clock if row_clock is None else row_clock
        clocks = (here, *(out or (here,)))
        encoded = tuple(op.signature.encode(bound))
        key = (op.family, op.name, tuple(inputs), encoded, clocks)
        if key in self._made:
            return self._made[key]
        groups = []
        for output in op.signature.outputs:
            clock = clocks[1 + output.clock]
            count = int(bound[output.count]) if output.count else 1
            groups.append(tuple(self._column(clock, output.kind) for _ in range(count)))
        reach = op.amount("lookback", bound) + 1
        for column in inputs:
            self.tails[column.clock] = max(self.tails[column.clock], reach)
        firsts = tuple(group[0] if group else Column(clocks[1], 0, "float") for group in groups)
        slots, ints = op.amount("slots", bound), op.amount("ints", bound)
        widths = tuple(len(group) for group in groups)
        self.instructions.append(
            Instruction(op, tuple(inputs), firsts, clocks, encoded, slots, ints, widths, reach - 1)
        )
        self._made[key] = tuple(groups)
        return self._made[key]

    def one(self, op: Op, inputs: Sequence[Column], **parameters: Any) -> Column:
        """Append an op of one output on the clock of its inputs and return the column."""
        return self.add(op, inputs, parameters)[0][0]

    def read(self, name: str, column: Column) -> None:
        """Ask that a column's rows be handed out, under `name`, as they are made."""
        self.reads.setdefault(self.clocks[column.clock], []).append((name, column))

    def root_is_feed(self) -> bool:
        """Say whether the root clock is only read: no history, no reader outside, no column made.

        Of its last rows none need be kept then.
        """
        fed = len(self.columns[0]) == len(self.feeds) if self.clocks else False
        return fed and self.tails[0] == 1 and self.clocks[0] not in self.reads

    def walks_root(self) -> bool:
        """Say whether a kernel may read columns of the root clock beside those that it is given."""
        return any(i.clocks[0] == 0 and _walks(i.op.rules["kernel"]) for i in self.instructions)

    def wanted(self) -> list[list[int]]:
        """Return per instruction what something takes: a bit per output, then a mask for each.

        Bit k of a mask is column k of the output; bit 62 stands for every column from 62 on. Who
        names the stride of its in clock may read columns beside the one that it was given.
        """
        taken = {column for reads in self.reads.values() for _, column in reads}
        beside: set[Column] = set()
        for each in self.instructions:
            (beside if _walks(each.op.rules["kernel"]) else taken).update(each.inputs)
        words = []
        for each in self.instructions:
            pairs = zip(each.outputs, each.widths, strict=True)
            masks = [_mask(*group, taken, beside) for group in pairs]
            bits = sum((mask != 0) << place for place, mask in enumerate(masks))
            words.append([bits, *masks])
        return words

    def hash(self) -> str:
        """Return the plan's identity: wiring, parameters and every kernel's content."""
        kernels = {i.op.name + "/" + i.op.family: i.op for i in self.instructions}
        rows = [
            [i.op.family, i.op.name, _places(i.inputs), _places(i.outputs), i.clocks, i.parameters]
            for i in self.instructions
        ]
        text = json.dumps(
            [
                self.clocks,
                self.columns,
                [name for name, _ in self.feeds],
                rows,
                self.wanted(),
                {name: kernel.kernel_hash(op) for name, op in sorted(kernels.items())},
            ],
            default=list,
        )
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _column(self, clock: int, kind: str) -> Column:
        self.columns[clock].append(kind)
        return Column(clock, len(self.columns[clock]) - 1, kind)


@cache
def _walks(function: Callable[..., Any]) -> bool:
    """Say whether a kernel may read columns beside those that it is given."""
    return "stride0" in inspect.signature(function).parameters


def _mask(first: Column, width: int, taken: set[Column], beside: set[Column]) -> int:
    """Return a bit for each of `width` adjacent columns that is taken."""
    if width == 1 and first not in beside:
        return int(first in taken)
    group = [Column(first.clock, first.place + k, first.kind) for k in range(width)]
    if not beside.isdisjoint(group):
        return (1 << 63) - 1
    mask = 0
    for place, column in enumerate(group):
        mask |= (column in taken) << min(place, 62)
    return mask


def _places(columns: Sequence[Column]) -> list[list[Any]]:
    return [[c.clock, c.place, c.kind] for c in columns]
