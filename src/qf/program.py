"""The machine: a program is a list of instructions over column buffers, threaded by pointer.

A clock is a sequence of rows and owns one buffer of 8-byte words, (columns, capacity); int64 and
float64 columns lie side by side. Rows lo..hi-1 are the block in hand, the rows before them are
history that kernels may read. One compiled loop (machine.py) feeds the root clock block by block
and calls every instruction through its address; instructions that make rows move their out
clock's hi. All state is flat arrays, so saving is a copy, tagged with the plan's hash.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qf import kernel
from qf.errors import RunError, diagnostic
from qf.machine import HEADER_WORDS, WHERE_WORDS, load_machine
from qf.op import Op
from qf.schema import NULL_INT

OTHER_PLAN = diagnostic(
    "QF430",
    "this state belongs to plan {theirs}, the program is plan {ours}",
    RunError,
    "run again from the history's start, or restore with the definitions it was saved with",
)
BAD_STATE = diagnostic("QF431", "this is not a whole saved state: {why}", RunError)
WRONG_FEED = diagnostic("QF432", "the program is fed {expected}, was given {given}", RunError)

STATE_MAGIC = b"QFSTATE1"
SINK_ROWS = 1 << 16  # a long push doubles its sinks up to here, so that it is rarely drained
NULL_WORD = {"float": np.float64("nan").view(np.int64), "int": np.int64(NULL_INT)}


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
        """Append an op and return, for each declared output, its columns.

        `out` are the clocks it writes on (default: the clock it reads); `row_clock` is the clock
        whose rows it walks (default: the clock of the first input).
        """
        bound = op.bind(**(parameters or {}))
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
        self.instructions.append(
            Instruction(op, tuple(inputs), firsts, clocks, encoded, slots, ints)
        )
        self._made[key] = tuple(groups)
        return self._made[key]

    def one(self, op: Op, inputs: Sequence[Column], **parameters: Any) -> Column:
        """Append an op of one output on the clock of its inputs and return the column."""
        return self.add(op, inputs, parameters)[0][0]

    def read(self, name: str, column: Column) -> None:
        """Ask that a column's rows be handed out, under `name`, as they are made."""
        self.reads.setdefault(self.clocks[column.clock], []).append((name, column))

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
                {name: kernel.kernel_hash(op) for name, op in sorted(kernels.items())},
            ],
            default=list,
        )
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _column(self, clock: int, kind: str) -> Column:
        self.columns[clock].append(kind)
        return Column(clock, len(self.columns[clock]) - 1, kind)


class Program:
    """Run a plan: push rows, read what came of them, save, restore."""

    def __init__(self, plan: Plan, block: int = 2048) -> None:
        self.plan, self.block = plan, block
        self.plan_hash = plan.hash()
        self._run = load_machine()
        self._kernels = [kernel.address(i.op) for i in plan.instructions]
        self._slots = np.zeros(sum(i.slots for i in plan.instructions) + 1)
        self._ints = np.zeros(sum(i.ints for i in plan.instructions) + 1, np.int64)
        self._params = np.array([p for i in plan.instructions for p in (*i.parameters, 0.0)])
        self._clocks = np.zeros((len(plan.clocks), kernel.CLOCK_WORDS), np.int64)
        self._buffers: list[np.ndarray] = []
        for clock in range(len(plan.clocks)):
            self._buffers.append(self._new_buffer(clock, plan.tails[clock] + 2 * block + 64))
            tail = plan.tails[clock]
            self._clocks[clock, :5] = tail, tail, 0, self._buffers[clock].shape[1], tail
        self._where = np.zeros((len(plan.instructions) + 1, WHERE_WORDS), np.int64)
        self._feeds = np.zeros((len(plan.feeds) + 1, 2), np.int64)
        self._sinks = [np.empty((len(plan.reads.get(name, ())), 0)) for name in plan.clocks]
        self._sink_words = np.zeros((len(plan.clocks), 4), np.int64)
        self._reads = np.zeros((sum(map(len, plan.reads.values())) + 1, 2), np.int64)
        self._header = np.zeros(HEADER_WORDS, np.int64)
        self._code = np.zeros((len(plan.instructions) + 1, 6), np.int64)
        self._pointers = np.zeros(self._count_pointers() + 1, np.int64)
        for clock in range(len(plan.clocks)):
            self._grow_sink(clock, block)
        self._wire()

    @property
    def rows(self) -> dict[str, int]:
        """Return how many rows each clock has made since its history began."""
        made = self._clocks[:, 2] + self._clocks[:, 1] - self._clocks[:, 0]
        return dict(zip(self.plan.clocks, made.tolist(), strict=True))

    @property
    def state_bytes(self) -> int:
        """Return the size of everything a saved state holds."""
        words = sum(t * len(c) for t, c in zip(self.plan.tails, self.plan.columns, strict=True))
        return 8 * (words + self._slots.size + self._ints.size + self._clocks.size)

    def ints_of(self, op_name: str) -> np.ndarray:
        """Return a copy of the int64 state of the first instruction of that op (counters)."""
        at = 0
        for i in self.plan.instructions:
            if i.op.name == op_name:
                return self._ints[at : at + i.ints].copy()
            at += i.ints
        return np.zeros(0, np.int64)

    def push(self, columns: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
        """Feed rows of the root clock and return, per clock, the columns of the rows they made.

        Each array is contiguous, 8 bytes a value. Errors: QF432.
        """
        made = self.advance(columns)
        return {
            name: self.named(name, made.get(name)) for name in self.plan.clocks if self._reads_of(name)
        }

    def advance(self, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Feed rows as `push` does; return only the clocks that made rows, as one matrix each.

        A matrix has a row per read of the clock, in float64 words; `named` takes it apart.
        """
        if len(columns) != len(self.plan.feeds):
            expected = ", ".join(name for name, _ in self.plan.feeds)
            raise WRONG_FEED(expected=expected, given=", ".join(sorted(columns)))
        kept = []
        for place, (name, column) in enumerate(self.plan.feeds):
            if name not in columns:
                expected = ", ".join(name for name, _ in self.plan.feeds)
                raise WRONG_FEED(expected=expected, given=", ".join(sorted(columns)))
            dtype = np.float64 if column.kind == "float" else np.int64
            kept.append(np.ascontiguousarray(columns[name], dtype))
            self._feeds[place, 0] = kept[-1].ctypes.data
        chunks: list[list[np.ndarray]] = [[] for _ in self.plan.clocks]
        self._drive(len(kept[0]) if kept else 0, chunks)
        return {
            name: parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
            for name, parts in zip(self.plan.clocks, chunks, strict=True)
            if parts
        }

    def named(self, clock: str, made: np.ndarray | None) -> dict[str, np.ndarray]:
        """Return the columns of a clock's matrix by name, int64 where the column is."""
        reads = self._reads_of(clock)
        if made is None:
            made = np.empty((len(reads), 0))
        return {
            name: made[place].view(np.int64) if column.kind == "int" else made[place]
            for place, (name, column) in enumerate(reads)
        }

    def save(self) -> bytes:
        """Return the whole state: clocks, column tails, float64 and int64 state, with a checksum."""
        parts = [self._clocks[:, 2] + self._clocks[:, 1] - self._clocks[:, 0]]
        for clock, buffer in enumerate(self._buffers):
            hi, tail = self._clocks[clock, 1], self.plan.tails[clock]
            parts.append(np.ascontiguousarray(buffer[:, hi - tail : hi]).ravel())
        parts += [self._slots.view(np.int64), self._ints]
        body = b"".join(part.tobytes() for part in parts)
        head = json.dumps({"plan": self.plan_hash, "abi": kernel.cache_folder().name}).encode()
        sizes = len(head).to_bytes(4, "little") + zlib.crc32(body).to_bytes(4, "little")
        return STATE_MAGIC + sizes + head + body

    def restore(self, saved: bytes) -> None:
        """Take over a state saved by the same plan. Errors: QF430, QF431; nothing changes then."""
        if saved[:8] != STATE_MAGIC:
            raise BAD_STATE(why="it does not begin with " + STATE_MAGIC.decode())
        size = int.from_bytes(saved[8:12], "little")
        try:
            head = json.loads(saved[16 : 16 + size])
        except ValueError:
            raise BAD_STATE(why="its head cannot be read") from None
        if head.get("plan") != self.plan_hash:
            raise OTHER_PLAN(theirs=head.get("plan"), ours=self.plan_hash)
        body = saved[16 + size :]
        if zlib.crc32(body) != int.from_bytes(saved[12:16], "little"):
            raise BAD_STATE(why="its checksum is wrong")
        words = np.frombuffer(body, np.int64)
        at = len(self.plan.clocks)
        self._clocks[:, 2] = words[:at]
        for clock, buffer in enumerate(self._buffers):
            tail = self.plan.tails[clock]
            piece = words[at : at + tail * len(buffer)].reshape(len(buffer), tail)
            buffer[:, :tail] = piece
            self._clocks[clock, :2] = tail
            at += piece.size
        self._slots.view(np.int64)[:] = words[at : at + self._slots.size]
        self._ints[:] = words[at + self._slots.size :]

    def _drive(self, rows: int, chunks: list[list[np.ndarray]]) -> None:
        header = self._header
        header[8:12] = 0, rows, 0, self.block
        while True:
            status = self._run(header.ctypes.data)
            if status == 1:
                self._drain(chunks, grow=True)
                continue
            if status == 2:
                self._grow_clock(int(header[12]), int(header[13]))
                continue
            break
        self._drain(chunks, grow=False)

    def _drain(self, chunks: list[list[np.ndarray]], grow: bool) -> None:
        moved = False
        for clock, sink in enumerate(self._sinks):
            fill, capacity, wanted = self._sink_words[clock, :3]
            if fill:
                chunks[clock].append(sink[:, :fill].copy())
                self._sink_words[clock, 0] = 0
            if grow and (wanted > capacity or (fill and capacity < SINK_ROWS)):
                self._grow_sink(clock, int(max(wanted, capacity)))
                moved = True
        if moved:
            self._wire()

    def _reads_of(self, clock: str) -> list[tuple[str, Column]]:
        return self.plan.reads.get(clock, [])

    def _new_buffer(self, clock: int, capacity: int) -> np.ndarray:
        buffer = np.empty((len(self.plan.columns[clock]), capacity), np.int64)
        for place, kind in enumerate(self.plan.columns[clock]):
            buffer[place] = NULL_WORD[kind]
        return buffer

    def _grow_clock(self, clock: int, rows: int) -> None:
        """Give a clock room for `rows` rows more in this block; what it holds stays."""
        lo, tail = self._clocks[clock, 0], self.plan.tails[clock]
        buffer = self._new_buffer(clock, int(tail + 4 * rows + 64))
        buffer[:, :tail] = self._buffers[clock][:, lo - tail : lo]
        self._buffers[clock] = buffer
        self._clocks[clock, 0] = self._clocks[clock, 1] = tail
        self._clocks[clock, 3] = buffer.shape[1]
        self._wire()

    def _grow_sink(self, clock: int, rows: int) -> None:
        reads = self.plan.reads.get(self.plan.clocks[clock], ())
        capacity = max(1024, 2 * rows) if reads else 0
        self._sinks[clock] = np.empty((len(reads), capacity))
        self._sink_words[clock, 1] = capacity

    def _count_pointers(self) -> int:
        return sum(len(i.inputs) + len(i.outputs) for i in self.plan.instructions)

    def _address(self, column: Column) -> int:
        buffer = self._buffers[column.clock]
        return buffer.ctypes.data + 8 * buffer.shape[1] * column.place

    def _wire(self) -> None:
        """Write every address the compiled loop needs (again after a buffer has moved)."""
        pointers = params = slots = ints = 0
        for place, i in enumerate(self.plan.instructions):
            where = self._where[place]
            where[: len(i.clocks)] = i.clocks
            where[8] = len(i.clocks) - 1 if i.op.shape == "emit" else 0
            self._code[place] = (
                self._kernels[place],
                where.ctypes.data,
                self._pointers.ctypes.data + 8 * pointers,
                self._params.ctypes.data + 8 * params,
                self._slots.ctypes.data + 8 * slots,
                self._ints.ctypes.data + 8 * ints,
            )
            for column in (*i.inputs, *i.outputs):
                self._pointers[pointers] = self._address(column)
                pointers += 1
            params += len(i.parameters) + 1
            slots += i.slots
            ints += i.ints
        for place, (_, column) in enumerate(self.plan.feeds):
            self._feeds[place, 1] = self._address(column)
        at = 0
        for clock, name in enumerate(self.plan.clocks):
            reads = self.plan.reads.get(name, ())
            self._sink_words[clock, 3] = len(reads)
            for place, (_, column) in enumerate(reads):
                sink = self._sinks[clock]
                self._reads[at] = (
                    self._address(column),
                    sink.ctypes.data + 8 * sink.shape[1] * place,
                )
                at += 1
        self._header[:8] = (
            len(self.plan.instructions),
            self._code.ctypes.data,
            len(self.plan.clocks),
            self._clocks.ctypes.data,
            len(self.plan.feeds),
            self._feeds.ctypes.data,
            self._sink_words.ctypes.data,
            self._reads.ctypes.data,
        )
        self._header[14] = np.array([len(c) for c in self.plan.columns]).sum()
        self._bases = np.array(
            [[b.ctypes.data, len(b)] for b in self._buffers] or [[0, 0]], np.int64
        )
        self._header[15] = self._bases.ctypes.data


def _places(columns: Sequence[Column]) -> list[list[Any]]:
    return [[c.clock, c.place, c.kind] for c in columns]
