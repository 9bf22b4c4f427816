"""Texts of keys are numbers in the file, and nobody who reads or writes has to know."""

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qf.schema_records import RECORDS
from qf.schema_tables import TABLES, bar_table
from qf.store import catalog, key_texts
from qf.store import spool as spool_file
from qf.store.arrow import batch_of, schema_of
from qf.store.duck import Store
from qf.store.hashing import hash_batches
from qf.store.key_texts import numbered
from qf.store.read import Reader
from qf.store.record import RunRecord
from qf.store.spool import Spool, key_columns
from store.tables import TRADES, columns, fill, texts

BARS, FEATURES = bar_table("dollar"), TABLES["features"]
VENUE = "binance_spot"


def kinds(store, table):
    return catalog.shapes(store._connection, "p")[f"p_{table.area}", table.name]


def types_made(monkeypatch):
    """Return the list that the texts of every column type made from now on come into."""
    made, make = [], key_texts.enum_of
    monkeypatch.setattr(key_texts, "enum_of", lambda texts: made.append(texts) or make(texts))
    return made


def test_results_have_numbered_keys_and_records_have_none():
    assert numbered(FEATURES) == ("venue", "symbol", "bar_clock", "feature_set", "feature_name")
    assert numbered(TRADES) == ("venue", "symbol")
    assert [numbered(TABLES[name]) for name in RECORDS] == [()] * len(RECORDS)


def test_a_table_without_rows_holds_text():
    with Store(":memory:", "p") as store:
        with store.rewrite([TRADES], [(VENUE, "BTCUSDT")]):
            pass
        assert kinds(store, TRADES)["symbol"] == "VARCHAR"
        assert store.names() == (TRADES.name,) and not store.notes


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=3), max_size=4))
def test_whatever_texts_come_and_in_whatever_order(runs):
    """Quotes, commas, any letter: each row has its own text, and sorting is that of texts."""
    runs = [[text for text in run if "\0" not in text] for run in runs]
    with Store(":memory:", "p") as store:
        come: dict[str, int] = {}
        for number, run in enumerate(runs):
            pairs = [(VENUE, symbol) for symbol in dict.fromkeys(run)]
            with store.rewrite([BARS], pairs) as writer:
                for _, symbol in pairs:
                    come[symbol] = number + 1
                    made = columns(BARS, number + 1)
                    writer.write(BARS, made, **texts(BARS, symbol=symbol, bar_clock=symbol[::-1]))
        if not come:
            return
        place = catalog.place_of(store._connection, "p", BARS.name)
        read = store._connection.execute(
            f"SELECT symbol, bar_clock, count(*) FROM {place} GROUP BY ALL ORDER BY symbol"
        ).fetchall()
        assert read == [(text, text[::-1], come[text]) for text in sorted(come)]
        kind = kinds(store, BARS)["symbol"]
        assert key_texts.texts_of(kind) == set(come) and not store.notes


def test_rows_hash_as_those_of_text_do(tmp_path):
    made = columns(FEATURES, 40)
    plain = [
        pa.array([texts(FEATURES)[field.name]] * 40) if field.name in numbered(FEATURES) else column
        for field, column in zip(
            FEATURES.fields, batch_of(FEATURES, made, texts(FEATURES), 40).columns, strict=True
        )
    ]
    schema = schema_of(FEATURES)
    rows = pa.RecordBatch.from_arrays(plain, schema=schema)
    with Store(tmp_path / "q.duckdb", "p") as store:
        fill(store, FEATURES, made)
        assert key_texts.is_enum(kinds(store, FEATURES)["feature_name"])
        assert store.hash(FEATURES.name) == hash_batches(schema, [rows])


def test_a_file_of_texts_is_taken_over_with_its_rows(tmp_path):
    """As it was before: VARCHAR everywhere."""
    path = tmp_path / "q.duckdb"
    with Store(path, "p") as store:
        fill(store, BARS, columns(BARS, 9), symbol="ETHUSDT")
        before = store.hashes()
        for name in numbered(BARS):
            place = catalog.place_of(store._connection, "p", BARS.name)
            store._connection.execute(f"ALTER TABLE {place} ALTER {name} TYPE VARCHAR")
        assert store.hashes() == before
    with Store(path, "p") as store:
        fill(store, BARS, columns(BARS, 5), symbol="BTCUSDT")
        assert not store.notes
        assert store.counts_by(BARS.name, "symbol") == {"BTCUSDT": 5, "ETHUSDT": 9}
        assert kinds(store, BARS)["symbol"] == "ENUM('BTCUSDT', 'ETHUSDT')"
        fill(store, BARS, columns(BARS, 0), symbol="BTCUSDT")
        assert store.hashes() == before


def test_a_column_that_is_no_key_must_have_its_own_type():
    """Whoever made it an ENUM: a text that this one lacks could not come."""
    instruments = TABLES["instruments"]
    with Store(":memory:", "p") as store:
        fill(store, instruments, columns(instruments, 1))
        place = catalog.place_of(store._connection, "p", instruments.name)
        store._connection.execute(f"ALTER TABLE {place} ALTER base TYPE ENUM('some_base')")
        fill(store, instruments, columns(instruments, 1), symbol="ETHUSDT")
        assert store.notes == [
            "instruments was made anew (its columns changed): what it held is gone"
        ]
        assert store.counts_by(instruments.name, "symbol") == {"ETHUSDT": 1}


def test_what_a_run_says_will_come_makes_no_column_anew(monkeypatch):
    symbols = [(VENUE, f"S{number}") for number in range(7)]
    with Store(":memory:", "p") as store:
        made = types_made(monkeypatch)
        with store.change(RunRecord("r1"), None, symbols) as change:
            for venue, symbol in symbols:
                change.prepare([TRADES], venue, symbol)
                change.writer.write(TRADES, columns(TRADES, 3), venue=venue, symbol=symbol)
        assert made == [[VENUE], [symbol for _, symbol in symbols]]
        with store.change(RunRecord("r2")) as change:  # and who says nothing is served all the same
            change.prepare([TRADES], VENUE, "other")
            change.writer.write(TRADES, columns(TRADES, 3), venue=VENUE, symbol="other")
        assert len(made) == 3
        assert store.counts_by(TRADES.name, "symbol") == {f"S{n}": 3 for n in range(7)} | {
            "other": 3
        }


def test_a_transaction_that_fails_leaves_the_types_too():
    with Store(":memory:", "p") as store:
        fill(store, BARS, columns(BARS, 9))
        before = store.hashes(), kinds(store, BARS)
        with (
            pytest.raises(KeyboardInterrupt),
            store.rewrite([BARS], [(VENUE, "ETHUSDT")]) as writer,
        ):
            writer.write(BARS, columns(BARS, 4), **texts(BARS, symbol="ETHUSDT"))
            writer.finish()
            assert "ETHUSDT" in kinds(store, BARS)["symbol"]
            raise KeyboardInterrupt
        assert (store.hashes(), kinds(store, BARS)) == before
        fill(store, BARS, columns(BARS, 4), symbol="ETHUSDT")
        assert store.counts_by(BARS.name, "symbol") == {"BTCUSDT": 9, "ETHUSDT": 4}


def test_readers_and_files_show_text(tmp_path):
    with Store(tmp_path / "q.duckdb", "p") as store:
        for symbol in ("ETHUSDT", "BTCUSDT"):
            fill(store, BARS, columns(BARS, 3), symbol=symbol)
            fill(store, TRADES, columns(TRADES, 3), symbol=symbol)
        (*files,) = store.export_parquet(tmp_path / "parquet")
    assert files
    for file in files:
        assert pl.read_parquet_schema(file)["symbol"] == pl.String
        assert pq.read_schema(file).field("venue").type == pa.string()
    reader = Reader(tmp_path / "q.duckdb", "p")
    assert reader.frame(BARS.name)["symbol"].to_list() == ["BTCUSDT"] * 3 + ["ETHUSDT"] * 3
    frame = reader.sql(
        "SELECT symbol, [symbol] AS listed, {a: [symbol], b: 1} AS held, count(*) AS n "
        "FROM p_cdm.cdm_dollar_bars GROUP BY ALL ORDER BY symbol"
    )
    assert frame["symbol"].dtype == pl.String and frame["listed"].dtype == pl.List(pl.String)
    assert frame["listed"].to_list() == [["BTCUSDT"], ["ETHUSDT"]]
    assert frame["held"].dtype == pl.Struct({"a": pl.List(pl.String), "b": pl.Int32})
    assert frame["held"].to_list()[1] == {"a": ["ETHUSDT"], "b": 1}


def test_tables_whose_columns_know_other_texts_are_compared_as_texts(tmp_path):
    with Store(tmp_path / "q.duckdb", "p") as store:
        for symbol in ("A", "B", "C"):
            fill(store, BARS, columns(BARS, 2), symbol=symbol)
        for symbol in ("C", "D"):
            fill(store, TRADES, columns(TRADES, 5), symbol=symbol)
    found = Reader(tmp_path / "q.duckdb", "p").sql(
        "SELECT b.symbol, count(*) FROM p_cdm.cdm_dollar_bars b JOIN p_cdm.cdm_trade_enriched t "
        "USING (symbol) WHERE b.symbol <> ? GROUP BY ALL",
        ["NOBODY"],
    )
    assert found.rows() == [("C", 10)]


def test_nulls_are_no_text_of_their_neighbours():
    """A key has none; were one given, no row may get another's text."""
    batch = batch_of(TRADES, columns(TRADES, 3), texts(TRADES), 3)
    indices = pa.array(np.array([0, 0, 0], np.int8), mask=np.array([False, True, False]))
    gap = pa.DictionaryArray.from_arrays(indices, pa.array(["BTCUSDT"]))
    batch = batch.set_column(1, "symbol", gap)
    assert key_texts.texts_in(TRADES, [batch])["symbol"] == {"BTCUSDT", None}
    with Store(":memory:", "p") as store:
        with store.rewrite([TRADES], [(VENUE, "BTCUSDT")]) as writer:
            writer.put(TRADES, [batch])
        assert store.counts_by(TRADES.name, "symbol") == {"BTCUSDT": 2, None: 1}


def test_a_file_says_which_texts_its_rows_have(tmp_path, monkeypatch):
    monkeypatch.setattr(spool_file, "BATCH_ROWS", 3)  # so that it is read in pieces
    spool = Spool(tmp_path)
    names = [f"f{number}" for number in range(5)]
    for name in names:
        made = batch_of(FEATURES, columns(FEATURES, 4), texts(FEATURES, feature_name=name), 4)
        spool.add(FEATURES, VENUE, "BTCUSDT", [made])
    (file,) = spool.finish().values()
    found = key_texts.texts_in(FEATURES, key_columns(FEATURES, file))
    assert found["feature_name"] == set(names) and found["symbol"] == {"BTCUSDT"}
    both = pa.DictionaryArray.from_arrays(pa.array([1, 0, 1, 1]), pa.array(["one", "two"]))
    mixed = made.set_column(FEATURES.names.index("feature_set"), "feature_set", both)
    assert key_texts.texts_in(FEATURES, [mixed, made])["feature_set"] == {
        "one", "two", "some_feature_set"
    }  # fmt: skip
    assert not key_texts.one_text(found["feature_name"])
    assert key_texts.one_text(found["symbol"]) == "'BTCUSDT'"


def test_the_file_is_what_other_programs_expect(tmp_path):
    """Plain DuckDB compares, matches and joins the texts like any other."""
    with Store(tmp_path / "q.duckdb", "p") as store:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            fill(store, TRADES, columns(TRADES, 3), symbol=symbol)
    with duckdb.connect(tmp_path / "q.duckdb", read_only=True) as plain:
        for where in ("symbol = 'BTCUSDT'", "symbol LIKE 'BTC%'", "symbol IN ('BTCUSDT', 'X')"):
            query = (
                f"SELECT count(*), any_value(symbol) FROM p_cdm.cdm_trade_enriched WHERE {where}"
            )
            assert plain.execute(query).fetchall() == [(3, "BTCUSDT")]
        missing = "SELECT count(*) FROM p_cdm.cdm_trade_enriched WHERE symbol = 'NOBODY'"
        assert plain.execute(missing).fetchall() == [(0,)]
