"""Spoil what a tape is read from: the frames after an instant become garbage.

1. the first frames of a symbol's sources are read to a tape, as a run reads them
2. at some frames everything later is replaced by garbage (frame_garbage.py) and read anew
3. what had been read by then is on both, to the bit: the rows, mark prices and funding, forced
   orders, the findings, the quarantine, and which channel makes the trades

The rows that a reader still held back at the instant, because of their own clocks, are not past.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from qf.engines.sources import sources_of
from qf.project.model import Project
from qf.proof.frame_garbage import KINDS
from qf.proof.poison_tables import unequal
from qf.tape.ingest import Inspection, ingest, merged
from qf.tape.instruments import Instrument
from qf.tape.read import open_reader
from qf.tape.source import Arrival
from qf.tape.tables import SIDE_TABLES
from qf.tape.tape_file import NAMES, TapeFile

FRAMES = "frames"
HEAD_FRAMES, FUTURE_FRAMES = 20_000, 1_500
READING = "the reading of frames (feeds/, tape/)"

Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Given:
    """Arrivals that are in memory, as a source."""

    name: str
    venue: str
    ordering: str
    trades: str | None
    items: tuple[Arrival, ...] = field(repr=False)
    tag: str = ""

    def identity(self) -> dict[str, Any]:
        """Return a name of its own: these tapes are read once and thrown away."""
        return {"kind": "given", "tag": self.tag}

    def arrivals(self) -> Iterator[Arrival]:
        """Yield the arrivals."""
        return iter(self.items)


@dataclass(frozen=True)
class Changed:
    """A column of what was read before an instant that is another with other frames after it."""

    table: str
    column: str
    row: str
    time: int  # receive time of the row, or of the instant where the table has none, ns
    instant: int  # receive time of the last frame that was not replaced, ns
    seq: int  # that frame's seq
    kind: str
    before: Any
    after: Any
    rows: int


def head(project: Project, symbol: str) -> tuple[Given, Instrument]:
    """Return the first frames of a symbol, and its instrument. Errors: QF3xx, QF500-QF503."""
    sources, instrument = sources_of(project, symbol)
    items = tuple(itertools.islice(merged(sources), HEAD_FRAMES))
    first = sources[0]
    trades = next((source.trades for source in sources if source.trades), None)
    return Given(first.name, first.venue, first.ordering, trades, items), instrument


def places_read(
    source: Given, instrument: Instrument, places: list[int]
) -> dict[int, tuple[int, str | None, bool]]:
    """Return, per count of arrivals, the frames read by then, the channel, and if that is all."""
    found: dict[int, tuple[int, str | None, bool]] = {}
    reader = open_reader(instrument, Inspection(), source.trades, source.ordering)
    for count, item in enumerate(source.items, 1):
        reader.feed(item)
        if count in places:
            found[count] = (reader.tally.frames, reader.trades, not reader.holds_back)
    return found


def poison_frames(
    source: Given,
    instrument: Instrument,
    count: int,
    seed: int,
    tell: Callable[[int, int, str], None],
) -> tuple[list[Changed], int, int]:
    """Return what changed before `count` instants, the rows compared, and the tapes read."""
    rng = np.random.default_rng([seed, 2])
    drawn = rng.integers(1, max(2, len(source.items)), count).tolist()
    places = sorted({int(place) for place in drawn if place < len(source.items)})
    read = places_read(source, instrument, places)
    changed: list[Changed] = []
    rows = 0
    with tempfile.TemporaryDirectory(prefix="qf_poison_") as folder:
        clean = ingest([source], instrument, Path(folder))
        before = tables_of(clean)
        for number, place in enumerate(places):
            kind = list(KINDS)[(seed + number) % len(KINDS)]
            tell(number, len(places), kind)
            future = source.items[place : place + FUTURE_FRAMES]
            items = (*source.items[:place], *KINDS[kind](future, rng))
            spoilt = Given(
                source.name,
                source.venue,
                source.ordering,
                source.trades,
                items,
                f"{place} {kind}",
            )
            tape = ingest([spoilt], instrument, Path(folder))
            frames, trades, _ = read[place]
            instant = (frames, source.items[place - 1][0], kind)
            if trades is not None and tape.trades != trades:
                changed.append(_said("tape", "trades", "", instant, (clean.trades, tape.trades)))
            found, compared = _differences(before, tables_of(tape), instant)
            changed, rows = changed + found, rows + compared
    return changed, rows, len(places)


def tables_of(tape: TapeFile) -> dict[str, Columns]:
    """Return everything that is on a tape and beside it, as columns."""
    blocks = list(tape.blocks(1 << 20))
    found = {"tape": {n: np.concatenate([b[n] for b in blocks]) for n in NAMES} if blocks else {}}
    beside = ((name, batch) for name in SIDE_TABLES for batch in tape.table(name))
    for place, table in (
        ("findings", tape.findings()),
        ("quarantine", tape.quarantine()),
        *beside,
    ):
        found[place] = {field.name: _plain(table.column(field.name)) for field in table.schema}
    return found


def _plain(column: Any) -> np.ndarray:
    """Return an Arrow column as objects; times as whole ns, which nothing rounds."""
    column = column.cast("int64") if str(column.type).startswith("timestamp") else column
    return np.array([*column.to_pylist(), None], object)[:-1]


def _differences(
    clean: Mapping[str, Columns], spoilt: Mapping[str, Columns], instant: tuple[int, int, str]
) -> tuple[list[Changed], int]:
    found: list[Changed] = []
    rows = 0
    for table in clean.keys() | spoilt.keys():
        one, other = clean.get(table, {}), spoilt.get(table, {})
        mine, theirs = _past(one, instant[0]), _past(other, instant[0])
        counts = [len(part["seq"]) if part else 0 for part in (mine, theirs)]
        rows += counts[0]
        if counts[0] != counts[1]:
            found.append(_said(table, "seq", "", instant, (counts[0], counts[1])))
            continue
        for name, values in mine.items():
            wrong = unequal(values, theirs[name])
            if wrong.any():
                row = int(np.argmax(wrong))
                shows = (values[row], theirs[name][row], int(wrong.sum()))
                found.append(_said(table, name, f"seq {mine['seq'][row]}", instant, shows))
    return found, rows


def _past(columns: Columns, frames: int) -> Columns:
    if not columns:
        return {}
    keep = columns["seq"].astype(np.int64) < frames
    return {name: values[keep] for name, values in columns.items()}


def _said(
    table: str, column: str, row: str, instant: tuple[int, int, str], shows: tuple[Any, ...]
) -> Changed:
    frames, time, kind = instant
    before, after, *many = shows
    rows = many[0] if many else 1
    return Changed(
        table, column, row or "all rows", time, time, frames - 1, kind, before, after, rows
    )
