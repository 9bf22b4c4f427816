"""Rows of a thread go to the owner in memory: in order, bounded, and nobody waits for ever."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from qf.engines.executors import local
from qf.engines.row_stream import Room, RowStream, Stopped
from qf.engines.symbol_work import Intent, SymbolWork
from qf.errors import QuantflowError
from qf.store import intake as intake_file
from qf.store.change import Change
from qf.store.writer import Writer
from tests.executors import projects
from tests.executors.conftest import story
from tests.executors.test_tables_do_not_depend_on_who_computes import same

SECONDS = 20  # after which a thread that should go on counts as hanging
BATCH = pa.record_batch({"x": pa.array([1, 2, 3])})


def never():
    """Do no other work."""
    return False


def numbered(number):
    """Return a batch that can be told from others."""
    return pa.record_batch({"x": pa.array([number])})


@pytest.fixture
def threads():
    """Run functions in threads; whatever they raise is raised by `result`."""
    with ThreadPoolExecutor(8) as pool:
        yield pool.submit


@pytest.mark.parametrize("most", [0, 8, 40, 10_000])
def test_rows_keep_their_order_however_little_room_there_is(threads, most):
    """Three symbols made by two threads, as the executor gives them out, taken one by one."""
    room = Room(most)
    streams = [RowStream(room) for _ in range(3)]

    def make(stream, number):
        stream.begin(Intent("v", f"S{number}"))
        for row in range(50):
            stream.give(f"t{row % 2}", [numbered(1000 * number + row)])
        stream.end()

    def of(number):
        make(streams[number], number)
        if number == 0:
            make(streams[2], 2)

    made = [threads(of, number) for number in (1, 0)]
    for number, stream in enumerate(streams):
        assert stream.intent().symbol == f"S{number}"
        taken = list(stream.rows(never))
        assert [name for name, _ in taken] == [f"t{row % 2}" for row in range(50)]
        rows = [batch.column(0)[0].as_py() for _, (batch,) in taken]
        assert rows == [1000 * number + row for row in range(50)]
    for each in made:
        each.result(SECONDS)
    assert room.taken_bytes == 0


def test_who_makes_later_rows_waits_for_room_and_the_first_does_not(threads):
    room = Room(2 * BATCH.nbytes)
    first, later = RowStream(room), RowStream(room)
    later.give("t", [BATCH])
    later.give("t", [BATCH])
    third = threads(later.give, "t", [BATCH])
    taken = []

    def follow():
        taken.extend(first.rows(never))

    owner = threads(follow)
    for _ in range(5):  # the room is full of later rows
        threads(first.give, "t", [BATCH]).result(SECONDS)
    first.end()
    owner.result(SECONDS)
    assert len(taken) == 5 and not third.done() and room.taken_bytes == room.most_bytes
    rows = later.rows(never)
    assert next(rows) and third.result(SECONDS) is None
    later.end()
    assert len(list(rows)) == 2 and room.taken_bytes == 0


def test_who_waits_for_room_is_told_when_a_run_is_given_up(threads):
    room = Room(0)
    stream = RowStream(room)
    waits = threads(stream.give, "t", [BATCH])
    room.stop()
    with pytest.raises(Stopped):
        waits.result(SECONDS)
    with pytest.raises(Stopped):
        stream.give("t", [])
    assert room.taken_bytes == 0


def test_a_job_that_ends_before_its_intent_has_none(threads):
    stream = RowStream(Room(0))
    intent = threads(stream.intent)
    stream.end()
    assert intent.result(SECONDS) is None


def test_other_work_is_done_only_while_there_are_no_rows(threads):
    stream, begun, seen = RowStream(Room(0)), threading.Event(), []

    def other():
        seen.append("other")
        if len(seen) == 3:
            begun.set()
        return len(seen) < 3

    def make():
        assert begun.wait(SECONDS)
        stream.give("t", [BATCH])
        stream.end()

    made = threads(make)
    for name, _ in stream.rows(other):
        seen.append(name)
    made.result(SECONDS)
    assert seen[:3] == ["other"] * 3 and seen.count("t") == 1
    full = RowStream(Room(BATCH.nbytes))
    full.give("t", [BATCH])
    full.end()
    assert len(list(full.rows(lambda: pytest.fail("there were rows")))) == 1


def test_a_run_with_next_to_no_room_makes_the_same_tables(alone, tmp_path, monkeypatch):
    monkeypatch.setattr(local, "ROOM_BYTES", 1)
    monkeypatch.setattr(intake_file, "HELD_BYTES", 1)
    same(alone, story(projects.make(tmp_path / "small"), "local", workers=3))


def test_rows_of_a_symbol_are_taken_before_it_is_done(tmp_path, monkeypatch):
    told, take, done = [], Change.take, SymbolWork.done

    def taken(self, table, where, source, rows):
        told.append((where[1], "rows") if rows else (where[1], "file"))
        take(self, table, where, source, rows)

    def ended(self, writer):
        if self._where["symbol"] == projects.SYMBOLS[0]:
            assert first.wait(SECONDS), "its rows wait for its end"
        return done(self, writer)

    first = threading.Event()
    insert = Writer.insert
    monkeypatch.setattr(Change, "take", taken)
    monkeypatch.setattr(SymbolWork, "done", ended)
    monkeypatch.setattr(intake_file, "HELD_BYTES", 1)
    monkeypatch.setattr(Writer, "insert", lambda *given: (insert(*given), first.set()))
    projects.run(projects.make(tmp_path / "small"), workers=2)
    assert told and [symbol for symbol, _ in told] == sorted(symbol for symbol, _ in told)
    for symbol in projects.SYMBOLS:
        what = [kind for each, kind in told if each == symbol]
        assert what == sorted(what, reverse=True) and {*what} == {"rows", "file"}


@pytest.mark.parametrize("number", range(len(projects.SYMBOLS)))
def test_a_thread_that_fails_in_the_middle_changes_nothing(tmp_path, monkeypatch, number):
    folder, done = projects.make(tmp_path / "small"), SymbolWork.done
    projects.run(folder, asked={"end": projects.MIDDLE})
    before = projects.stored(folder), projects.recorded(folder)

    def fail(self, writer):
        if self._where["symbol"] == projects.SYMBOLS[number]:
            raise ZeroDivisionError("a defect")
        return done(self, writer)

    monkeypatch.setattr(SymbolWork, "done", fail)
    with pytest.raises(ZeroDivisionError, match="a defect"):
        projects.run(folder, workers=2)
    assert (projects.stored(folder), projects.recorded(folder)) == before
    assert not projects.left_behind(folder)


def test_an_owner_that_fails_ends_threads_that_wait_for_it(tmp_path, monkeypatch):
    folder = projects.make(tmp_path / "small")
    projects.run(folder, asked={"end": projects.MIDDLE})
    before = projects.stored(folder), projects.recorded(folder)
    monkeypatch.setattr(local, "ROOM_BYTES", 1)
    monkeypatch.setattr(intake_file, "HELD_BYTES", 1)

    def fail(self, table, waiting, texts):
        raise OSError("no space left on the device")

    with monkeypatch.context() as broken:
        broken.setattr(Writer, "insert", fail)
        with pytest.raises((OSError, QuantflowError), match="no space left"):
            projects.run(folder, workers=3)
    assert not [each for each in threading.enumerate() if each.name.startswith("qf_")]
    assert (projects.stored(folder), projects.recorded(folder)) == before
    assert not projects.left_behind(folder)
