"""A finished tape on disk: its blocks, its tables, its accounts and its findings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from qf.errors import RunError, diagnostic, nearest
from qf.even_columns import even_columns
from qf.schema import TAPE
from qf.tape.instruments import Instrument
from qf.tape.tables import SIDE_TABLES, TABLES

NAMES = tuple(field.name for field in TAPE)
READ_ROWS = 131_072

DAMAGED = diagnostic(
    "QF331",
    "the cached tape {path} is damaged: {why}",
    RunError,
    "make it anew from its sources: qf run --force-refresh",
)
UNKNOWN_TABLE = diagnostic("QF323", "a tape has no table {name!r}", hint="it has {known}")

Block = dict[str, np.ndarray]


@dataclass(frozen=True)
class TapeFile:
    """One symbol's events in their total order. Times are receive times in ns."""

    folder: Path
    instrument: Instrument
    rows: int
    manifest: dict[str, Any]
    cached: bool
    kept_files: int = 0  # of a capture that grew: so many files were on a tape already

    @property
    def key(self) -> str:
        """Return the hash of everything that decided this tape."""
        return self.manifest["key"]

    @property
    def origin(self) -> str:
        """Return where it came from, in words: what of its sources was not read again."""
        if self.cached:
            return "cached tape"
        if self.kept_files:
            many = "s were" if self.kept_files > 1 else " was"
            return f"tape gone on with: {self.kept_files} file{many} on it"
        return "new tape"

    @property
    def frames(self) -> int:
        """Return how many frames of the symbol arrived, ignored and refused ones included."""
        return self.manifest["frames"]

    @property
    def first_time(self) -> int:
        """Return the receive time of the first frame; NULL_INT for an empty tape."""
        return self.manifest["first_time"]

    @property
    def last_time(self) -> int:
        """Return the receive time of the last frame; NULL_INT for an empty tape."""
        return self.manifest["last_time"]

    @property
    def ordering(self) -> str:
        """Return arrival, or event where receive times are event times."""
        return self.manifest["ordering"]

    @property
    def continuity(self) -> str:
        """Return which continuity rules the book ids follow: spot, futures or none."""
        return self.manifest["continuity"]

    @property
    def trades(self) -> str:
        """Return which channel the trades are from: trade or agg_trade."""
        return self.manifest["trades"]

    @property
    def accounts(self) -> dict[str, dict[str, int]]:
        """Return received, quarantined and ignored per stream; the rest is the reader's."""
        return self.manifest["accounts"]

    def blocks(
        self, rows: int, start: int | None = None, end: int | None = None
    ) -> Iterator[Block]:
        """Yield the TAPE columns, `rows` rows at a time (the last block may be shorter).

        [start, end) is on the receive time, so it cuts between frames, never inside one. The
        columns of a block lie evenly: a program reads them where they are. Errors: QF331.
        """
        room, filled = np.empty((0, 0), np.int64), 0
        for block in self._row_groups(start, end):
            at, count = 0, len(block["seq"])
            while at < count:
                if not filled:
                    room = even_columns(len(NAMES), min(rows, self.rows), np.int64)
                taken = min(rows - filled, count - at)
                for place, name in enumerate(NAMES):
                    room[place, filled : filled + taken] = block[name][at : at + taken]
                at, filled = at + taken, filled + taken
                if filled == rows:
                    yield dict(zip(NAMES, room[:, :rows], strict=True))
                    filled = 0
        if filled:
            yield dict(zip(NAMES, room[:, :filled], strict=True))

    def _row_groups(self, start: int | None, end: int | None) -> Iterator[Block]:
        place = NAMES.index("processed_time")
        for group in row_groups(self.folder):
            times = group.about.column(place).statistics
            if start is not None and times is not None and times.max < start:
                continue
            if end is not None and times is not None and times.min >= end:
                return
            table = group.read()
            block = {name: _numpy(table.column(name)) for name in NAMES}
            low, high = _range(block["processed_time"], start, end)
            if low < high:
                yield {name: column[low:high] for name, column in block.items()}

    def _frames(self, start: int | None, end: int | None) -> Iterator[Block]:
        """Yield blocks that hold whole frames."""
        rest: Block | None = None
        for block in self._row_groups(start, end):
            whole = block if rest is None else _join([rest, block])
            ends = np.flatnonzero(whole["last_row"])
            cut = int(ends[-1]) + 1 if len(ends) else 0
            rest = {name: column[cut:] for name, column in whole.items()}
            yield {name: column[:cut] for name, column in whole.items()}

    def quarantine(self) -> pa.Table:
        """Return the refused frames: seq, processed_time, stream, rule, frame_bytes, frame."""
        return self._whole("quarantine")

    def findings(self) -> pa.Table:
        """Return every rule that a frame broke: seq, stream, rule."""
        return self._whole("findings")

    def _whole(self, name: str) -> pa.Table:
        with checked(self.folder / f"{name}.parquet") as file:
            return file.read()

    def findings_by_rule(self) -> dict[str, int]:
        """Return how many frames broke each rule."""
        counted = self.findings().group_by("rule").aggregate([("rule", "count")])
        names, counts = counted.column("rule"), counted.column("rule_count")
        return dict(sorted(zip(names.to_pylist(), counts.to_pylist(), strict=True)))

    def table(
        self, name: str, start: int | None = None, end: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield one published table in batches, prices and sizes as floats. Errors: QF323.

        Names: trades, lob_incremental, bbo, funding, liquidations.
        """
        known = (*TABLES, *SIDE_TABLES)
        if name not in known:
            raise UNKNOWN_TABLE(name=name, known=", ".join(known), near=nearest(name, known))
        if name in TABLES:
            for block in self._frames(start, end):
                batch = TABLES[name](block, self.instrument)
                if batch.num_rows:
                    yield batch
            return
        table = self._whole(name)
        times = table.column("processed_time").cast(pa.int64()).to_numpy()
        low, high = _range(times, start, end)
        table = table.slice(low, high - low)
        for field, value in (
            ("symbol", self.instrument.symbol),
            ("venue", self.instrument.venue),
        ):
            column = pa.array([value] * table.num_rows, pa.string())
            table = table.add_column(0, field, column)
        yield from table.to_batches()


def parts_of(folder: Path) -> list[tuple[Path, int | None]]:
    """Return the files that hold a tape's rows, in order, and how many of their blocks count.

    A tape that grew links the files of the tape it was, as tape_<number>_<blocks>.parquet; the
    block behind those was taken up again, and is in tape.parquet with what followed (None: all).
    """
    linked = sorted(folder.glob("tape_*_*.parquet"))
    parts: list[tuple[Path, int | None]] = [(p, int(p.stem.split("_")[2])) for p in linked]
    return [*parts, (folder / "tape.parquet", None)]


@dataclass(frozen=True)
class Group:
    """One block of a tape in an open file."""

    path: Path
    file: pq.ParquetFile
    number: int

    @property
    def about(self) -> Any:
        """Return what the file says of the block: rows, the range of each column."""
        return self.file.metadata.row_group(self.number)

    def read(self, columns: list[str] | None = None) -> pa.Table:
        """Return the block's columns. Errors: QF331."""
        with _refused(self.path):
            return self.file.read_row_group(self.number, columns)


def row_groups(folder: Path) -> Iterator[Group]:
    """Yield every block of a tape, in order. Errors: QF331."""
    for path, blocks in parts_of(folder):
        with checked(path) as file:
            for number in range(file.metadata.num_row_groups if blocks is None else blocks):
                yield Group(path, file, number)


@contextmanager
def checked(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a file of a tape so that every page is held against its checksum. Errors: QF331."""
    with _refused(path), pq.ParquetFile(path, page_checksum_verification=True) as file:
        yield file


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as problem:
        raise DAMAGED(path=path, why=str(problem).splitlines()[0]) from None


def _numpy(column: pa.ChunkedArray) -> np.ndarray:
    return column.to_numpy() if column.num_chunks != 1 else column.chunk(0).to_numpy()


def _join(blocks: list[Block]) -> Block:
    if len(blocks) == 1:
        return blocks[0]
    return {name: np.concatenate([block[name] for block in blocks]) for name in NAMES}


def _range(times: np.ndarray, start: int | None, end: int | None) -> tuple[int, int]:
    low = 0 if start is None else int(np.searchsorted(times, start, "left"))
    high = len(times) if end is None else int(np.searchsorted(times, end, "left"))
    return low, high


def open_tape(folder: Path, cached: bool = False, kept_files: int = 0) -> TapeFile:
    """Return the finished tape in a folder; raises ValueError, KeyError or OSError if damaged."""
    manifest = json.loads((folder / "manifest.json").read_text())
    instrument = Instrument(**manifest["identity"]["instrument"])
    rows = 0
    for path, blocks in parts_of(folder):
        about = pq.read_metadata(path)
        count = about.num_row_groups if blocks is None else blocks
        rows += sum(about.row_group(group).num_rows for group in range(count))
    for name in ("findings", "quarantine", *SIDE_TABLES):
        if not (folder / f"{name}.parquet").is_file():
            raise ValueError(name)
    return TapeFile(folder, instrument, rows, manifest, cached, kept_files)
