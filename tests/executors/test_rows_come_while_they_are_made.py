"""Rows of a thread go to the owner in memory: in order, bounded, and nobody waits for ever."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pyarrow as pa
import pytest

from qf.engines.executors import Options, local
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


def threads(do, *given):
    """Run a function in a thread that nobody has to wait for; `result` raises what it raises."""
    future = Future()

    def run():
        try:
            future.set_result(do(*given))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def all_of(stream, meanwhile=never):
    """Return everything that a stream brings; one that hangs is an error."""
    return threads(list, stream.rows(meanwhile)).result(SECONDS)


@pytest.mark.parametrize("most", [0, 8, 40, 10_000])
def test_rows_keep_their_order_however_little_room_there_is(most):
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
        assert threads(stream.intent).result(SECONDS).symbol == f"S{number}"
        taken = all_of(stream)
        assert [name for name, _ in taken] == [f"t{row % 2}" for row in range(50)]
        rows = [batch.column(0)[0].as_py() for _, (batch,) in taken]
        assert rows == [1000 * number + row for row in range(50)]
    for each in made:
        each.result(SECONDS)
    assert room.taken_bytes == 0


def test_who_makes_later_rows_waits_for_room_and_the_first_does_not():
    room = Room(2 * BATCH.nbytes)
    first, later, last = (RowStream(room) for _ in range(3))
    later.give("t", [BATCH])
    later.give("t", [BATCH])
    third, other = threads(later.give, "t", [BATCH]), threads(last.give, "t", [BATCH])
    owner = threads(list, first.rows(never))
    for _ in range(5):  # the room is full of later rows
        threads(first.give, "t", [BATCH]).result(SECONDS)
    first.end()
    assert len(owner.result(SECONDS)) == 5
    assert not third.done() and not other.done() and room.taken_bytes == room.most_bytes
    for stream, waits, rows in ((later, third, 3), (last, other, 1)):
        owner = threads(list, stream.rows(never))
        waits.result(SECONDS)
        stream.end()
        assert len(owner.result(SECONDS)) == rows
    assert room.taken_bytes == 0


def test_who_makes_the_first_rows_waits_for_the_owner_too():
    """One more than fits is what may wait; else a slow database would fill the memory."""
    room, goes_on = Room(2 * BATCH.nbytes), threading.Event()
    stream = RowStream(room)

    def busy():
        for taken in stream.rows(never):
            assert goes_on.wait(SECONDS)
            yield taken

    owner = threads(list, busy())
    for _ in range(2):
        threads(stream.give, "t", [BATCH]).result(SECONDS)
    more = [threads(stream.give, "t", [BATCH]) for _ in range(3)]
    for _ in range(200):  # one is with the owner, two have room
        if sum(each.done() for each in more) == 1 and room.taken_bytes == room.most_bytes:
            break
        threading.Event().wait(SECONDS / 200)
    assert sum(each.done() for each in more) == 1 and room.taken_bytes == room.most_bytes
    goes_on.set()
    for each in more:
        each.result(SECONDS)
    stream.end()
    assert len(owner.result(SECONDS)) == 5


def test_who_waits_for_room_is_told_when_a_run_is_given_up():
    room = Room(0)
    stream = RowStream(room)
    waits = threads(stream.give, "t", [BATCH])
    room.stop()
    with pytest.raises(Stopped):
        waits.result(SECONDS)
    with pytest.raises(Stopped):
        stream.give("t", [])
    assert room.taken_bytes == 0


def test_a_job_that_ends_before_its_intent_has_none():
    stream = RowStream(Room(0))
    intent = threads(stream.intent)
    stream.end()
    assert intent.result(SECONDS) is None


def test_other_work_is_done_only_while_there_are_no_rows():
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
    assert len(all_of(stream, other)) == 1 and len(seen) >= 3
    made.result(SECONDS)
    full = RowStream(Room(BATCH.nbytes))
    full.give("t", [BATCH])
    rows = full.rows(lambda: pytest.fail("there were rows"))
    assert threads(next, rows).result(SECONDS)
    full.end()
    assert not threads(list, rows).result(SECONDS)


def test_threads_end_after_the_block_in_hand_when_the_crew_does():
    begun, ended = threading.Event(), []

    def work(job, report, stream):
        while len(ended) < 1000:
            begun.set()
            report("compute", 1, 2, job)
            ended.append(threading.Event().wait(SECONDS / 1000))
        return job

    with local.open_crew(Options(lambda *told: None, workers=1), work) as crew:
        tasks = crew(["A", "B"])
        assert threads(next, tasks).result(SECONDS).stream is not None
        assert begun.wait(SECONDS)
    assert len(ended) < 1000


def test_a_run_with_next_to_no_room_makes_the_same_tables(alone, tmp_path, monkeypatch):
    monkeypatch.setattr(local, "ROOM_BYTES", 1)
    monkeypatch.setattr(intake_file, "HELD_BYTES", 1)
    folder = projects.make(tmp_path / "small")
    told = story(folder, "local", workers=3)
    assert told[0][-1][0] == alone[0][-1][0]  # the rows of every table, in the order they lie in
    same(alone, told)  # and what was said and recorded, run by run
    assert not projects.left_behind(folder)


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
