"""What the tests of this folder share: the tables as one thread makes them, and a cluster."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import pytest

from tests.executors import projects
from tests.runs.projects import edit

FEATURES = ".definitions/features/small.yml"
WINDOW = ("params: { window: 20 }", "params: { window: 21 }")


def story(folder, executor="local", **options):
    """Run half, the rest, then after an edit of one feature; return what is stored each time."""
    told = []
    for asked in ({"end": projects.MIDDLE}, {}, {}):
        if len(told) == 2:
            edit(folder, FEATURES, *WINDOW)
        result = projects.run(folder, executor, asked, **options)
        told.append(
            (
                projects.stored(folder),
                [(each.symbol, each.did, each.bars, each.accounts) for each in result.symbols],
                result.warnings,
                result.counts,
            )
        )
    return told, projects.recorded(folder)


@pytest.fixture(scope="session")
def alone(tmp_path_factory):
    """Give the story as one thread tells it."""
    return story(projects.make(tmp_path_factory.mktemp("alone") / "small"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def _process(*words):
    child = subprocess.Popen(
        [sys.executable, "-m", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()


@contextmanager
def cluster(workers=2):
    """Give a Dask scheduler's address and its workers' processes, all on the loopback."""
    import distributed

    address = f"tcp://127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        host = ("--host", "127.0.0.1", "--no-dashboard")
        port = ("--port", address.rpartition(":")[2])
        stack.enter_context(_process("distributed.cli.dask_scheduler", *host, *port))
        words = ("distributed.cli.dask_worker", address, *host, "--nthreads", "1", "--no-nanny")
        children = [stack.enter_context(_process(*words)) for _ in range(workers)]
        limit = time.monotonic() + 120
        with distributed.Client(address, timeout=120, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=max(1, limit - time.monotonic()))
        yield address, children
