"""The `files` provider: tables of an archive, by a declared mapping of their columns.

CSV (plain, gz or zst) keeps every number as the text it is; Parquet gives float64 numbers, which
must be the nearest to a point of the grid. Rows are read in file order; tables merge by time.
"""

from __future__ import annotations

import csv
import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from qf.clock import EARLIEST_NS, LATEST_NS, UNIT_NS, format_time
from qf.errors import Place, diagnostic, nearest
from qf.feeds.file_format import FileTable
from qf.feeds.record import MAX_INT, Record
from qf.schema import NULL_INT
from qf.tape.capture import WRONG_UNIT, read_lines
from qf.tape.source import UNREADABLE_FILE, Arrival, Broken, hash_file

BATCH_ROWS = 256

NO_COLUMN = diagnostic(
    "QF327", "{path} has no column {column!r} for the field {field}", hint="it has {known}"
)

# The buyer was the maker, so the aggressor sold.
_MAKER = {"1": -1, "true": -1, "0": 1, "false": 1}

Row = dict[str, Any]
Files = tuple[tuple[FileTable, tuple[Path, ...]], ...]


@dataclass(frozen=True)
class FilesSource:
    """Tables of an archive. With `ordering: event` rows sort by (event time, id)."""

    name: str
    venue: str
    files: Files
    ordering: str = "arrival"
    trades: str | None = "trade"
    truncated: str = "refuse"

    def identity(self) -> dict[str, Any]:
        """Return the mappings and the files' hashes."""
        tables = []
        for table, paths in self.files:
            tables.append(
                {
                    "stream": table.stream,
                    "time_unit": table.time_unit,
                    "fields": dict(table.fields),
                    "values": {name: dict(rows) for name, rows in table.values.items()},
                    "files": [hash_file(path) for path in paths],
                }
            )
        ordering, truncated = self.ordering, self.truncated
        return {"kind": "files", "ordering": ordering, "truncated": truncated, "tables": tables}

    def arrivals(self) -> Iterator[Arrival]:
        """Yield the rows as records, in time order over the tables. Errors: QF313-QF316, QF327."""
        streams = [self._table(table, paths) for table, paths in self.files]
        if self.ordering == "event":
            streams = [iter(sorted(stream, key=_event_key)) for stream in streams]
        if len(streams) == 1:
            return streams[0]
        return heapq.merge(*streams, key=lambda item: item[0])

    def _table(self, table: FileTable, paths: tuple[Path, ...]) -> Iterator[Arrival]:
        for path in paths:
            reader = _Rows(path, table, self.ordering == "event")
            if ".parquet" in path.suffixes:
                rows = _parquet_rows(path, table)
            else:
                rows = _csv_rows(path, table, self.truncated == "accept")
            yield from (reader.grouped(rows) if table.stream == "depth" else reader.single(rows))


def _event_key(item: Arrival) -> tuple[int, int]:
    payload = item[1]
    return item[0], payload.last_id if isinstance(payload, Record) else NULL_INT


def _csv_rows(path: Path, table: FileTable, accept: bool) -> Iterator[Row | Broken]:
    lines = read_lines(path, accept)
    header = next(lines, None)
    if not isinstance(header, bytes):
        return
    columns = header.decode("utf-8", "replace").strip().split(",")
    places = _places(path, table, columns)
    for line in lines:
        if isinstance(line, Broken):
            yield line
            continue
        if not line.strip():
            continue
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        cells = next(csv.reader([text])) if '"' in text else text.split(",")
        if len(cells) != len(columns):
            yield Broken("missing_field", line)
            continue
        yield {name: cells[place] for name, place in places.items()}


def _parquet_rows(path: Path, table: FileTable) -> Iterator[Row | Broken]:
    try:
        with pq.ParquetFile(path) as file:
            places = _places(path, table, file.schema_arrow.names)
            names = [file.schema_arrow.names[place] for place in places.values()]
            for batch in file.iter_batches(BATCH_ROWS, columns=sorted(set(names))):
                columns = [_cells(batch.column(name)) for name in names]
                for cells in zip(*columns, strict=True):
                    yield dict(zip(places, cells, strict=True))
    except (OSError, pa.ArrowException) as problem:
        raise UNREADABLE_FILE(path=path, why=problem) from None


def _cells(column: pa.Array) -> list[Any]:
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        return [
            np.asarray(cell.values, dtype=np.float64) if cell.is_valid else None for cell in column
        ]
    return [repr(v) if isinstance(v, float) else v for v in column.to_pylist()]


def _floats(cell: Any) -> np.ndarray | None:
    return np.asarray(cell.values, dtype=np.float64) if cell.is_valid else None


def _places(path: Path, table: FileTable, columns: list[str]) -> dict[str, int]:
    for field, column in table.fields.items():
        if column not in columns:
            known = ", ".join(columns)
            near = nearest(column, columns)
            raise NO_COLUMN(path=path.name, column=column, field=field, known=known, near=near)
    return {field: columns.index(column) for field, column in table.fields.items()}


class _Rows:
    """Turn the rows of one file into arrivals."""

    def __init__(self, path: Path, table: FileTable, by_event: bool) -> None:
        self._path, self._table = path, table
        self._scale = UNIT_NS[table.time_unit]
        self._clock = "event_time" if by_event else "processed_time"
        self._last = 0
        self._make: Callable[[Row], Record] = {
            "trade": self._trade,
            "snapshot": self._snapshot,
            "bbo": self._bbo,
        }.get(table.stream, self._level)

    def single(self, rows: Iterator[Row | Broken]) -> Iterator[Arrival]:
        """Yield one record per row."""
        for row in rows:
            if isinstance(row, Broken):
                yield self._last, row, ""
                continue
            time = self._time_of(row)
            if time is None:
                yield self._last, Broken("receive_time_unreadable", _bytes(row)), ""
                continue
            try:
                record = self._make(row)
            except (ValueError, TypeError, KeyError):
                yield time, Broken("wrong_type", _bytes(row)), _text(row, "symbol")
                continue
            yield time, record, record.symbol

    def grouped(self, rows: Iterator[Row | Broken]) -> Iterator[Arrival]:
        """Yield one record per run of rows with the same update ids.

        Rows of one update id that name different times are two messages with one id: id_order.
        """
        group: list[Record] = []
        group_time = 0
        for time, payload, _ in self.single(rows):
            if isinstance(payload, Record) and group and _ids(payload) == _ids(group[0]):
                group.append(payload)
                continue
            if group:
                yield group_time, _joined(group), group[0].symbol
                group = []
            if isinstance(payload, Record):
                group, group_time = [payload], time
            else:
                yield time, payload, ""
        if group:
            yield group_time, _joined(group), group[0].symbol

    def _time_of(self, row: Row) -> int | None:
        try:
            time = int(row[self._clock]) * self._scale
        except (ValueError, TypeError):
            return None
        if EARLIEST_NS <= time <= LATEST_NS:
            self._last = time
            return time
        if self._last == 0:
            raise self._wrong_unit(time // self._scale)
        return None

    def _wrong_unit(self, time: int) -> Exception:
        unit, advice = self._table.time_unit, "no unit makes a time of this number"
        for right, scale in UNIT_NS.items():
            if EARLIEST_NS <= time * scale <= LATEST_NS:
                moment = format_time(time * scale)
                advice = f"it looks like {right} ({moment}): write `time_unit: {right}`"
                break
        place = Place(str(self._path), 2)
        name = self._path.name
        return WRONG_UNIT(path=name, time=time, unit=unit, advice=advice, place=place)

    def _event(self, row: Row) -> int:
        value = row.get("event_time")
        if value is None:
            return NULL_INT
        return max(-1, min(int(value) * self._scale, MAX_INT))

    def _id(self, row: Row, name: str) -> int:
        value = row.get(name)
        if value is None:
            return NULL_INT
        number = int(value)
        if not 0 <= number <= MAX_INT:
            raise ValueError(name)
        return number

    def _translate(self, row: Row, name: str) -> int:
        table: Mapping[str, int] = self._table.values.get(name, {})
        return table[str(row[name])] if table else int(row[name])

    def _trade(self, row: Row) -> Record:
        time, number = self._event(row), self._id(row, "trade_id")
        direction = 0
        if "direction" in row:
            direction = self._translate(row, "direction")
        elif "is_buyer_maker" in row:
            direction = {"1": -1, "true": -1, "0": 1, "false": 1}[
                str(row["is_buyer_maker"]).lower()
            ]
        if direction not in (-1, 0, 1):
            raise ValueError("direction")
        level = ((str(row["price"]), str(row["size"])),)
        symbol, nothing = _text(row, "symbol"), NULL_INT
        return Record("trade", symbol, time, time, number, number, nothing, direction, 0, level)

    def _level(self, row: Row) -> Record:
        time = self._event(row)
        ids = (self._id(row, "first_id"), self._id(row, "last_id"), self._id(row, "prev_id"))
        level = ((str(row["price"]), str(row["size"])),)
        side = self._translate(row, "side")
        sides = (level, ()) if side > 0 else ((), level)
        return Record("depth", _text(row, "symbol"), time, time, *ids, 0, 0, *sides)

    def _snapshot(self, row: Row) -> Record:
        time = self._event(row)
        bids = (row["bid_prices"], row["bid_sizes"])
        asks = (row["ask_prices"], row["ask_sizes"])
        for prices, sizes in (bids, asks):
            if len(prices) != len(sizes):
                raise ValueError("levels")
        symbol, number = _text(row, "symbol"), self._id(row, "last_id")
        nothing = NULL_INT
        return Record("snapshot", symbol, time, time, nothing, number, nothing, 0, 0, bids, asks)

    def _bbo(self, row: Row) -> Record:
        time, number = self._event(row), self._id(row, "last_id")
        bid = ((str(row["bid_price"]), str(row["bid_size"])),)
        ask = ((str(row["ask_price"]), str(row["ask_size"])),)
        symbol = _text(row, "symbol")
        return Record("bbo", symbol, time, time, number, number, NULL_INT, 0, 0, bid, ask)


def _ids(record: Record) -> tuple[str, int, int]:
    return record.symbol, record.first_id, record.last_id


def _joined(group: list[Record]) -> Record:
    bids = tuple(level for record in group for level in record.bids)
    asks = tuple(level for record in group for level in record.asks)
    times = [record.event_time for record in group]
    known = {time for time in times if time > 0}
    rules = ("id_order",) if len(known) > 1 else ()
    time = min(times)  # a zero time taints the message
    joined = group[0]._replace(event_time=time, venue_time=time)
    return joined._replace(bids=bids, asks=asks, rules=rules)


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value)


def _bytes(row: Row) -> bytes:
    return repr({name: str(value)[:200] for name, value in row.items()}).encode()
