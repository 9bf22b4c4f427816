"""Write a tape so that it is there completely or not at all.

Everything goes into a draft folder of its own name; when all files are on disk (fsync) the
folder is renamed to the key. A crash leaves a draft, which nobody ever reads.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from qf.errors import RunError, diagnostic
from qf.feeds.record import Record
from qf.schema import TAPE
from qf.tape.prefix import Prefixes
from qf.tape.side_rows import side_row
from qf.tape.source import Broken
from qf.tape.tables import FINDINGS, QUARANTINE, SIDE_TABLES
from qf.tape.tape_file import TapeFile, checked, open_tape, parts_of

TAPE_SCHEMA = pa.schema([pa.field(field.name, pa.int64(), nullable=False) for field in TAPE])
# Differences of neighbours, packed: the size of plain words under zstd at a third of its reading.
TAPE_ENCODING: Any = {field.name: "DELTA_BINARY_PACKED" for field in TAPE}
SIDE_ROWS = 10_000
# What is kept of one bad frame, and of all together: enough to see, too little to fill a disk.
KEPT_BYTES = 65_536
KEPT_TOTAL_BYTES = 256 << 20

CANNOT_WRITE = diagnostic(
    "QF322", "the tape cannot be written to {path}: {why}", RunError, "free space or rights there"
)


def reuse(cache: Path, key: str) -> TapeFile | None:
    """Return the finished tape of this key, or None; a damaged one is removed and made anew."""
    folder = cache / key
    if not folder.is_dir():
        return None
    try:
        return open_tape(folder, cached=True)
    except (OSError, ValueError, KeyError, pa.ArrowException):
        shutil.rmtree(folder, ignore_errors=True)
        return None


class Draft:
    """One tape being written; a context manager that leaves nothing behind on an error."""

    def __init__(self, cache: Path, key: str) -> None:
        self._cache, self._key = cache, key
        self._kept = 0
        self._rows: dict[str, list[tuple[Any, ...]]] = {}
        self._prefixes = Prefixes()
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._schemas = {
            "tape": TAPE_SCHEMA,
            "findings": FINDINGS,
            "quarantine": QUARANTINE,
            **SIDE_TABLES,
        }
        try:
            cache.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix=f"{key[:16]}.draft-", dir=cache))
        except OSError as problem:
            raise CANNOT_WRITE(path=cache, why=problem.strerror) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, problem: object, trace: object) -> None:
        for writer in self._writers.values():
            try:
                writer.close()
            except (OSError, pa.ArrowException):
                continue  # already failing: the draft is thrown away below
        shutil.rmtree(self._folder, ignore_errors=True)
        if isinstance(problem, OSError):
            raise CANNOT_WRITE(path=self._cache, why=problem.strerror or problem) from problem

    @property
    def blocks(self) -> int:
        """Return how many blocks of rows are on the tape."""
        return len(self._prefixes.marks)

    def take(self, folder: Path, blocks: int, frames: int) -> None:
        """Begin with the first blocks of another tape, and with what it has beside its frames."""
        marks = json.loads((folder / "manifest.json").read_text())["prefixes"]
        self._prefixes.marks = [(int(row), mark) for row, mark in marks[:blocks]]
        number = 0
        for path, count in parts_of(folder):
            used = min(blocks, pq.read_metadata(path).num_row_groups if count is None else count)
            if used:
                _link(path, self._folder / f"tape_{number:06d}_{used}.parquet")
                number, blocks = number + 1, blocks - used
        for name in ("findings", "quarantine", *SIDE_TABLES):
            with checked(folder / f"{name}.parquet") as file:
                table = file.read()
            table = table.slice(0, int(np.searchsorted(table.column("seq").to_numpy(), frames)))
            self._writer(name).write_table(table)
            if name == "quarantine":
                kept = dict(
                    zip(*(table.column(n).to_pylist() for n in ("seq", "frame")), strict=True)
                )
                self._kept = sum(map(len, kept.values()))

    def write_text(self, name: str, text: str) -> None:
        """Write a small file beside the tape."""
        (self._folder / name).write_text(text)

    def write(self, block: dict[str, np.ndarray]) -> None:
        """Append one block of tape rows."""
        self._prefixes.add(block)
        self._writer("tape").write_batch(pa.record_batch(block, schema=TAPE_SCHEMA))

    def add_finding(self, seq: int, stream: str, rule: str) -> None:
        """Report that a frame broke a rule."""
        self._add("findings", (seq, stream, rule))

    def add_quarantined(
        self, seq: int, time: int, stream: str, rules: tuple[str, ...], payload: Any
    ) -> None:
        """Keep a refused frame with its rules; long frames by their head."""
        frame = payload.frame if isinstance(payload, Broken) else payload
        if isinstance(frame, Record):
            frame = repr(frame).encode()
        kept = frame[: min(KEPT_BYTES, max(0, KEPT_TOTAL_BYTES - self._kept))]
        self._kept += len(kept)
        for rule in rules:
            self._add("quarantine", (seq, time, stream, rule, len(frame), kept))

    def add_side_row(self, seq: int, time: int, record: Record) -> None:
        """Add a mark price or a liquidation to its table."""
        self._add(*side_row(seq, time, record))

    def _add(self, name: str, row: tuple[Any, ...]) -> None:
        rows = self._rows.setdefault(name, [])
        rows.append(row)
        if len(rows) >= SIDE_ROWS or (name == "quarantine" and self._kept > KEPT_TOTAL_BYTES):
            self._flush(name)

    def _flush(self, name: str) -> None:
        rows = self._rows.pop(name, [])
        schema = self._schemas[name]
        columns = zip(*rows, strict=True) if rows else [[] for _ in schema]
        arrays = [pa.array(list(c), f.type) for c, f in zip(columns, schema, strict=True)]
        self._writer(name).write_batch(pa.record_batch(arrays, schema=schema))

    def _writer(self, name: str) -> pq.ParquetWriter:
        if name not in self._writers:
            tape = name == "tape"
            self._writers[name] = pq.ParquetWriter(
                self._folder / f"{name}.parquet",
                self._schemas[name],
                compression="lz4" if tape else "zstd",
                compression_level=None if tape else 1,
                use_dictionary=not tape,
                column_encoding=TAPE_ENCODING if tape else None,
                write_page_checksum=True,
            )
        return self._writers[name]

    def finish(self, manifest: dict[str, Any]) -> TapeFile:
        """Close the files, put everything on disk, and give the folder its final name."""
        for name in self._schemas:
            if name in self._rows or name not in self._writers:
                self._flush(name) if name != "tape" else self._writer(name)
        for writer in self._writers.values():
            writer.close()
        self._writers = {}
        manifest = {"key": self._key, **manifest, "prefixes": self._prefixes.marks}
        text = json.dumps(manifest, indent=1)
        (self._folder / "manifest.json").write_text(text)
        for path in self._folder.iterdir():
            _sync(path)
        _sync(self._folder)
        final = self._cache / self._key
        try:
            self._folder.rename(final)
        except OSError:
            if not final.is_dir():
                raise
            # Another run finished the same tape first; equal keys mean equal content.
        _sync(self._cache)
        return open_tape(final)


def _link(path: Path, place: Path) -> None:
    """Give a file that never changes a second name; where that is impossible, copy it."""
    try:
        os.link(path, place)
    except OSError:
        shutil.copyfile(path, place)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
