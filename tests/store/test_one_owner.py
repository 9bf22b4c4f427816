"""One writer per project: a second process is told who it is, a dead owner holds nothing."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from qf.errors import QuantflowError
from qf.store.duck import Store
from qf.store.lock import owner, project_lock
from qf.store.read import Reader
from store.tables import TRADES, columns, fill

OWNER = """
    import sys, time
    from pathlib import Path
    from qf.store.duck import Store
    from qf.store.lock import owner, project_lock
    folder = Path(sys.argv[1])
    with project_lock(folder, 1_723_075_200_000_000_000):
        store = Store(folder / "q.duckdb", "p") if sys.argv[2] == "store" else None
        print("here", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def owned(tmp_path):
    """Give a function that starts a process which owns the project, and end it afterwards."""
    children = []

    def start(what="lock"):
        program = textwrap.dedent(OWNER)
        child = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), what], stdout=subprocess.PIPE
        )
        children.append(child)
        assert child.stdout is not None and child.stdout.readline() == b"here\n"
        return child

    yield start
    for child in children:
        child.kill()
        child.wait()
        child.stdout.close()


def test_a_second_process_is_told_who_owns_the_project(owned, tmp_path):
    child = owned()
    with pytest.raises(QuantflowError) as refused, project_lock(tmp_path, 0):
        pass
    assert refused.value.code == "QF610" and refused.value.exit_code == 3
    assert refused.value.sentence == (
        f"the project {tmp_path} is in use by process {child.pid} on {socket.gethostname()} "
        "since 2024-08-08T00:00:00Z"
    )


def test_the_lock_of_a_killed_process_is_taken_over(owned, tmp_path):
    child = owned()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    refusal = pytest.raises(QuantflowError, match=f"process {os.getpid()} on")
    with project_lock(tmp_path, 0), refusal, project_lock(tmp_path, 0):
        pass
    with project_lock(tmp_path, 0):
        pass


def test_a_lock_file_with_anything_in_it_is_no_obstacle(tmp_path):
    path = tmp_path / ".data" / "project.lock"
    path.parent.mkdir()
    for text in (b"", b"\xff\x00", b"{}", b'{"pid": 1e400, "host": [], "since": "x"}', b"[1]"):
        path.write_bytes(text)
        with project_lock(tmp_path, 0):
            assert owner(path)[0] == str(os.getpid())


def test_an_unreadable_owner_is_still_an_owner(owned, tmp_path):
    owned()
    (tmp_path / ".data" / "project.lock").write_bytes(b"\xff")
    unknown = pytest.raises(QuantflowError, match="in use by process unknown")
    with unknown, project_lock(tmp_path, 0):
        pass


def test_readers_take_the_parquet_files_while_a_run_writes(owned, tmp_path):
    path = tmp_path / "q.duckdb"
    with Store(path, "p") as store:
        fill(store, TRADES, columns(TRADES, 100))
        store.export_parquet(tmp_path / "parquet")
    reader = Reader(path, "p", parquet=tmp_path / "parquet")
    direct = reader.frame(TRADES.name)
    assert reader.source == "duckdb"
    child = owned("store")
    assert reader.frame(TRADES.name).equals(direct)
    assert reader.source == "parquet" and reader.tables() == {TRADES.name: 100}
    without = Reader(path, "p", parquet=tmp_path / "nowhere")
    with pytest.raises(QuantflowError, match=rf"QF602.*process {child.pid}"):
        without.tables()
    with pytest.raises(QuantflowError, match=rf"QF602.*process {child.pid}"):
        Store(path, "p")


def test_a_database_that_is_absent_or_broken_is_said_to_be(tmp_path):
    with pytest.raises(QuantflowError, match=r"QF601(.|\n)*qf run"):
        Reader(tmp_path / "q.duckdb", "p").tables()
    Path(tmp_path / "q.duckdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(QuantflowError, match="QF603"):
        Reader(tmp_path / "q.duckdb", "p").tables()
    with pytest.raises(QuantflowError, match="QF603"):
        Store(tmp_path / "q.duckdb", "p")
