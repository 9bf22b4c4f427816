"""A long Parquet file is made one row group a step, and is the same file however it was made."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from qf.live.meter import MOST_MS, Meter
from qf.schema_tables import TABLES
from qf.sinks.parquet import ParquetSink
from qf.sinks.sink import Outside
from qf.store.arrow import batch_of
from qf.store.live_files import GROUP_ROWS, Draft, parquet_bytes, read_rows

FEATURES = TABLES["features"]
ROWS = 3 * GROUP_ROWS + 17


def part(name, sizes):
    """Return batches of one feature's rows, gathered in pieces of these sizes."""
    batches, first = [], 0
    constants = {
        "venue": "binance_spot",
        "symbol": "BTCUSDT",
        "bar_clock": "tick_k_50",
        "feature_set": "base",
        "feature_name": name,
    }
    for size in sizes:
        ids = np.arange(first, first + size)
        value = np.where(ids % 7 == 0, np.nan, ids / 3)
        columns = {"bar_id": ids, "feature_time": ids * 1_000, "value": value, "quality": ids % 2}
        columns |= {field.name: ids for field in FEATURES.fields if field.name not in constants}
        columns["value"] = value
        batches.append(batch_of(FEATURES, columns, constants, size))
        first += size
    return batches


def test_a_step_is_a_row_group_and_the_bytes_are_the_same():
    draft = Draft(FEATURES, [part("a", [ROWS]), part("b", [5])])
    assert draft.steps == 4
    for _ in range(draft.steps):
        draft.step()
    pieces = [part("a", [1, GROUP_ROWS, 3, ROWS - GROUP_ROWS - 4]), part("b", [2, 3])]
    assert draft.finish() == draft.finish() == parquet_bytes(FEATURES, pieces)
    rows = read_rows(draft.finish())
    assert rows.num_rows == ROWS + 5
    assert rows.column("feature_name").to_pylist()[ROWS - 1 : ROWS + 1] == ["a", "b"]
    assert rows.column("value").null_count == len(range(0, ROWS, 7)) + 1
    assert pa.types.is_string(rows.column("venue").type)


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_a_file_is_finished_from_wherever_it_stands(steps):
    draft = Draft(FEATURES, [part("a", [ROWS])])
    for _ in range(steps):
        draft.step()
    assert draft.finish() == parquet_bytes(FEATURES, [part("a", [ROWS])])


class Still:
    """A clock that shows what it is told."""

    now = 0

    def monotonic_ns(self):
        return self.now


def test_the_meter_counts_every_frame_by_its_delay():
    clock = Still()
    meter = Meter(clock)
    assert meter.whole_ms() == {}
    clock.now = 1_000_000_000_000
    for delay_ms in (*[2] * 9_850, *[40] * 100, *[300] * 50):
        meter.done([(None, clock.now - delay_ms * 1_000_000 - 1)])
    assert meter.whole_ms() == {"p50": 3.0, "p95": 3.0, "p99": 41.0, "longest": 301.0}
    meter.done([(None, clock.now - 60_000_000_000)])
    assert meter.whole_ms()["longest"] == MOST_MS + 1


class Kept:
    """A disk that keeps the last bytes of every file."""

    def __init__(self):
        self.files = {}

    def write(self, path, data):
        self.files[path] = data


def gather(sink, rows):
    """Let a sink take rows of one feature."""
    names = {"bar_clock": "tick_k_50", "feature_set": "base", "feature_name": "a"}
    constants = {"venue": "binance_spot", "symbol": "BTCUSDT", **names}
    columns = {f.name: np.arange(rows) for f in FEATURES.fields if f.name not in constants}
    sink.write(FEATURES, columns, **constants)


def gathered(rows):
    """Return a disk, and a sink on it that has taken rows."""
    disk = Kept()
    sink = ParquetSink("parquet", Outside(disk, "p"), {})
    gather(sink, rows)
    return disk, sink


def test_rows_whose_file_was_not_written_are_shown_the_next_time():
    disk, sink = gathered(3)
    assert len(sink.show()) > 1  # and none of it is done: an epoch ended, or the disk failed
    assert not disk.files
    for job in sink.show():
        job()
    assert len(disk.files) == 2  # the file and the list
    disk.files.clear()
    for job in sink.show():
        job()
    assert not disk.files  # nothing has come since


def test_what_was_to_be_shown_of_an_epoch_that_has_ended_replaces_nothing():
    disk, sink = gathered(2)
    late = sink.show()
    gather(sink, 3)
    for job in sink.roll(100):
        job()
    whole = dict(disk.files)
    for job in late:
        job()
    assert disk.files == whole
