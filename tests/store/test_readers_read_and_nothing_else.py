"""What a reader gives: sets wide and long, vectors with labels; and what its queries cannot do."""

import polars as pl
import pytest

from qf.errors import QuantflowError
from qf.schema_tables import TABLES, bar_table, vector_table
from qf.store.connect import quoted
from qf.store.duck import Store
from qf.store.read import Reader
from store.tables import START, STEP, columns, fill, texts

CLOCK = "dollar_k_50000"


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """Give a reader of a small project: two clocks, two features, two labels."""
    path = tmp_path_factory.mktemp("store") / "q.duckdb"
    bars, features, labels = bar_table("dollar"), TABLES["features"], TABLES["cdm_labels"]
    vectors = vector_table("mine", ["fast", "slow"])
    symbols = [("binance_spot", "BTCUSDT")]
    with Store(path, "p") as store:
        tables = [bars, features, labels, vectors]
        with store.rewrite(tables, symbols) as writer:
            for clock, rows in ((CLOCK, 40), ("dollar_k_9", 80)):
                writer.write(bars, columns(bars, rows), **texts(bars, bar_clock=clock))
            for name, clock in (("fast", CLOCK), ("slow", "dollar_k_9")):
                rows = columns(features, 40)
                named = texts(features, bar_clock=clock, feature_set="mine", feature_name=name)
                writer.write(features, rows, **named)
            for name, rows in (("up", 30), ("down", 20)):
                named = texts(labels, bar_clock=CLOCK, label_name=name)
                writer.write(labels, columns(labels, rows, seed=rows), **named)
            named = texts(labels, bar_clock="dollar_k_9", label_name="elsewhere")
            writer.write(labels, columns(labels, 5), **named)
            writer.write(vectors, columns(vectors, 40), **texts(vectors, bar_clock=CLOCK))
    return Reader(path, "p")


def test_bars_come_by_clock(reader):
    assert reader.bars(CLOCK).collect()["bar_id"].to_list() == list(range(40))
    with pytest.raises(QuantflowError, match="QF606") as refused:
        reader.bars("dollar_k_5000")
    assert refused.value.near[0] == CLOCK


def test_features_come_long_and_wide(reader):
    long = reader.features("mine").collect()
    wide = reader.features("mine", form="wide").collect()
    assert len(long) == 80 and len(wide) == 80
    for name, clock in (("fast", CLOCK), ("slow", "dollar_k_9")):
        own = long.filter(pl.col("feature_name") == name)["value"]
        rows = wide.filter(pl.col("bar_clock") == clock).sort("bar_id")
        assert rows[name].equals(own, null_equal=True, check_names=False)
    with pytest.raises(QuantflowError, match="QF606 the set 'min'"):
        reader.features("min")


def test_labels_join_the_vectors_one_to_one(reader):
    table = reader.training_set("mine", ["up", "down"]).collect()
    assert table["bar_id"].to_list() == list(range(20))
    labels = reader.labels(["up"]).collect()
    assert table["up"].equals(labels["label"].head(20), null_equal=True, check_names=False)
    assert {"up_end", "up_ret", "down_cost", "down_weight", "fast_age_ms"} <= set(table.columns)
    assert table["up_quality"].equals(labels["quality"].head(20), check_names=False)
    assert table["quality"].equals(reader.vectors("mine").collect()["quality"].head(20))
    with pytest.raises(QuantflowError, match="QF606"):
        reader.training_set("mine", ["upp"])
    with pytest.raises(QuantflowError, match=f"QF607.*'elsewhere'.*{CLOCK}"):
        reader.training_set("mine", ["elsewhere"])


def test_the_summary_gives_rows_and_times(reader):
    found = {row["table"]: row for row in reader.summary().to_dicts()}
    assert found["cdm_dollar_bars"]["rows"] == 120
    times = reader.summary().filter(pl.col("table") == "features").select("first", "last")
    assert times.cast(pl.Int64).row(0) == (START, START + 39 * STEP)
    assert Reader(reader.path, "another").summary().is_empty()


def test_times_are_naive_nanoseconds(reader):
    assert reader.vectors("mine").collect_schema()["feature_time"] == pl.Datetime("ns")


@pytest.mark.parametrize(
    "query",
    [
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "SELECT * FROM read_csv('/etc/hostname')",
        "SELECT * FROM '{folder}/q.duckdb'",
        "ATTACH '{folder}/other.duckdb' AS other",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '1GB'",
        "DROP TABLE p_cdm.cdm_labels",
        "DELETE FROM p_cdm.cdm_labels",
        "CREATE TABLE p_cdm.t (x INTEGER)",
        "EXPORT DATABASE '{folder}/out'",
        "SELECT getenv('HOME')",
        "SELEC 1",
        "SELECT * FROM nowhere",
    ],
)
def test_a_query_reads_these_tables_and_does_nothing_else(reader, query):
    folder = reader.path.parent
    before = sorted(folder.iterdir())
    with pytest.raises(QuantflowError, match="QF604"):
        reader.sql(query.format(folder=folder))
    assert sorted(folder.iterdir()) == before


def test_values_are_bound_not_pasted(reader):
    text = "x' OR 1=1 --"
    query = "SELECT count(*) FROM p_cdm.cdm_labels WHERE label_name = ?"
    assert reader.sql(query, [text]).item() == 0
    assert reader.sql(query, ["up"]).item() == 30


@pytest.mark.parametrize("name", ["", 'a"b', "a b", "a;b", "a.b", "1a", "ä", "a\n", "x" * 64, None])
def test_no_name_reaches_sql_unless_it_is_an_identifier(name):
    with pytest.raises(QuantflowError, match="QF600"):
        quoted(name)
    with pytest.raises(QuantflowError, match="QF600"):
        bar_table(name)
    with pytest.raises(QuantflowError, match="QF600"):
        vector_table("s", [name])
    with pytest.raises(QuantflowError, match="QF600"):
        Store(":memory:", name)


@pytest.mark.parametrize("names", [("a", "A"), ("a", "a_age_ms"), ("quality",), ("Symbol",)])
def test_a_feature_cannot_take_the_name_of_another_column(names):
    with pytest.raises(QuantflowError, match="QF608"):
        vector_table("mine", names)


def test_an_unknown_table_or_column_has_near_names(reader):
    with pytest.raises(QuantflowError, match="QF605") as refused:
        reader.frame("cdm_dollar_bar")
    assert refused.value.near[0] == "cdm_dollar_bars"
    with pytest.raises(QuantflowError, match="QF606") as refused:
        reader.frame("cdm_dollar_bars", columns=["volumes"])
    assert refused.value.near[0] == "volume"


def test_exported_files_hold_what_the_tables_hold(reader, tmp_path):
    with Store(reader.path, "p") as store:
        written = store.export_parquet(tmp_path)
        names = store.names()
    assert sorted(path.parent.name for path in written) == sorted(names)
    assert sorted(path.name for path in tmp_path.rglob("*.parquet")) == sorted(
        path.name for path in written
    )
    for path in written:
        direct = reader.frame(path.parent.name)
        assert pl.read_parquet(path).equals(direct, null_equal=True)
    fill_again = columns(bar_table("dollar"), 3)
    with Store(reader.path.with_name("other.duckdb"), "p") as store:
        fill(store, bar_table("dollar"), fill_again)
        (path,) = store.export_parquet(tmp_path)
    assert len(pl.read_parquet(path)) == 3
    assert list(tmp_path.rglob("*.parquet")) == [path]
