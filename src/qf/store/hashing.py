"""One hash for what a table holds, whatever order its rows were written in.

    table hash = (rows, sum of h(row), sum of g(h(row))) mod 2^64, over all rows
    h(row)     = the words of the row's columns, each: h = (h + step ^ word) * factor, h ^= h >> 32

Every bit counts: -0.0 is not 0.0, a null is not a NaN, an empty list is not a null. The sum makes
it independent of order without sorting; a row that is there twice counts twice. Mixing is
splitmix64's finaliser (Steele, Lea, Flood 2014), strings enter by their BLAKE2b.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
_HALF = np.uint64(32)
_NULL = np.uint64(0xD1B54A32D192ED03)
_CHUNK = 16_384  # rows mixed at once: 128 KiB a column stays in the cache


class RowSums:
    """What a table's hash is made of: it grows by batches, and two of them add up."""

    def __init__(self, rows: int = 0, first: int = 0, second: int = 0) -> None:
        self.rows = rows
        self._sums = np.array([first, second], np.uint64)

    @property
    def words(self) -> tuple[int, int, int]:
        """Return the rows and both sums, as the constructor takes them."""
        return self.rows, int(self._sums[0]), int(self._sums[1])

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch's rows in."""
        with np.errstate(over="ignore"):
            for start in range(0, batch.num_rows, _CHUNK):
                mixed = _hash_rows(batch.slice(start, _CHUNK))
                self._sums += np.array([mixed.sum(), _mix(mixed + _STEP).sum()], np.uint64)
        self.rows += batch.num_rows

    def __add__(self, other: RowSums) -> RowSums:
        with np.errstate(over="ignore"):
            first, second = self._sums + other._sums
        return RowSums(self.rows + other.rows, int(first), int(second))

    def digest(self, schema: pa.Schema) -> str:
        """Return the hash of the rows so far, as rows of a table with these columns."""
        head = ";".join(f"{field.name} {_kind(field.type)}" for field in schema)
        body = "|".join([head, *map(str, self.words)])
        return hashlib.blake2b(body.encode(), digest_size=16).hexdigest()


def hash_batches(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> str:
    """Return the hash of all rows of the batches, 32 hexadecimal digits."""
    sums = RowSums()
    for batch in batches:
        sums.add(batch)
    return sums.digest(schema)


def _hash_rows(batch: pa.RecordBatch) -> np.ndarray:
    mixed = np.zeros(batch.num_rows, np.uint64)
    scratch = np.empty_like(mixed)
    for column in batch.columns:
        mixed += _STEP  # a column's place counts even where all its words are 0
        mixed ^= _words(column)
        mixed *= _FACTOR
        np.right_shift(mixed, _HALF, out=scratch)
        mixed ^= scratch
    return _mix(mixed)


def _mix(words: np.ndarray) -> np.ndarray:
    words = words ^ (words >> np.uint64(30))
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(27)
    words *= np.uint64(0x94D049BB133111EB)
    words ^= words >> np.uint64(31)
    return words


def _words(column: pa.Array) -> np.ndarray:
    """Return one uint64 per row: the value's bits, or what stands for it."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _coded_words(column)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        words = _list_words(column)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        words = _string_words(column)
    elif pa.types.is_boolean(kind):
        words = _plain(column.cast(pa.int8()).cast(pa.int64()))
    else:
        words = _plain(column)
    if column.null_count:
        absent = column.is_null().to_numpy(zero_copy_only=False)
        return np.where(absent, _NULL, words)
    return words


def _coded_words(column: pa.DictionaryArray) -> np.ndarray:
    """Return the words of a column of few texts: each text is hashed once."""
    table = _words(column.dictionary)
    if column.null_count or not len(table):
        return _words(column.dictionary_decode())
    if len(table) == 1:
        return np.broadcast_to(table, len(column))
    return table[column.indices.to_numpy()]


def _plain(column: pa.Array) -> np.ndarray:
    """Return the values' bits, 8 bytes each; those of null rows are arbitrary."""
    assert column.type.bit_width == 64, column.type
    data = column.buffers()[1]
    if data is None:
        return np.zeros(len(column), np.uint64)
    whole = np.frombuffer(data, np.uint64, count=column.offset + len(column))
    return whole[column.offset :]


def _string_words(column: pa.Array) -> np.ndarray:
    coded = column.dictionary_encode()
    table = [
        int.from_bytes(hashlib.blake2b(str(text).encode(), digest_size=8).digest(), "little")
        for text in coded.dictionary.to_pylist()
    ]
    places = pc.fill_null(coded.indices, 0).to_numpy(zero_copy_only=False)
    return np.array(table or [0], np.uint64)[places]


def _list_words(column: pa.Array) -> np.ndarray:
    """Return sum over k of mix(element k, k), mixed with the length."""
    counts = np.diff(column.offsets.to_numpy(zero_copy_only=False)).astype(np.int64)
    if column.null_count:
        counts[column.is_null().to_numpy(zero_copy_only=False)] = 0
    inner = _words(column.flatten())
    width = int(counts[0]) if len(counts) else 0
    if width and bool((counts == width).all()):
        totals = np.zeros(len(counts), np.uint64)
        for place, words in enumerate(inner.reshape(-1, width).T):
            totals += _element(words, np.uint64(place))
        return totals ^ (counts.astype(np.uint64) * _STEP)
    ends = np.cumsum(counts)
    starts = ends - counts
    places = (np.arange(len(inner)) - np.repeat(starts, counts)).astype(np.uint64)
    running = np.zeros(len(inner) + 1, np.uint64)
    np.cumsum(_element(inner, places), out=running[1:])
    return (running[ends] - running[starts]) ^ (counts.astype(np.uint64) * _STEP)


def _element(words: np.ndarray, place: np.ndarray | np.uint64) -> np.ndarray:
    mixed = (words ^ (place * _STEP)) * _FACTOR
    mixed ^= mixed >> _HALF
    mixed *= _FACTOR
    return mixed


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):  # DuckDB and Arrow do not call a list's elements by one name
        return f"list<{kind.value_type}>"
    return str(kind.value_type if pa.types.is_dictionary(kind) else kind)
