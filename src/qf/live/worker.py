"""The process that computes: one live job in the real World, under a supervisor.

Exit codes: 0 stopped as asked; 2 or 1 the project is wrong or refused; 4 what is on the disk cannot
be gone on from; 3 anything else, and the supervisor starts another one.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import logging
import logging.handlers
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from qf.errors import QuantflowError
from qf.live.deployed import LIVE, LOGS

if TYPE_CHECKING:
    from qf.project.model import Project
    from qf.seams import World

LOG_BYTES, LOG_FILES = 5 << 20, 3
CANNOT_GO_ON = 4

log = logging.getLogger("qf.live.worker")


def main(words: list[str]) -> int:
    """Run the job and return the exit code."""
    parser = argparse.ArgumentParser(prog="qf.live.worker")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--alive", type=int, required=True)
    parser.add_argument("--rewarm", action="store_true")
    parser.add_argument("symbols", nargs="*")
    given = parser.parse_args(words)
    faulthandler.enable()
    handler = _write_logs(given.folder)
    try:
        return _run(given, handler)
    except QuantflowError as error:
        log.error("%s", error)
        return error.exit_code
    except Exception:
        log.exception("an unexpected failure")
        return 3


def _run(given: argparse.Namespace, handler: logging.Handler) -> int:
    from qf.live.engine import Settings
    from qf.live.history import history
    from qf.live.job import Job
    from qf.live.real import run_real
    from qf.live.redact import Redacted, secrets_of
    from qf.project import open_project

    project = open_project(given.folder)
    handler.setFormatter(Redacted(secrets_of(project)))
    log.info("worker %d computes %s", os.getpid(), project.name)

    async def inside(world: World) -> int:
        states, notes = history(project, given.symbols or project.symbols, world.disk)
        for note in notes:
            log.info("%s", note)
        job = Job(
            world,
            project,
            given.symbols or None,
            {"pid": os.getpid(), "history": notes},
            settings=Settings(rewarm=given.rewarm),
            start=states,
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, job.stop)

        def orphaned() -> None:
            loop.remove_reader(given.alive)
            log.warning("the supervisor is gone; ending")
            job.stop()

        # The supervisor holds the other end: when it is gone, this one is readable.
        loop.add_reader(given.alive, orphaned)
        try:
            await job.run(log.info)
        except QuantflowError as error:
            if job.engine.state != "recovering":
                raise
            log.error("%s", error)
            return CANNOT_GO_ON
        finally:
            loop.remove_reader(given.alive)
        return 0

    return run_real(_folder(project), inside)


def _folder(project: Project) -> Path:
    return project.folder / LIVE


def _write_logs(folder: Path) -> logging.Handler:
    from qf.live.redact import Redacted

    path = folder / LOGS / "worker.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES)
    handler.setFormatter(Redacted())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("picows").setLevel(logging.WARNING)
    return handler


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
