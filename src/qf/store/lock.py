"""One writer per project directory: a lock that dies with its owner.

The lock is the kernel's (`flock`), so a process that was killed holds nothing; the file only
says who the owner is. It is never deleted: two processes must always meet at the same inode.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qf.clock import format_time
from qf.errors import RunError, diagnostic

OWNED = diagnostic(
    "QF610",
    "the project {folder} is in use by process {pid} on {host} since {since}",
    RunError,
    "wait until it has finished, or stop it",
)
NOT_WRITABLE = diagnostic("QF611", "the lock file {path} cannot be written: {why}", RunError)

LOCK_FILE = "project.lock"


@contextmanager
def project_lock(folder: Path, since_ns: int, path: Path | None = None) -> Iterator[int]:
    """Own the project while the block runs. Errors: QF610 (who owns it), QF611.

    `since_ns` is what the others will be told; `path` is the lock file, by default
    `.data/project.lock` in the folder. Yields the descriptor that holds it: a child process that
    inherits it holds the lock too, until both are gone.
    """
    path = path or folder / ".data" / LOCK_FILE
    descriptor = _open(path)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid, host, since = owner(path)
            raise OWNED(folder=folder, pid=pid, host=host, since=since) from None
        _sign(descriptor, {"pid": os.getpid(), "host": socket.gethostname(), "since": since_ns})
        yield descriptor
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Say whether a process holds the lock file now."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def owner(path: Path) -> tuple[str, str, str]:
    """Return pid, host and since as the lock file tells them; unknown where it does not."""
    try:
        told = json.loads(path.read_text())
        since = format_time(int(told["since"]))
        return str(int(told["pid"])), str(told["host"]), since
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return "unknown", "unknown", "unknown"


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as failure:
        raise NOT_WRITABLE(path=path, why=failure.strerror) from failure


def _sign(descriptor: int, told: dict[str, object]) -> None:
    text = json.dumps(told).encode()
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text, 0)
