"""Rows of symbols come into a table in their order, many at a time; a row group is packed once."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from qf.errors import QuantflowError
from qf.schema_tables import TABLES
from qf.store import intake as intake_file
from qf.store import spool as spool_file
from qf.store.arrow import batch_of
from qf.store.duck import Store
from qf.store.intake import Intake
from qf.store.key_texts import texts_in
from qf.store.record import RunRecord
from qf.store.spool import BATCH_ROWS, Spool
from store.tables import TRADES, columns, texts

GROUP = 50
NO_FILE = Path("/there/is/none")


@pytest.fixture
def small(monkeypatch):
    """Let a row group be a few rows."""
    monkeypatch.setattr(spool_file, "BATCH_ROWS", GROUP)
    monkeypatch.setattr(intake_file, "AT_ONCE_ROWS", 4 * GROUP)


def batches_of(table, symbol, sizes, seed):
    """Return a symbol's rows as batches of these sizes."""
    first, made = 0, []
    for rows in sizes:
        given = columns(table, rows, seed, first)
        made.append(batch_of(table, given, texts(table, symbol=symbol), rows))
        first += rows
    return made


def shown(batches):
    """Return all rows, missing numbers by name: NaN is not itself."""
    table = pa.Table.from_batches([intake_file._even(batch) for batch in batches])
    return table.unify_dictionaries().combine_chunks().to_pylist()


class Told:
    """What an intake has inserted: the batches of every statement."""

    def __init__(self):
        self.statements = []

    def __call__(self, table, reader, texts):
        self.statements.append((table.name, list(reader)))

    def of(self, name):
        return [made for table, made in self.statements if table == name]


@pytest.mark.parametrize("name", sorted(TABLES))
def test_rows_of_any_table_come_from_memory_and_from_files_alike(tmp_path, name):
    table, told, everything = TABLES[name], Told(), []
    intake = Intake(told)
    for number in range(4):
        made = batches_of(table, f"S{number}", [5, 8], number)
        everything += made
        spool = Spool(tmp_path / f"{number}")
        spool.add(table, "binance_spot", f"S{number}", list(made))
        file = Path(spool.finish()[name])
        intake.add(table, made if number % 2 else file, 13)
    intake.finish()
    ((*inserted,),) = told.of(name)
    assert shown(inserted) == shown(everything)


@pytest.mark.parametrize("seed", range(12))
def test_rows_keep_their_order_and_come_many_at_a_time(tmp_path, small, seed):
    random, told = np.random.default_rng(seed), Told()
    intake, given = Intake(told), {"cdm_trade_enriched": [], "cdm_labels": []}
    for number in range(int(random.integers(1, 9))):
        for name, everything in given.items():
            table = TABLES[name]
            sizes = random.integers(1, 3 * GROUP, int(random.integers(0, 4))).tolist()
            made = batches_of(table, f"S{number}", sizes, seed + number)
            everything += made
            if random.random() < 0.5:
                intake.add(table, made, sum(sizes))
            elif made:
                spool = Spool(tmp_path / f"{number}")
                spool.add(table, "binance_spot", f"S{number}", list(made))
                intake.add(table, Path(spool.finish()[name]), sum(sizes))
    before = {name: len(told.of(name)) for name in given}
    intake.finish()
    for name, everything in given.items():
        statements = told.of(name)
        got = [batch for made in statements for batch in made]
        rows = sum(batch.num_rows for batch in everything)
        assert sum(batch.num_rows for batch in got) == rows
        if rows:
            assert shown(got) == shown(everything)
        sizes = [sum(batch.num_rows for batch in made) for made in statements]
        assert all(size >= 4 * GROUP for size in sizes[: before[name]])
        assert before[name] >= (rows >= 4 * GROUP)  # some did not wait for the end
        assert len(statements) <= before[name] + 1
    intake.finish()
    assert len(told.statements) == sum(len(told.of(name)) for name in given)


def test_nothing_given_makes_no_statement(small):
    told = Told()
    intake = Intake(told)
    intake.add(TRADES, NO_FILE, 0)  # one that is kept, of which nothing is to be read
    intake.finish()
    assert not intake.catch_up()
    assert told.statements == []


def test_the_symbols_of_a_group_may_be_more_than_a_byte_numbers(small):
    told = Told()
    intake = Intake(told)
    for number in range(200):
        (batch,) = batches_of(TRADES, f"S{number}", [2], number)
        assert batch.column("symbol").type.index_type == pa.int8()
        intake.add(TRADES, [batch], 2)
    intake.finish()
    symbols = [row["symbol"] for _, made in told.statements for row in shown(made)]
    assert symbols == [f"S{number}" for number in range(200) for _ in range(2)]


def spool_of(folder, batches):
    """Return the file of some batches."""
    spool = Spool(folder)
    spool.add(TRADES, "binance_spot", "S", list(batches))
    return Path(spool.finish()[TRADES.name])


def test_what_waits_in_memory_is_bounded(tmp_path, small, monkeypatch):
    """The table that holds the most goes first; what waits in files takes no room."""
    few, many, told = TABLES["cdm_labels"], TRADES, Told()
    little, much = (batches_of(each, "S", [5], 1) for each in (few, many))
    monkeypatch.setattr(intake_file, "HELD_BYTES", little[0].nbytes + 3 * much[0].nbytes)
    intake = Intake(told)
    intake.add(few, little, 5)
    for place in range(8):
        intake.add(many, much, 5)
        intake.add(many, spool_of(tmp_path / f"{place}", much), 5)
        assert len(told.of(many.name)) == (place + 1) // 4 and not told.of(few.name)
    intake.finish()
    for table, given in ((few, little), (many, much * 16)):
        got = [batch for made in told.of(table.name) for batch in made]
        assert shown(got) == shown(given)


def test_rows_that_are_enough_need_not_wait_and_no_room(small, monkeypatch):
    given = batches_of(TRADES, "S", [4 * GROUP + 1], 1)
    monkeypatch.setattr(intake_file, "HELD_BYTES", 0)
    told = Told()
    intake = Intake(told)
    for _ in range(3):
        intake.add(TRADES, given, 4 * GROUP + 1)
        assert not intake._waiting
    intake.finish()
    got = [batch for made in told.of(TRADES.name) for batch in made]
    assert len(told.statements) == 3 and shown(got) == shown([*given] * 3)


def test_where_there_is_time_the_table_with_the_most_rows_goes_first(small, monkeypatch):
    monkeypatch.setattr(intake_file, "WORTH_ROWS", GROUP // 5)
    labels, told = TABLES["cdm_labels"], Told()
    intake = Intake(told)
    sizes = {TRADES: GROUP // 4, labels: GROUP // 2, TABLES["features"]: GROUP // 10}
    for table, rows in sizes.items():
        intake.add(table, batches_of(table, "S", [rows], 1), rows)
    assert [intake.catch_up() for _ in range(4)] == [True, True, False, False]
    assert [name for name, _ in told.statements] == [labels.name, TRADES.name]
    intake.finish()  # few rows only now
    assert [name for name, _ in told.statements[2:]] == ["features"]


def test_rows_in_memory_go_as_they_are(small):
    """No column of texts is numbered anew where all are numbered alike already."""
    told, made = Told(), batches_of(TRADES, "S", [5, 8], 1)
    intake = Intake(told)
    intake.add(TRADES, made, 13)
    intake.finish()
    ((one, other),) = told.of(TRADES.name)
    assert one.schema == made[0].schema and one.schema.field("symbol").type.index_type == pa.int8()
    assert shown([one, other]) == shown(made)
    intake.add(TRADES, made[:1], 5)
    intake.add(TRADES, [intake_file._even(made[1])], 8)  # as from a file
    intake.finish()
    assert shown(told.of(TRADES.name)[1]) == shown(made)
    assert len({batch.schema for batch in told.of(TRADES.name)[1]}) == 1


def test_a_batch_of_wide_rows_is_no_larger_than_what_is_allowed(tmp_path, small, monkeypatch):
    given = batches_of(TRADES, "S", [GROUP - 7] * 6, 1)
    allowed = sum(batch.nbytes for batch in given) // 40
    monkeypatch.setattr(spool_file, "BATCH_BYTES", allowed)
    told = Told()
    intake = Intake(told)
    intake.add(TRADES, spool_of(tmp_path, given), 6 * (GROUP - 7))
    intake.finish()
    got = [batch for _, made in told.statements for batch in made]
    assert max(batch.nbytes for batch in got) < 2 * allowed
    assert shown(got) == shown(given)


def test_a_change_has_everything_in_its_tables_when_it_ends(tmp_path):
    """Real row groups: what waits is there after the transaction, and not before."""
    rows, counts = BATCH_ROWS // 3, {}
    with Store(tmp_path / "q.duckdb", "p") as store:
        with store.change(RunRecord("r1")) as change:
            for number in range(5):
                where = ("binance_spot", f"S{number}")
                change.prepare([TRADES], *where)
                batches = batches_of(TRADES, where[1], [rows], number)
                spool = Spool(tmp_path / f"spool{number}")
                spool.add(TRADES, *where, list(batches))
                file = spool.finish()[TRADES.name]
                change.take(TRADES, where, batches if number else Path(file), rows)
                counts[number] = change.rows_of([TRADES], *where)[TRADES.name]
        assert counts[0] == 0  # it waited
        found = store.counts_by(TRADES.name, "symbol")
    assert found == {f"S{number}": rows for number in range(5)}


def groups_in(store, table):
    """Return the rows of each row group of a table, and how many bytes of the file are free."""
    place = f"p_{table.area}.{table.name}"
    groups = store._connection.execute(
        "SELECT sum(count)::BIGINT FROM pragma_storage_info(?) WHERE column_name = 'value' "
        "AND segment_type <> 'VALIDITY' GROUP BY row_group_id ORDER BY row_group_id",
        [place],
    ).fetchall()
    free = store._connection.execute("SELECT free_blocks * block_size FROM pragma_database_size()")
    return [rows for (rows,) in groups], free.fetchall()[0][0]


@pytest.mark.parametrize("how", ["as they come", "from files"])
def test_a_row_group_is_packed_once(tmp_path, monkeypatch, how):
    """One that a statement leaves half would be packed again, with its neighbours, at the end."""
    table, rows = TABLES["features"], BATCH_ROWS * 3 // 2 + 7
    monkeypatch.setattr(intake_file, "HELD_BYTES", 1)  # every batch is a statement
    with Store(tmp_path / "q.duckdb", "p") as store:
        with store.change(RunRecord("r1")) as change:
            where = ("binance_spot", "BTCUSDT")
            change.prepare([table], *where)
            for number in range(3):
                made = columns(table, rows, 1, number * rows)
                if how == "as they come":
                    change.writer.write(table, made, **texts(table))
                    continue
                spool = Spool(tmp_path / f"spool{number}")
                spool.add(table, *where, [batch_of(table, made, texts(table), rows)])
                change.take(table, where, Path(spool.finish()[table.name]), rows)
        groups, free = groups_in(store, table)
    left = 3 * rows % BATCH_ROWS
    assert groups == [BATCH_ROWS] * (3 * rows // BATCH_ROWS) + [left]
    assert free < (tmp_path / "q.duckdb").stat().st_size / 4


def test_rows_that_cannot_be_inserted_say_why(tmp_path):
    batches = batches_of(TRADES, "S0", [5, 5], 1)
    other = batches[1].drop_columns(["price"])
    with (
        Store(tmp_path / "q.duckdb", "p") as store,
        pytest.raises(QuantflowError, match="columns where"),
        store.change(RunRecord("r1")) as change,
    ):
        change.prepare([TRADES], "binance_spot", "S0")
        reader = pa.RecordBatchReader.from_batches(batches[0].schema, iter([batches[0], other]))
        change.writer.insert(TRADES, reader, texts_in(TRADES, batches))
