"""A transaction that does not end leaves the file as it was: exceptions, and real kills."""

import gc
import os
import signal
import subprocess
import sys
import textwrap
import weakref
from pathlib import Path

import pytest

from qf.schema_tables import bar_table
from qf.store.duck import Store
from store.tables import TRADES, columns, fill, texts

TESTS = Path(__file__).resolve().parents[1]
BARS = bar_table("dollar")
WRITER = """
    import sys, time
    from pathlib import Path
    sys.path.insert(0, sys.argv[3])
    from store.tables import TRADES, columns, texts
    from qf.schema_tables import bar_table
    from qf.store import writer as door
    from qf.store.duck import Store

    path, when = Path(sys.argv[1]), sys.argv[2]
    bars = bar_table("dollar")
    door.BATCH_BYTES = 1 << 16  # so that rows are sent while the transaction is open
    store = Store(path, "p")
    def wait(name):
        if name == when:
            print("here", flush=True)
            time.sleep(60)
    with store.rewrite([TRADES, bars], [("binance_spot", "BTCUSDT")]) as writer:
        wait("deleted")
        for first in range(0, 6000, 1000):
            writer.write(TRADES, columns(TRADES, 1000, seed=9, first=first), **texts(TRADES))
            new = texts(bars, bar_clock=f"clock's {first}")  # texts that its column lacks
            writer.write(bars, columns(bars, 100, seed=9, first=first), **new)
        wait("written")
    wait("committed")
"""


FULL = """
    import resource, sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from store.tables import TRADES, columns, fill
    from qf.errors import QuantflowError
    from qf.store import writer as door
    from qf.store.duck import Store

    door.BATCH_BYTES = 1 << 20
    with Store(Path(sys.argv[1]), "p") as store:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, 3 << 20))
        try:
            fill(store, TRADES, columns(TRADES, 200_000, seed=4))
        except QuantflowError as error:
            print(error.code, flush=True)
"""


def fill_both(store, seed):
    for table, rows in ((TRADES, 500), (BARS, 50)):
        fill(store, table, columns(table, rows, seed=seed))


def test_an_exception_takes_everything_back():
    with Store(":memory:", "p") as store:
        fill_both(store, seed=1)
        before = store.hashes()
        with (
            pytest.raises(KeyboardInterrupt),
            store.rewrite([TRADES, BARS], [("binance_spot", "BTCUSDT")]) as writer,
        ):
            writer.write(TRADES, columns(TRADES, 100, seed=2), **texts(TRADES))
            writer.finish()
            raise KeyboardInterrupt
        assert store.hashes() == before
        fill_both(store, seed=2)
        assert store.hashes() != before


@pytest.mark.parametrize("when", ["deleted", "written", "committed"])
def test_a_kill_leaves_all_of_the_old_or_all_of_the_new(when, tmp_path):
    path = tmp_path / "q.duckdb"
    with Store(path, "p") as store:
        fill_both(store, seed=1)
        before = store.hashes()
    program = textwrap.dedent(WRITER)
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(path), when, str(TESTS)], stdout=subprocess.PIPE
    )
    assert child.stdout is not None and child.stdout.readline() == b"here\n"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with Store(path, "p") as store:
        after = store.hashes()
        assert (after == before) == (when != "committed")
        if when == "committed":
            assert store.counts_by(TRADES.name, "symbol") == {"BTCUSDT": 6000}
        # and the next run goes on as if nothing had been
        fill_both(store, seed=1)
        assert store.hashes() == before


def test_a_full_disk_is_an_error_and_changes_nothing(tmp_path):
    path = tmp_path / "q.duckdb"
    with Store(path, "p") as store:
        fill_both(store, seed=1)
        before = store.hashes()
    program = textwrap.dedent(FULL)
    done = subprocess.run(
        [sys.executable, "-c", program, str(path), str(TESTS)], stdout=subprocess.PIPE, check=False
    )
    assert done.stdout == b"QF603\n"
    with Store(path, "p") as store:
        assert store.hashes() == before


def test_what_was_sent_is_let_go_before_the_transaction_ends():
    """DuckDB keeps what was registered until then: a long run must not keep its rows too."""
    made = columns(TRADES, 1000)
    kept = weakref.ref(made["mid"])
    symbols = [("binance_spot", "BTCUSDT")]
    with Store(":memory:", "p") as store, store.rewrite([TRADES], symbols) as writer:
        writer.write(TRADES, made, **texts(TRADES))
        writer.finish()
        del made
        gc.collect()
        assert kept() is None
