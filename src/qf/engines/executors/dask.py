"""Workers of a Dask cluster: other machines that see the project's folder at the same path.

A worker that dies loses its place in the cluster, and the scheduler gives its jobs to another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from qf.engines.executors import Crew, Options, Task, Work
from qf.engines.executors._in_order import in_order
from qf.errors import RunError, diagnostic

NO_DASK = diagnostic(
    "QF565", "the executor dask needs the package distributed", hint='pip install "qf[batch]"'
)
NO_ADDRESS = diagnostic(
    "QF566",
    ".local_config.yml does not say where the Dask scheduler is",
    hint="add a row to engine there: name dask, address tcp://HOST:8786",
)
NO_CLUSTER = diagnostic(
    "QF567",
    "no Dask scheduler answers at {address}: {why}",
    RunError,
    "start one: dask scheduler, then on every machine: dask worker {address}",
)
LOST = diagnostic(
    "QF568",
    "the Dask workers of {symbol} died: {why}",
    RunError,
    "is there enough memory for as many threads as a worker has?",
)
RETRIES = 2  # of a job that raised; what a dead worker had is given to another anyway
SECONDS = 10  # for the scheduler to answer


@contextmanager
def open_crew(options: Options, work: Work) -> Iterator[Crew]:
    """Yield a crew of the cluster's workers. Errors: QF565-QF567."""
    try:
        import distributed
    except ImportError:
        raise NO_DASK() from None
    if not options.address:
        raise NO_ADDRESS()
    try:
        client = distributed.Client(options.address, timeout=SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise NO_CLUSTER(address=options.address, why=error) from None
    jobs = _Jobs(client)
    try:
        threads: Any = client.nthreads()
        workers = options.workers or sum(threads.values()) or 1
        yield lambda texts: in_order(jobs.start, texts, workers)
    finally:
        jobs.cancel()
        client.close()


class _Jobs:
    """The jobs that the cluster was given."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._given: list[Any] = []

    def start(self, text: str) -> Task:
        """Give a job to the cluster."""
        future = self._client.submit(remote, text, pure=False, retries=RETRIES)
        self._given.append(future)
        return Task(_Job(future, json.loads(text)["symbol"]))

    def cancel(self) -> None:
        """Take back what has not been begun."""
        self._client.cancel([each for each in self._given if not each.done()])


class _Job:
    """A job under way."""

    def __init__(self, future: Any, symbol: str) -> None:
        self._future, self._symbol = future, symbol

    def result(self) -> str:
        """Wait for the answer. Errors: QF568."""
        from distributed.scheduler import KilledWorker

        try:
            return self._future.result()
        except KilledWorker as error:
            raise LOST(symbol=self._symbol, why=error) from None


def remote(text: str) -> str:
    """Do a job on a worker; how far it is cannot be told."""
    from qf.engines.job import carry_out

    return carry_out(text, lambda stage, done, total, symbol: None)
