"""A program's state in pieces that are named by what they mean, not by where they lie.

An instruction is named by the content of its kernel, its parameters and the names of its inputs,
down to the tape; a column group by the instruction that writes it; a clock by the one that makes
its rows. So two plans that share a part of their wiring share the names of its pieces, and a plan
in which one feature was edited takes over the state of everything else. `split` and `join` are
inverse; `join` refuses (None) where a piece is absent or its history is shorter than what may be
read of it.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from qf import kernel
from qf.errors import RunError, diagnostic
from qf.plan import Column, Instruction, Plan
from qf.schema import NULL_INT

BAD_PIECES = diagnostic("QF434", "the saved state cannot be read: {why}", RunError)

MAGIC = b"QFPIECE1"
NULL_WORD = {"float": int(np.float64("nan").view(np.int64)), "int": NULL_INT}

# By name, int64 words: "i:…" an instruction's state, "w:…" which of its outputs were written,
# "g:…" the history of a column group (columns, rows), "c:…" how many rows a clock has made.
Pieces = dict[str, np.ndarray]


def made_clocks(each: Instruction) -> tuple[int, ...]:
    """Return the clocks whose rows an instruction makes."""
    if each.op.shape != "emit":
        return ()
    return each.clocks[1 : 2 + max(output.clock for output in each.op.signature.outputs)]


class Names:
    """The names of a plan's instructions, column groups and clocks.

    `root` says what the root clock is fed: rows of another feed have other names.
    """

    def __init__(self, plan: Plan, root: str) -> None:
        self.plan = plan
        self.instructions: list[str] = []
        self.clocks: dict[int, str] = {0: root}
        self._groups: dict[tuple[int, int], tuple[str, int]] = {}
        for place, (_, column) in enumerate(plan.feeds):
            self._groups[column.clock, column.place] = (root, place)
        for each in plan.instructions:
            name = self._name(each)
            self.instructions.append(name)
            for place, clock in enumerate(made_clocks(each)):
                self.clocks[clock] = f"{name}.{place}"
            for group, (first, width) in enumerate(zip(each.outputs, each.widths, strict=True)):
                for k in range(width):
                    self._groups[first.clock, first.place + k] = (f"{name}:{group}", k)

    def group(self, column: Column) -> str:
        """Return the name of the group that a column belongs to."""
        return self._groups[column.clock, column.place][0]

    def column(self, column: Column) -> str:
        """Return a column's own name."""
        group, place = self._groups[column.clock, column.place]
        return f"{group}.{place}"

    def _name(self, each: Instruction) -> str:
        made = made_clocks(each)
        read = [self.clocks[clock] for clock in each.clocks if clock not in made]
        words = [
            each.op.family,
            each.op.name,
            kernel.kernel_hash(each.op),
            [each.slots, each.ints, each.lookback, *each.widths],
            each.parameters,
            [self.column(column) for column in each.inputs],
            read,
        ]
        return hashlib.sha256(json.dumps(words, default=list).encode()).hexdigest()[:20]


class SubPlan(Plan):
    """The part of a plan that some reads need: the same clocks, columns and feeds.

    What the kept instructions write stays as in the whole plan, so that their state is the same.
    """

    def __init__(self, whole: Plan, reads: Mapping[str, Iterable[tuple[str, Column]]]) -> None:
        super().__init__()
        self.clocks, self.columns = whole.clocks, whole.columns
        self.tails, self.feeds = whole.tails, whole.feeds
        self.reads = {clock: list(columns) for clock, columns in reads.items() if columns}
        kept = self._closure(whole)
        self.places = sorted(kept)  # of the kept instructions in the whole plan
        self.instructions = [whole.instructions[place] for place in self.places]
        bits = whole.wanted()
        self._wanted = [bits[place] for place in self.places]

    def wanted(self) -> list[list[int]]:
        """Return per instruction the words of the whole plan."""
        return self._wanted

    def _closure(self, whole: Plan) -> set[int]:
        writer: dict[tuple[int, int], int] = {}
        maker: dict[int, int] = {}
        for place, each in enumerate(whole.instructions):
            for first, width in zip(each.outputs, each.widths, strict=True):
                for k in range(width):
                    writer[first.clock, first.place + k] = place
            for clock in made_clocks(each):
                maker[clock] = place
        kept: set[int] = set()
        waiting = [
            writer.get((column.clock, column.place), maker.get(column.clock, -1))
            for columns in self.reads.values()
            for _, column in columns
        ]
        while waiting:
            place = waiting.pop()
            if place < 0 or place in kept:
                continue
            kept.add(place)
            each = whole.instructions[place]
            waiting += [writer.get((c.clock, c.place), -1) for c in each.inputs]
            waiting += [maker.get(clock, -1) for clock in each.clocks]
        return kept


def split(plan: Plan, names: Names, saved: bytes) -> Pieces:
    """Return the pieces of a state that a program of the plan saved."""
    size = int.from_bytes(saved[8:12], "little")
    words = np.frombuffer(saved[16 + size :], np.int64)
    made, pieces = len(plan.clocks), Pieces()
    at = made
    tails: list[np.ndarray] = []
    for tail, columns in zip(_kept_rows(plan), plan.columns, strict=True):
        tails.append(words[at : at + tail * len(columns)].reshape(len(columns), tail))
        at += tails[-1].size
    slots = sum(each.slots for each in plan.instructions) + 1
    floats, ints = words[at : at + slots], words[at + slots :]
    pieces[f"c:{names.clocks[0]}"] = words[:1].copy()
    if plan.feeds:
        places = [column.place for _, column in plan.feeds]
        pieces[f"g:{names.clocks[0]}"] = tails[0][places]
    first = second = 0
    for each, wanted, name in _named(plan, names):
        own = floats[first : first + each.slots], ints[second : second + each.ints]
        first, second = first + each.slots, second + each.ints
        pieces[f"w:{name}"] = np.array(wanted, np.int64)
        pieces[f"i:{name}"] = np.concatenate(own)
        for clock in made_clocks(each):
            pieces[f"c:{names.clocks[clock]}"] = words[clock : clock + 1].copy()
        for group, (column, width) in enumerate(zip(each.outputs, each.widths, strict=True)):
            if wanted[0] >> group & 1 and width:
                rows = tails[column.clock][column.place : column.place + width]
                pieces[f"g:{name}:{group}"] = rows.copy()
    return pieces


def join(plan: Plan, names: Names, pieces: Mapping[str, np.ndarray]) -> bytes | None:
    """Return the state of a plan made of pieces, as `Program.restore` takes it; None: not whole."""
    try:
        counts = [pieces[f"c:{names.clocks[0]}"][0]] + [0] * (len(plan.clocks) - 1)
        floats, ints = [], []
        for each, wanted, name in _named(plan, names):
            if each.slots or each.ints or each.op.shape == "emit":
                if not _covers(pieces[f"w:{name}"], wanted):
                    return None
                words = pieces[f"i:{name}"]
                floats.append(words[: each.slots])
                ints.append(words[each.slots :])
            for clock in made_clocks(each):
                counts[clock] = pieces[f"c:{names.clocks[clock]}"][0]
        tails = _tails(plan, names, pieces)
    except KeyError:
        return None
    if tails is None:
        return None
    zero = np.zeros(1, np.int64)
    parts = [np.array(counts, np.int64), *(tail.ravel() for tail in tails)]
    body = b"".join(part.tobytes() for part in (*parts, *floats, zero, *ints, zero))
    head = json.dumps({"plan": plan.hash(), "abi": kernel.cache_folder().name}).encode()
    sizes = len(head).to_bytes(4, "little") + zlib.crc32(body).to_bytes(4, "little")
    return b"QFSTATE1" + sizes + head + body


def _kept_rows(plan: Plan) -> list[int]:
    """Return how many rows of history a saved state holds of each clock."""
    return [0, *plan.tails[1:]] if plan.root_is_feed() else plan.tails


def _named(plan: Plan, names: Names) -> list[tuple[Instruction, list[int], str]]:
    return list(zip(plan.instructions, plan.wanted(), names.instructions, strict=True))


def _covers(there: np.ndarray, wanted: Sequence[int]) -> bool:
    """Say whether a state was kept while at least these outputs were written."""
    needed = np.array(wanted, np.int64)
    return bool(((there & needed) == needed).all())


def _tails(plan: Plan, names: Names, pieces: Mapping[str, np.ndarray]) -> list[np.ndarray] | None:
    """Return the history of every clock's columns; None where a reader needs more than there is."""
    needs: dict[str, int] = defaultdict(int)
    for each in plan.instructions:
        for column in each.inputs:
            needs[names.group(column)] = max(needs[names.group(column)], each.lookback)
    tails = []
    for tail, kinds in zip(_kept_rows(plan), plan.columns, strict=True):
        tails.append(np.empty((len(kinds), tail), np.int64))
        for place, kind in enumerate(kinds):
            tails[-1][place] = NULL_WORD[kind]
    firsts = [(names.clocks[0], plan.feeds[0][1], True)] if plan.feeds else []
    for each, wanted, name in _named(plan, names):
        for group, (column, width) in enumerate(zip(each.outputs, each.widths, strict=True)):
            there = pieces.get(f"w:{name}", np.zeros(len(wanted), np.int64))
            mask = slice(group + 1, group + 2)
            whole = _covers(there[mask], wanted[mask])
            firsts += [(f"{name}:{group}", column, whole)] if width else []
    for name, first, whole in firsts:
        piece = pieces.get(f"g:{name}")
        if needs[name] and not (whole and piece is not None and piece.shape[1] >= needs[name]):
            return None
        if piece is not None:
            into = tails[first.clock][first.place : first.place + len(piece)]
            rows = min(piece.shape[1], into.shape[1])
            into[:, into.shape[1] - rows :] = piece[:, piece.shape[1] - rows :]
    return tails


def merge(old: Mapping[str, np.ndarray], new: Mapping[str, np.ndarray]) -> Pieces:
    """Return the pieces of two states of one place: the new ones, and what they lack.

    An old instruction that wrote more than the new one, or whose history is longer, stays.
    """
    merged = Pieces(old)
    for name, piece in new.items():
        kind, _, rest = name.partition(":")
        own = rest.partition(":")[0]
        there = old.get(f"w:{own}")
        said = new.get(f"w:{own}")
        less = there is not None and said is not None and not _covers(said, there.tolist())
        shorter = kind == "g" and name in old and old[name].shape[1] > piece.shape[1]
        if not less and not shorter:
            merged[name] = piece
    return merged


def pack(pieces: Mapping[str, np.ndarray]) -> bytes:
    """Return pieces as bytes with a checksum, tagged with what the kernels were compiled for."""
    head = json.dumps(
        {
            "abi": kernel.cache_folder().name,
            "pieces": [[name, list(piece.shape)] for name, piece in pieces.items()],
        }
    ).encode()
    body = b"".join(np.ascontiguousarray(piece, np.int64).tobytes() for piece in pieces.values())
    check = zlib.crc32(body, zlib.crc32(head))
    return MAGIC + len(head).to_bytes(4, "little") + check.to_bytes(4, "little") + head + body


def unpack(data: bytes) -> Pieces:
    """Return the pieces. Errors: QF434 where they are damaged or of another machine."""
    size = int.from_bytes(data[8:12], "little")
    head, body = data[16 : 16 + size], data[16 + size :]
    check = int.from_bytes(data[12:16], "little")
    if data[:8] != MAGIC or zlib.crc32(body, zlib.crc32(head)) != check:
        raise BAD_PIECES(why="its checksum is wrong")
    told = json.loads(head)
    if told["abi"] != kernel.cache_folder().name:
        raise BAD_PIECES(why=f"it was saved on {told['abi']}")
    words, at, pieces = np.frombuffer(body, np.int64), 0, Pieces()
    for name, shape in told["pieces"]:
        count = int(np.prod(shape))
        pieces[name] = words[at : at + count].reshape(shape)
        at += count
    return pieces
