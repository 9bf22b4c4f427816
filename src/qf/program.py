"""The machine: a program is a list of instructions over column buffers, threaded by pointer.

A clock is a sequence of rows and owns one buffer of 8-byte words, (columns, capacity); int64 and
float64 columns lie side by side. Rows lo..hi-1 are the block in hand, the rows before them are
history that kernels may read. One compiled loop (machine.py) feeds the root clock block by block
and calls every instruction through its address; instructions that make rows move their out
clock's hi. All state is flat arrays, so saving is a copy, tagged with the plan's hash.
"""

from __future__ import annotations

import json
import zlib

import numpy as np

from qf import kernel
from qf.compile import compile_kernels
from qf.errors import RunError, diagnostic
from qf.even_columns import even_columns
from qf.machine import (
    DRAIN,
    GROW,
    HEADER_WORDS,
    WHERE_WORDS,
    WRONG_KIND,
    WRONG_WIDTH,
    load_machine,
)
from qf.plan import Column, Instruction, Plan
from qf.root_feed import FEW_ROWS, WRONG_FEED, RootFeed, plain_row
from qf.schema import NULL_INT

__all__ = ["Column", "Instruction", "Plan", "Program"]

OTHER_PLAN = diagnostic(
    "QF430",
    "this state belongs to plan {theirs}, the program is plan {ours}",
    RunError,
    "run again from the history's start, or restore with the definitions it was saved with",
)
BAD_STATE = diagnostic("QF431", "this is not a whole saved state: {why}", RunError)

STATE_MAGIC = b"QFSTATE1"
# Rows handed out wait in sinks, at first of so many rows, then of as many as the rate so far lets
# expect: where pages are large, memory that is never written costs its clearing too. A sink that
# holds more words, and is not mostly empty, is handed out itself, not copied: whoever keeps its
# rows keeps all of it.
FIRST_SINK_ROWS, LEAST_SINK_ROWS, GIVEN_AWAY_WORDS = 1 << 11, 1024, 1 << 15
LEAST_ROWS = 128  # the shortest column of a clock that an op makes
ROOT_ROWS = 256  # of the root clock: one event in so many waits while its history is moved
NULL_WORD = {"float": np.float64("nan").view(np.int64), "int": np.int64(NULL_INT)}


class Program:
    """Run a plan: push rows, read what came of them, save, restore."""

    def __init__(self, plan: Plan, block: int = 2048) -> None:
        self.plan, self.block = plan, block
        self.plan_hash = plan.hash()
        self._wanted = plan.wanted()
        self._tails = [0, *plan.tails[1:]] if plan.root_is_feed() else plan.tails
        self._walks_root = plan.walks_root()
        self._kernels = compile_kernels(plan.ops())
        self._slots = np.zeros(sum(i.slots for i in plan.instructions) + 1)
        self._ints = np.zeros(sum(i.ints for i in plan.instructions) + 1, np.int64)
        self._params = np.array([p for i in plan.instructions for p in (*i.parameters, 0.0)])
        self._clocks = np.zeros((len(plan.clocks), kernel.CLOCK_WORDS), np.int64)
        self._buffers: list[np.ndarray] = []
        for clock in range(len(plan.clocks)):
            tail = self._tails[clock]
            # A clock that an op makes grows to what it needs: short columns share the cache.
            rows = max(2 * block, ROOT_ROWS) if clock == 0 else max(tail, LEAST_ROWS)
            self._buffers.append(self._new_buffer(clock, tail + rows + 64))
            columns = self._buffers[clock].shape[1]
            self._clocks[clock] = tail, tail, 0, columns, tail, tail, 0, columns
        self._where = np.zeros((len(plan.instructions) + 1, WHERE_WORDS), np.int64)
        self._feeds = np.zeros((len(plan.feeds) + 1, 2), np.int64)
        self._root_feed = RootFeed(plan.feeds)
        self._sinks = [np.empty((len(plan.reads.get(name, ())), 0)) for name in plan.clocks]
        self._sink_words = np.zeros((len(plan.clocks), 4), np.int64)
        self._reads = np.zeros((sum(map(len, plan.reads.values())) + 1, 2), np.int64)
        self._header = np.zeros(HEADER_WORDS, np.int64)
        self._header_address = self._header.ctypes.data
        self._run, self._run_one = load_machine().run, load_machine().step(self._header)
        self._header[11] = block
        self._fills = self._sink_words[:, 0]
        reads = [plan.reads.get(name, []) for name in plan.clocks]
        self._read_places = [np.array([c.place for _, c in each], np.int64) for each in reads]
        self._sink_words[:, 3] = [len(each) for each in reads]
        self._clocks[:, 6] = np.cumsum(self._sink_words[:, 3]) - self._sink_words[:, 3]
        # By what a step answers: where the clocks' single rows lie, until a sink is another.
        self._ready: dict[int, dict[str, np.ndarray]] = {}
        self._read_clocks = [(k, name) for k, name in enumerate(plan.clocks) if name in plan.reads]
        self._code = np.zeros((len(plan.instructions) + 1, 6), np.int64)
        self._pointed = self._find_pointers()
        self._pointers = np.zeros(sum(len(found) for found, _ in self._pointed) + 1, np.int64)
        self._bases = np.zeros((len(plan.clocks), 2), np.int64)
        self._readers = self._find_readers()
        self._header[21:23] = len(self._readers), self._readers.ctypes.data
        for clock in range(len(plan.clocks)):
            self._new_sink(clock, min(8 * block, FIRST_SINK_ROWS))
        self._wire()

    @property
    def rows(self) -> dict[str, int]:
        """Return how many rows each clock has made since its history began."""
        made = self._clocks[:, 2] + self._clocks[:, 1] - self._clocks[:, 0]
        return dict(zip(self.plan.clocks, made.tolist(), strict=True))

    @property
    def state_bytes(self) -> int:
        """Return the size of everything a saved state holds."""
        words = sum(t * len(c) for t, c in zip(self._tails, self.plan.columns, strict=True))
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

        Each array is contiguous, 8 bytes a value. Errors: QF432, QF433.
        """
        made = self.advance(columns)
        return {
            name: self.named(name, made.get(name))
            for name in self.plan.clocks
            if self._reads_of(name)
        }

    def advance(self, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Feed rows as `push` does; return only the clocks that made rows, as one matrix each.

        A matrix has a row per read of the clock, in float64 words; `named` takes it apart.
        """
        rows, step = self._root_feed.point(columns, self._feeds[:, 0])
        if rows > FEW_ROWS:  # there is room for few, and to copy them costs less
            self._make_room(rows)
            # A kernel walks adjacent columns by one stride.
            even = step > 0 and step % 8 == 0
            if rows >= self._tails[0] and (even or not self._walks_root):
                self._header[17], self._header[23] = 1, step // 8
        self._header[8:12] = 0, rows, 0, self.block
        self._header[18] = 0
        self._fills[:] = 0  # what a step has handed out
        return self._drive()

    def step(self, row: np.ndarray) -> dict[str, np.ndarray]:
        """Feed one row; return what `advance` does, as views that hold until the next call.

        `row` is float64, one word per feed in the plan's order (an int64 feed gives its bits).
        Nothing is allocated: an event costs the kernels and a fraction of a microsecond. What is
        returned is not to be changed. Errors: QF432, TypeError.
        """
        said = self._run_one(row)
        made = self._ready.get(said)
        return made if made is not None else self._step_on(said, row)

    def _step_on(self, said: int, row: np.ndarray) -> dict[str, np.ndarray]:
        """Finish a step that has answered for the first time so, or could not be done at once."""
        if said == WRONG_KIND:
            return self.step(plain_row(row))
        if said == WRONG_WIDTH:
            expected = ", ".join(name for name, _ in self.plan.feeds)
            raise WRONG_FEED(expected=expected, given=f"a row of {len(row)}")
        if said in (DRAIN, GROW):
            return self._drive()
        fills = self._fills.tolist()
        made = {name: self._sinks[k][:, : fills[k]] for k, name in self._read_clocks if fills[k]}
        if said >= 0:
            self._ready[said] = made
        return made

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
        """Return the whole state: clocks, column tails, both state blocks, with a checksum."""
        parts = [self._clocks[:, 2] + self._clocks[:, 1] - self._clocks[:, 0]]
        for clock, buffer in enumerate(self._buffers):
            hi, tail = self._clocks[clock, 1], self._tails[clock]
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
            tail = self._tails[clock]
            piece = words[at : at + tail * len(buffer)].reshape(len(buffer), tail)
            buffer[:, :tail] = piece
            self._clocks[clock, :2] = self._clocks[clock, 5] = tail
            at += piece.size
        self._slots.view(np.int64)[:] = words[at : at + self._slots.size]
        self._ints[:] = words[at + self._slots.size :]

    def _drive(self) -> dict[str, np.ndarray]:
        """Run from where the header stands to the end of what was given; return what was made."""
        header = self._header
        try:
            while status := self._run(self._header_address):
                if status == 1:
                    self._enlarge_sinks(int(header[8]), int(header[9]))
                else:
                    self._grow_clock(int(header[12]), int(header[13]))
        except BaseException:  # no memory left, or a key pressed: the feed's owner may let it go
            header[17], self._clocks[0, 7] = 0, self._clocks[0, 3]
            self._wire()
            raise
        return self._taken()

    def _make_room(self, rows: int) -> None:
        """Give every sink room for what so many rows bring at the rate so far, not much more."""
        made = self._clocks[:, 2] + self._clocks[:, 1] - self._clocks[:, 0]
        before = int(made[0])
        for clock, _ in self._read_clocks:
            likely = rows
            if clock != 0:
                likely = int(made[clock]) * rows // before if before >= max(rows, 1) else 0
                likely += likely // 8
            capacity = int(self._sink_words[clock, 1])
            if likely > capacity or FIRST_SINK_ROWS < likely + likely // 8 < capacity:
                self._new_sink(clock, likely)
                self._wire_sink(clock)

    def _enlarge_sinks(self, done: int, rows: int) -> None:
        """Give every full sink room for what the rest of the feed may bring, and what it holds."""
        for clock, sink in enumerate(self._sinks):
            fill, capacity, wanted = self._sink_words[clock, :3].tolist()
            if fill + wanted <= capacity:
                continue
            expected = (fill + wanted) * rows // done if done else 0
            self._new_sink(clock, max(fill + wanted, 2 * capacity, expected + expected // 8))
            self._sinks[clock][:, :fill] = sink[:, :fill]
            self._sink_words[clock, 2] = 0
            self._wire_sink(clock)

    def _taken(self) -> dict[str, np.ndarray]:
        """Return what the sinks hold: a large full sink goes itself, and a new one comes."""
        made = {}
        fills = self._fills.tolist()
        for clock, name in self._read_clocks:
            fill = fills[clock]
            if not fill:
                continue
            sink = self._sinks[clock]
            given_away = fill * len(sink) > GIVEN_AWAY_WORDS and 2 * fill > sink.shape[1]
            made[name] = sink[:, :fill] if given_away else sink[:, :fill].copy()
            self._sink_words[clock, 0] = 0
            if given_away:  # the next comes when it is needed: these rows may be let go of before
                self._sinks[clock] = np.empty((len(sink), 0))
                self._sink_words[clock, 1] = 0
                self._wire_sink(clock)
        return made

    def _reads_of(self, clock: str) -> list[tuple[str, Column]]:
        return self.plan.reads.get(clock, [])

    def _new_buffer(self, clock: int, capacity: int) -> np.ndarray:
        kinds = self.plan.columns[clock]
        buffer = np.empty((len(kinds), capacity), np.int64)
        buffer[:] = np.array([NULL_WORD[kind] for kind in kinds], np.int64).reshape(-1, 1)
        return buffer

    def _grow_clock(self, clock: int, rows: int) -> None:
        """Give a clock room for `rows` rows more in this block; what it holds stays."""
        lo, tail = self._clocks[clock, 0], self._tails[clock]
        buffer = self._new_buffer(clock, int(tail + rows + max(rows // 4, tail) + 64))
        buffer[:, :tail] = self._buffers[clock][:, lo - tail : lo]
        self._buffers[clock] = buffer
        self._clocks[clock, :2] = self._clocks[clock, 5] = tail
        self._clocks[clock, 3] = self._clocks[clock, 7] = buffer.shape[1]
        self._wire_clock(clock)

    def _new_sink(self, clock: int, rows: int) -> None:
        reads = self.plan.reads.get(self.plan.clocks[clock], ())
        self._sinks[clock] = even_columns(len(reads), max(LEAST_SINK_ROWS, rows))
        self._sink_words[clock, 1] = self._sinks[clock].shape[1]

    def _find_pointers(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return per clock which pointers of the instructions lead to it, and to which columns."""
        columns = [c for i in self.plan.instructions for c in (*i.inputs, *i.outputs)]
        clocks = np.array([column.clock for column in columns], np.int64)
        places = np.array([column.place for column in columns], np.int64)
        each = [np.flatnonzero(clocks == clock) for clock in range(len(self.plan.clocks))]
        return [(found, places[found]) for found in each]

    def _find_readers(self) -> np.ndarray:
        """Return the addresses of all that points at fed columns, and those columns' places."""
        fed = {column: place for place, (_, column) in enumerate(self.plan.feeds)}
        found, at = [], self._pointers.ctypes.data
        for i in self.plan.instructions:
            found += [(at + 8 * k, fed[c]) for k, c in enumerate(i.inputs) if c in fed]
            at += 8 * (len(i.inputs) + len(i.outputs))
        at = self._reads.ctypes.data
        for name in self.plan.clocks[:1]:
            reads = enumerate(self._reads_of(name))
            found += [(at + 16 * k, fed[c]) for k, (_, c) in reads if c in fed]
        return np.array(found, np.int64).reshape(-1, 2)

    def _wire(self) -> None:
        """Write every address the compiled loop needs."""
        pointers = params = slots = ints = 0
        blocks = (self._pointers, self._params, self._slots, self._ints)
        starts = [block.ctypes.data for block in blocks]
        where_at, where_bytes = self._where.ctypes.data, 8 * WHERE_WORDS
        for place, i in enumerate(self.plan.instructions):
            where = self._where[place]
            where[: len(i.clocks)] = i.clocks
            made = 1 + max(output.clock for output in i.op.signature.outputs)
            where[8] = made if i.op.shape == "emit" else 0
            where[48 : 48 + len(self._wanted[place])] = self._wanted[place]
            self._code[place] = (
                self._kernels[place],
                where_at + where_bytes * place,
                starts[0] + 8 * pointers,
                starts[1] + 8 * params,
                starts[2] + 8 * slots,
                starts[3] + 8 * ints,
            )
            pointers += len(i.inputs) + len(i.outputs)
            params += len(i.parameters) + 1
            slots += i.slots
            ints += i.ints
        for clock in range(len(self.plan.clocks)):
            self._wire_clock(clock)
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
        self._header[14] = sum(map(len, self.plan.columns))
        self._header[15] = self._bases.ctypes.data

    def _wire_clock(self, clock: int) -> None:
        """Write where a clock's columns lie to all that reads or writes them (also once moved)."""
        buffer, (found, places) = self._buffers[clock], self._pointed[clock]
        start, step = buffer.ctypes.data, 8 * buffer.shape[1]
        self._bases[clock] = start, len(buffer)
        self._pointers[found] = start + step * places
        for place, (_, column) in enumerate(self.plan.feeds):
            if column.clock == clock:
                self._feeds[place, 1] = start + step * column.place
        self._wire_sink(clock)

    def _wire_sink(self, clock: int) -> None:
        """Write where every read column of a clock is copied from and to."""
        places, buffer, sink = self._read_places[clock], self._buffers[clock], self._sinks[clock]
        start = int(self._clocks[clock, 6])
        upto = start + len(places)
        self._reads[start:upto, 0] = buffer.ctypes.data + 8 * buffer.shape[1] * places
        steps = 8 * sink.shape[1] * np.arange(len(places))
        self._reads[start:upto, 1] = sink.ctypes.data + steps
        self._ready.clear()
