"""A range is rewritten: its rows are replaced, no other row changes, no row is there twice."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qf.errors import QuantflowError
from qf.schema import NULL_INT
from qf.schema_tables import TABLES, bar_table, vector_table
from qf.store.duck import Store
from qf.store.read import Reader
from qf.store.record import RunRecord
from store.tables import START, STEP, TRADES, columns, fill, texts


def at(row):
    return START + STEP * row


@settings(max_examples=8)
@given(st.data())
def test_rewriting_any_range_with_the_same_rows_changes_nothing(data):
    """The writer is given everything; what lies outside the range it must drop."""
    rows = data.draw(st.integers(1, 60))
    low = data.draw(st.integers(-3, rows + 3))
    high = data.draw(st.integers(low, rows + 6))
    with Store(":memory:", "p") as store:
        fill(store, TRADES, columns(TRADES, rows))
        before = store.hash(TRADES.name)
        fill(store, TRADES, columns(TRADES, rows), span=(at(low), at(high)))
        assert store.hash(TRADES.name) == before


@settings(max_examples=8)
@given(st.lists(st.integers(0, 200), max_size=4), st.integers(1, 200))
def test_any_cut_of_the_range_gives_the_same_table(cuts, rows):
    made = columns(TRADES, rows)
    edges = [None, *(at(cut) for cut in sorted(cuts)), None]
    with Store(":memory:", "whole") as whole, Store(":memory:", "p") as parts:
        fill(whole, TRADES, made)
        for start, end in pairwise(edges):
            fill(parts, TRADES, made, span=(start, end))
        assert parts.hash(TRADES.name) == whole.hash(TRADES.name)


def test_only_the_rows_of_the_range_change(tmp_path):
    with Store(tmp_path / "q.duckdb", "p") as store:
        fill(store, TRADES, columns(TRADES, 100, seed=1))
        fill(store, TRADES, columns(TRADES, 100, seed=1), symbol="ETHUSDT")
        fill(store, TRADES, columns(TRADES, 100, seed=2), span=(at(30), at(60)))
        with Store(":memory:", "p") as expected:
            mixed = {
                name: np.where((np.arange(100) >= 30) & (np.arange(100) < 60), new, old)
                for (name, new), old in zip(
                    columns(TRADES, 100, seed=2).items(),
                    columns(TRADES, 100, seed=1).values(),
                    strict=True,
                )
            }
            fill(expected, TRADES, mixed)
            fill(expected, TRADES, columns(TRADES, 100, seed=1), symbol="ETHUSDT")
            assert store.hash(TRADES.name) == expected.hash(TRADES.name)


def test_fewer_rows_than_before_leave_none_of_the_old(tmp_path):
    with Store(tmp_path / "q.duckdb", "p") as store:
        fill(store, TRADES, columns(TRADES, 50))
        fill(store, TRADES, columns(TRADES, 20), span=(at(0), at(50)))
    assert Reader(tmp_path / "q.duckdb", "p").tables()[TRADES.name] == 20


def test_only_narrows_what_is_replaced():
    labels = TABLES["cdm_labels"]
    with Store(":memory:", "p") as store:
        for name in ("up", "down"):
            symbols = [("binance_spot", "BTCUSDT")]
            with store.rewrite([labels], symbols, only={"label_name": [name]}) as writer:
                writer.write(labels, columns(labels, 10), **texts(labels, label_name=name))
        with store.rewrite([labels], symbols, only={"label_name": ["up"]}) as writer:
            writer.write(labels, columns(labels, 4), **texts(labels, label_name="up"))
        counts = store.counts_by(labels.name, "label_name")
    assert counts == {"up": 4, "down": 10}


def test_writing_a_row_twice_is_refused():
    symbols = [("binance_spot", "BTCUSDT")]
    with Store(":memory:", "p") as store:
        made = columns(TRADES, 10)
        with (
            pytest.raises(QuantflowError, match=r"QF623.*seq 0 comes after 9"),
            store.rewrite([TRADES], symbols) as writer,
        ):
            writer.write(TRADES, made, **texts(TRADES))
            writer.write(TRADES, made, **texts(TRADES))
        made["seq"][5] = made["seq"][4]
        with pytest.raises(QuantflowError, match=r"QF623.*seq 4 comes after 4"):
            fill(store, TRADES, made)
        assert store.names() == ()


def test_a_wrong_call_names_what_is_wrong():
    symbols = [("binance_spot", "BTCUSDT")]
    made = columns(TRADES, 10)
    cases = {
        "QF620.*'mid'": {name: made[name] for name in made if name != "mid"},
        "QF620.*'ofi_0'": {name: made[name] for name in made if not name.startswith("ofi")},
        "QF621.*'mid' has 3 rows": {**made, "mid": made["mid"][:3]},
    }
    with Store(":memory:", "p") as store:
        for message, columns_given in cases.items():
            with (
                pytest.raises(QuantflowError, match=message),
                store.rewrite([TRADES], symbols) as writer,
            ):
                writer.write(TRADES, columns_given, **texts(TRADES))
        with (
            pytest.raises(QuantflowError, match="QF622"),
            store.rewrite([TRADES], symbols) as writer,
        ):
            writer.write(bar_table("dollar"), {}, venue="v", symbol="s", bar_clock="c")
        with (
            pytest.raises(QuantflowError, match=r"QF624.*binance_spot ETHUSDT"),
            store.rewrite([TRADES], symbols) as writer,
        ):
            writer.write(TRADES, made, **texts(TRADES, symbol="ETHUSDT"))


def test_a_row_that_nobody_knows_when_it_was_made_is_refused():
    made = columns(TRADES, 10)
    made["processed_time"][4] = NULL_INT
    with Store(":memory:", "p") as store, pytest.raises(QuantflowError, match="QF625"):
        fill(store, TRADES, made)


def test_batches_of_many_constants_keep_their_names():
    """Arrow dictionaries differ from batch to batch: each row must keep its own text."""
    features = TABLES["features"]
    names = [f"feature_{place}" for place in range(15)]
    with Store(":memory:", "p") as store:
        with store.rewrite([features], [("binance_spot", "BTCUSDT")]) as writer:
            for first in range(0, 50, 10):
                for count, name in enumerate(names, 1):
                    made = columns(features, min(count, 10), first=first)
                    writer.write(features, made, **texts(features, feature_name=name))
        counts = store.counts_by(features.name, "feature_name")
    assert counts == {name: 5 * min(count, 10) for count, name in enumerate(names, 1)}


def test_a_table_whose_columns_changed_is_made_anew_and_said_so():
    old, new = vector_table("mine", ["a", "b"]), vector_table("mine", ["a", "c"])
    with Store(":memory:", "p") as store:
        fill(store, old, columns(old, 10))
        fill(store, new, columns(new, 4))
        assert store.notes == [
            "feature_vectors_mine was made anew (without b, b_age_ms and with c, c_age_ms): "
            "what it held is gone"
        ]
        assert store.counts_by(new.name, "symbol") == {"BTCUSDT": 4}


def test_feature_vectors_is_a_view_while_there_is_one_set(tmp_path):
    path = tmp_path / "q.duckdb"
    first, second = vector_table("one", ["a"]), vector_table("two", ["a"])
    query = "SELECT count(*) FROM p_feature.feature_vectors"
    with Store(path, "p") as store:
        fill(store, first, columns(first, 10))
    assert Reader(path, "p").sql(query).item() == 10
    with Store(path, "p") as store:
        fill(store, second, columns(second, 3))
    with pytest.raises(QuantflowError, match="QF604"):
        Reader(path, "p").sql(query)


def test_qf_runs_says_which_run_wrote_what(tmp_path):
    bars = bar_table("dollar")
    run = RunRecord("r1", "plan", "definitions", {"a.gz": "12"}, {"qf": "0"}, created=START)
    symbols = [("binance_spot", "BTCUSDT"), ("binance_spot", "ETHUSDT")]
    with Store(tmp_path / "q.duckdb", "p") as store:
        for _ in range(2):
            with store.rewrite([TRADES, bars], symbols, (at(0), None), run) as writer:
                writer.write(TRADES, columns(TRADES, 10), **texts(TRADES))
                writer.write(bars, columns(bars, 4), **texts(bars))
                assert writer.counts == {TRADES.name: 10, bars.name: 4}
    rows = Reader(tmp_path / "q.duckdb", "p").frame("qf_runs")
    found = {(row["table_name"], row["symbol"]): row for row in rows.to_dicts()}
    assert len(rows) == len(found) == 4
    assert found[(TRADES.name, "BTCUSDT")]["row_count"] == 10
    assert found[(bars.name, "ETHUSDT")]["row_count"] == 0
    row = found[(bars.name, "BTCUSDT")]
    assert (row["plan_hash"], row["input_hashes"], row["end_time"]) == (
        "plan",
        '{"a.gz": "12"}',
        None,
    )
