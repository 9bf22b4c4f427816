"""What is written is what is read: values, nulls, times and lists, for every table."""

import math
import struct

import numpy as np
import pytest

from qf.schema import NULL_INT
from qf.schema_tables import TABLES, bar_table, vector_table
from qf.store.arrow import batch_of
from qf.store.duck import Store
from qf.store.key_texts import enum_of, numbered
from qf.store.read import Reader
from store.tables import OPEN_TEXTS, START, STEP, TRADES, columns, fill, texts

WITH_TIME = [table for table in TABLES.values() if table.made]
EVERY = [*WITH_TIME, bar_table("dollar"), vector_table("mine", ["a", "b"])]


def bits(value):
    """Return what makes two values one: the type and every bit of a float."""
    return struct.pack("<d", value) if isinstance(value, float) else value


@pytest.mark.parametrize("table", EVERY, ids=lambda table: table.name)
def test_every_value_comes_back_as_it_was(table, tmp_path):
    made = columns(table, 300, seed=1)
    with Store(tmp_path / "q.duckdb", "p") as store:
        fill(store, table, made)
    frame = Reader(tmp_path / "q.duckdb", "p").frame(table.name)
    assert frame.columns == list(table.names) and len(frame) == 300
    for field in table.fields:
        got = frame[field.name]
        if field.name in OPEN_TEXTS:
            # rows of one seq come in the key's order, not in that of writing
            assert sorted(got.to_list()) == sorted(made[field.name])
        elif field.type == "VARCHAR":
            assert got.unique().to_list() == [texts(table)[field.name]]
        elif field.type == "TIMESTAMP_NS":
            assert got.cast(int).to_list() == made[field.name].tolist()
        elif field.type == "DOUBLE[]":
            want = np.column_stack([made[f"{field.name}_{level}"] for level in range(3)])
            for row, expected in zip(got.to_list(), want.tolist(), strict=True):
                expected = [None if math.isnan(value) else bits(value) for value in expected]
                assert [None if value is None else bits(value) for value in row] == expected
        else:
            for value, source in zip(got.to_list(), made[field.name].tolist(), strict=True):
                missing = source == NULL_INT or math.isnan(source)
                assert value is None if missing else bits(value) == bits(source)


def test_the_types_in_the_file_are_the_declared_ones_and_texts_of_keys_are_numbered(tmp_path):
    with Store(tmp_path / "q.duckdb", "p") as store:
        for table in EVERY:
            fill(store, table, columns(table, 20))
    reader = Reader(tmp_path / "q.duckdb", "p")
    for table in EVERY:
        found = reader.sql(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? "
            "ORDER BY column_index",
            [table.name],
        )
        known = {name: [text] for name, text in texts(table).items()} | {"side": ["one", "two"]}
        kinds = {name: enum_of(known[name]) for name in numbered(table)}
        assert {"venue", "symbol"} <= set(kinds)
        assert found.rows() == [(f.name, kinds.get(f.name, f.type)) for f in table.fields]


def test_every_column_of_every_table_has_a_meaning():
    for table in [*EVERY, *TABLES.values()]:
        assert table.meaning.endswith(".")
        assert set(table.key) <= set(table.names) and len(set(table.names)) == len(table.names)
        assert not table.made or {f.name: f.type for f in table.fields}[table.made] == (
            "TIMESTAMP_NS"
        )
        assert all(field.meaning for field in table.fields)


def test_a_null_is_never_a_nan(tmp_path):
    with Store(tmp_path / "q.duckdb", "p") as store:
        fill(store, TRADES, columns(TRADES, 500, seed=3))
    reader = Reader(tmp_path / "q.duckdb", "p")
    counted = reader.sql(
        "SELECT count(*) FILTER (WHERE isnan(price)) AS nan, "
        "count(*) FILTER (WHERE price IS NULL) AS empty, "
        "count(*) FILTER (WHERE list_contains(bid_price, 'nan'::DOUBLE)) AS inside "
        "FROM p_cdm.cdm_trade_enriched"
    ).row(0)
    assert counted[0] == 0 and counted[1] > 0 and counted[2] == 0


def test_frames_are_cut_by_symbol_time_and_columns(tmp_path):
    with Store(tmp_path / "q.duckdb", "p") as store:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            fill(store, TRADES, columns(TRADES, 100), symbol=symbol)
    reader = Reader(tmp_path / "q.duckdb", "p")
    frame = reader.frame(
        TRADES.name,
        columns=["symbol", "seq"],
        where={"symbol": "ETHUSDT"},
        span=(START + 10 * STEP, START + 20 * STEP),
    )
    assert frame.rows() == [("ETHUSDT", seq) for seq in range(10, 20)]
    assert len(reader.frame(TRADES.name, limit=7)) == 7


def test_arrow_columns_are_as_good_as_arrays(tmp_path):
    made = columns(TRADES, 200, seed=5)
    batch = batch_of(TRADES, made, texts(TRADES), 200)
    arrow = {name: batch.column(name) for name in TRADES.names}
    span = (START + 20 * STEP, START + 90 * STEP)
    with Store(tmp_path / "q.duckdb", "p") as store, Store(tmp_path / "r.duckdb", "p") as other:
        fill(store, TRADES, made, span)
        fill(other, TRADES, arrow, span)
        assert store.hashes() == other.hashes()
