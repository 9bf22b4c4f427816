"""The tables of one run as arrays, what of them was known at an instant, and how two differ.

When a row was known is the table's own word: its `made` column (processed_time, feature_time,
label_end). Where several frames share that time the order of arrival decides, by the row's seq or
that of the trade that closed its bar; tables that have neither are asked at the next later time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qf.schema_tables import Table

Key = tuple[str, ...]  # the table's name, then its constants by name


@dataclass(frozen=True)
class Instant:
    """A place between two frames of the tape: rows before `row` are past."""

    row: int
    seq: int  # of the last past frame
    time: int  # its receive time in ns
    tie: bool  # the next frame has the same receive time


@dataclass
class Part:
    """The rows of one table with the same constants: one clock, one feature, one label."""

    table: Table
    constants: Mapping[str, str]
    columns: dict[str, np.ndarray]

    def outputs(self) -> list[str]:
        """Return the columns that the table stores, levels as <name>_<level>."""
        lists = {field.name for field in self.table.fields if field.type.endswith("[]")}
        names = set(self.table.names)
        return [n for n in self.columns if n in names or n.rpartition("_")[0] in lists]


@dataclass(frozen=True)
class Difference:
    """A column of a table that differs before the instant, at the first such row."""

    key: Key
    table: str
    column: str
    row: str  # its key, in words
    time: int  # when the row says it was known
    before: Any
    after: Any
    rows: int  # how many of its known rows differ


class Recorder:
    """Take the rows that a run would store, as arrays (a writer for collectors and engines)."""

    def __init__(self) -> None:
        self._rows: dict[Key, list[Part]] = {}

    def write(self, table: Table, columns: Mapping[str, Any], **constants: str) -> None:
        """Add rows to a table."""
        key = (table.name, *(constants[name] for name in sorted(constants)))
        arrays = {name: np.asarray(values) for name, values in columns.items()}
        self._rows.setdefault(key, []).append(Part(table, constants, arrays))

    def parts(self) -> dict[Key, Part]:
        """Return every table's rows, joined."""
        return {
            key: Part(
                parts[0].table,
                parts[0].constants,
                {n: np.concatenate([p.columns[n] for p in parts]) for n in parts[0].columns}
                if len(parts) > 1
                else parts[0].columns,
            )
            for key, parts in self._rows.items()
        }


def closing_seqs(parts: Mapping[Key, Part]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return, per bar clock, its bar ids (they grow) and the seq of the trade behind each bar."""
    return {
        part.constants["bar_clock"]: (part.columns["bar_id"], part.columns["close_seq"])
        for part in parts.values()
        if "close_seq" in part.columns
    }


def known(
    part: Part, at: Instant, closes: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Return which rows say that they were known at the instant."""
    made = part.columns[part.table.made]
    if not at.tie:
        return made <= at.time
    seq = next((part.columns[n] for n in ("seq", "close_seq") if n in part.columns), None)
    clock = part.constants.get("bar_clock", "")
    if seq is None and part.table.ordinal == "bar_id" and clock in closes:
        ids, seqs = closes[clock]
        place = np.minimum(np.searchsorted(ids, part.columns["bar_id"]), max(0, len(ids) - 1))
        seq = seqs[place] if len(ids) else None
    if seq is None:
        return made < at.time
    return (made < at.time) | ((made == at.time) & (seq <= at.seq))


def differences(
    clean: Mapping[Key, Part], spoilt: Mapping[Key, Part], at: Instant
) -> tuple[list[Difference], int]:
    """Return the columns that differ in rows known at the instant, and how many rows those are."""
    found: list[Difference] = []
    rows = 0
    closes, others = closing_seqs(clean), closing_seqs(spoilt)
    for key in {**clean, **spoilt}:
        one, other = clean.get(key), spoilt.get(key)
        shape = one or other
        assert shape is not None
        mine = _past(one, at, closes) if one else _nothing(shape)
        theirs = _past(other, at, others) if other else _nothing(shape)
        rows += len(mine[shape.table.made])
        found += _compare(key, shape, mine, theirs)
    return found, rows


def _past(part: Part, at: Instant, closes: Mapping[str, Any]) -> dict[str, np.ndarray]:
    keep = known(part, at, closes)
    if keep.all():
        return {name: part.columns[name] for name in part.outputs()}
    return {name: part.columns[name][keep] for name in part.outputs()}


def _nothing(part: Part) -> dict[str, np.ndarray]:
    return {name: part.columns[name][:0] for name in part.outputs()}


def _compare(
    key: Key, part: Part, mine: dict[str, np.ndarray], theirs: dict[str, np.ndarray]
) -> list[Difference]:
    made = part.table.made
    names = [name for name in part.table.key if name in mine]
    counts = len(mine[made]), len(theirs[made])
    least = min(counts)
    moved = np.zeros(least, bool)
    for name in names:
        moved |= unequal(mine[name][:least], theirs[name][:least])
    whole = int(np.argmax(moved)) if moved.any() else least
    found = []
    if whole < max(counts):
        side = mine if whole < counts[0] else theirs
        there = ("there", "gone") if whole < counts[0] else ("absent", "there")
        there = ("another row", "another row") if whole < least else there
        extra = max(counts) - whole
        found.append(_said(key, part, made, side, whole, (*there, extra)))
    for name in mine:
        wrong = unequal(mine[name][:whole], theirs[name][:whole])
        if wrong.any():
            row = int(np.argmax(wrong))
            values = mine[name][row].item(), theirs[name][row].item(), int(wrong.sum())
            found.append(_said(key, part, name, mine, row, values))
    return found


def _said(
    key: Key,
    part: Part,
    column: str,
    side: Mapping[str, np.ndarray],
    row: int,
    shows: tuple[Any, ...],
) -> Difference:
    words = [f"{n} {part.constants[n]}" for n in part.table.key[2:] if n in part.constants]
    words += [f"{n} {side[n][row]}" for n in part.table.key if n in side]
    time = int(side[part.table.made][row])
    return Difference(key, part.table.name, column, ", ".join(words), time, *shows)


def unequal(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return where two arrays differ in a bit; missing equals missing."""
    if object in (one.dtype, other.dtype):
        return one.astype(object) != other.astype(object)
    if one.dtype != other.dtype:
        one, other = one.astype(np.float64), other.astype(np.float64)
    if one.dtype.kind != "f":
        return one != other
    bits = one.view(np.int64) != other.view(np.int64)
    return bits & ~(np.isnan(one) & np.isnan(other))
