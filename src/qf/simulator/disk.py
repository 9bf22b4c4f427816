"""A disk with a page cache: what a process reads back is more than what survives a power loss.

Platter keeps the files of one machine over all lives of its processes. Of every file it knows how
many bytes are durable, and of every name whether it is. `mount` gives a life of a process its Disk.

A kill loses nothing that an operation had done: the page cache is the machine's. A power loss
    leaves a durable prefix as it is;
    loses, tears or zero-fills what was appended after it, block by block, or leaves in a block
        what lay there before, bytes of the same file's other places;
    forgets names that were never synced and brings back removed ones;
    leaves a half-written file under the name that a replacing write uses on the way.
A fuse makes a process die inside the nth operation from now, with part of it done.
"""

from __future__ import annotations

import errno
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from qf.simulator.process import Killed, Process

BLOCK = 16  # what is torn: far smaller than a sector, so that short records are torn too
DRAFT = ".part"  # what a replacing write leaves behind when it is cut short

Watcher = Callable[[str, str, bytes], None]


@dataclass
class Held:
    """One file: what is in the page cache, and how much of it from the start is durable."""

    data: bytearray = field(default_factory=bytearray)
    durable: int = 0


class Platter:
    """The files of one machine, its faults, and who watches what is written."""

    def __init__(self, chance: random.Random, capacity: int = 1 << 32) -> None:
        self.chance = chance
        self.capacity = self.whole = capacity
        self.files: dict[str, Held] = {}
        self.named: dict[str, Held] = {}  # as the durable directory has it
        self.watchers: list[Watcher] = []  # called with the operation, the path and the bytes
        self.fuse = 0  # operations until `blow`; 0: none
        self.blow: Callable[[], None] = lambda: None
        self.sync_fails = 0  # of the next syncs, how many fail
        self.slow: Callable[[], None] = lambda: None
        self.lost_bytes = 0
        self.operations = 0
        self._known = (0, 0)  # a capacity, and what is surely free of it

    def mount(self, process: Process) -> MountedDisk:
        """Return the disk as one life of a process sees it."""
        return MountedDisk(self, process)

    def used(self) -> int:
        """Return the bytes of all files."""
        return sum(len(held.data) for held in self.files.values())

    def free(self) -> int:
        """Return what there is room for."""
        return max(0, self.capacity - self.used())

    def has_room(self, size: int) -> bool:
        """Say whether so many bytes fit, and count them as taken: the files are rarely added up."""
        capacity, sure = self._known
        if capacity != self.capacity or sure < size:
            capacity, sure = self.capacity, self.free()
        fits = size <= sure
        self._known = (capacity, sure - size if fits else 0)
        return fits

    def durable(self, path: str) -> bytes:
        """Return what of a file a power loss could not take."""
        held = self.named.get(path)
        return b"" if held is None else bytes(held.data[: held.durable])

    def power_loss(self) -> None:
        """Lose what was not durable, each file in its own way."""
        after: dict[str, Held] = {}
        for path, held in self.files.items():
            if self.named.get(path) is held or self.chance.random() < 0.5:
                after[path] = held
        for path, held in self.named.items():
            # a removal, or nothing at all, that never became durable
            if path not in after and self.chance.random() < 0.5:
                after[path] = held
        for held in after.values():
            self._lose_tail(held)
        self.files, self.named = after, dict(after)
        self.fuse = self.sync_fails = 0
        self._known = (0, 0)

    def _lose_tail(self, held: Held) -> None:
        tail = len(held.data) - held.durable
        if tail > 0:
            kept = self._what_is_left(bytes(held.data[held.durable :]), held.data[: held.durable])
            self.lost_bytes += tail - len(kept)
            held.data[held.durable :] = kept
        held.durable = len(held.data)

    def _what_is_left(self, tail: bytes, before: bytes | bytearray) -> bytes:
        """Return what a power loss leaves of bytes that were never synced."""
        fate = self.chance.randrange(7)
        if fate == 0:
            return b""
        if fate == 1:
            return tail[: self.chance.randrange(len(tail) + 1)]
        if fate == 2:  # the size is on disk, the content is not
            return bytes(len(tail))
        if fate == 3:  # some blocks are, some are not
            blocks = [tail[at : at + BLOCK] for at in range(0, len(tail), BLOCK)]
            return b"".join(
                block if self.chance.random() < 0.5 else bytes(len(block)) for block in blocks
            )
        if fate == 4:  # all blocks but one are
            at = self.chance.randrange(0, len(tail), BLOCK)
            return tail[:at] + bytes(len(tail[at : at + BLOCK])) + tail[at + BLOCK :]
        if fate == 5 and len(before) > len(tail):  # a block holds what lay there before
            at = self.chance.randrange(0, len(tail), BLOCK)
            size = len(tail[at : at + BLOCK])
            old = self.chance.randrange(len(before) - size)
            return tail[:at] + bytes(before[old : old + size]) + tail[at + BLOCK :]
        return tail

    def burn(self) -> bool:
        """Count an operation; True when it is the one that the process dies in."""
        self.operations += 1
        if self.fuse:
            self.fuse -= 1
            if self.fuse == 0:
                self._known = (0, 0)  # part of the operation is done
                return True
        return False

    def tell(self, operation: str, path: str, data: bytes) -> None:
        """Tell those who watch."""
        for watcher in self.watchers:
            watcher(operation, path, data)


class MountedDisk:
    """seams.Disk for one life of a process; when that life is over it refuses everything."""

    def __init__(self, platter: Platter, process: Process) -> None:
        self._platter, self._process = platter, process

    def appender(self, path: str) -> SimAppender:
        """Open a file to append to; its name is durable after the first sync."""
        self._process.check()
        held = self._platter.files.setdefault(path, Held())
        return SimAppender(self._platter, self._process, path, held)

    def read(self, path: str, offset: int = 0, size: int | None = None) -> bytes:
        """Return bytes as the page cache has them. Errors: FileNotFoundError."""
        self._process.check()
        held = self._find(path)
        return bytes(held.data[offset : None if size is None else offset + size])

    def write(self, path: str, data: bytes) -> None:
        """Replace a whole file, durably. Errors: OSError when it does not fit."""
        self._process.check()
        platter = self._platter
        new = Held(bytearray(data), len(data))
        if platter.burn():
            if platter.chance.random() < 0.5:
                part = data[: platter.chance.randrange(len(data) + 1)]
                platter.files[path + DRAFT] = Held(bytearray(part))
            else:  # in place, and only the answer was never heard
                platter.files[path] = platter.named[path] = new
                platter.tell("write", path, data)
            self._die()
        old = platter.files.get(path)
        spare = len(old.data) if old else 0
        if not platter.has_room(len(data)) and len(data) > platter.free() + spare:
            raise OSError(errno.ENOSPC, "no space left on the simulated disk", path)
        self._sync_or_fail(path)
        platter.files[path] = platter.named[path] = new
        self._settle_names(path)
        platter.tell("write", path, data)

    def truncate(self, path: str, size: int) -> None:
        """Cut a file to its first bytes, durably."""
        self._process.check()
        held = self._find(path)
        dies = self._platter.burn()
        if not dies or self._platter.chance.random() < 0.5:
            del held.data[size:]
            held.durable = len(held.data)
            self._platter.named[path] = held
            self._platter.tell("truncate", path, b"%d" % size)
        if dies:
            self._die()

    def remove(self, path: str) -> None:
        """Remove a file; a power loss may bring it back."""
        self._process.check()
        dies = self._platter.burn()
        if not dies or self._platter.chance.random() < 0.5:
            self._platter.files.pop(path, None)
            self._platter.tell("remove", path, b"")
        if dies:
            self._die()

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, sorted."""
        self._process.check()
        head = folder.rstrip("/") + "/" if folder.strip("/.") else ""
        found = {
            path[len(head) :].split("/")[0] for path in self._platter.files if path.startswith(head)
        }
        return sorted(found)

    def size(self, path: str) -> int | None:
        """Return a file's bytes, or None when it is not there."""
        self._process.check()
        held = self._platter.files.get(path)
        return None if held is None else len(held.data)

    def free_bytes(self) -> int:
        """Return what the disk still has room for."""
        self._process.check()
        return self._platter.free()

    def _find(self, path: str) -> Held:
        held = self._platter.files.get(path)
        if held is None:
            raise FileNotFoundError(errno.ENOENT, "no such file on the simulated disk", path)
        return held

    def _settle_names(self, path: str) -> None:
        """Make the folder's removals durable: replacing a file syncs its folder."""
        folder = path.rpartition("/")[0]
        platter = self._platter
        gone = [
            name
            for name in platter.named
            if name.rpartition("/")[0] == folder and name not in platter.files
        ]
        for name in gone:
            del platter.named[name]

    def _sync_or_fail(self, path: str) -> None:
        platter = self._platter
        platter.slow()
        self._process.check()
        if platter.sync_fails:
            platter.sync_fails -= 1
            platter.tell("sync failed", path, b"")
            raise OSError(errno.EIO, "the simulated disk could not sync", path)

    def _die(self) -> None:
        self._process.alive = False
        self._platter.blow()
        raise Killed(self._process.name)


class SimAppender(MountedDisk):
    """seams.Appender on a simulated disk."""

    def __init__(self, platter: Platter, process: Process, path: str, held: Held) -> None:
        super().__init__(platter, process)
        self._path, self._held = path, held

    def append(self, data: bytes) -> None:
        """Add bytes; when they do not fit, those that do are there. Errors: OSError."""
        self._process.check()
        platter = self._platter
        if platter.burn():
            self._held.data += data[: platter.chance.randrange(len(data) + 1)]
            self._die()
        if not platter.has_room(len(data)):
            self._held.data += data[: platter.free()]
            raise OSError(errno.ENOSPC, "no space left on the simulated disk", self._path)
        self._held.data += data
        platter.tell("append", self._path, data)

    def sync(self) -> None:
        """Make it durable, the name too.

        A sync that fails may have dropped what it could not write: the bytes then read as zeros, as
        some file systems do it, and a later sync that succeeds says nothing of them.
        """
        self._process.check()
        held, platter = self._held, self._platter
        dies = platter.burn()
        if dies and platter.chance.random() < 0.5:
            self._die()
        try:
            self._sync_or_fail(self._path)
        except OSError:
            if platter.chance.random() < 0.5:
                held.data[held.durable :] = bytes(len(held.data) - held.durable)
            raise
        held.durable = len(held.data)
        if platter.files.get(self._path) is held:
            platter.named[self._path] = held
        platter.tell("sync", self._path, b"")
        if dies:
            self._die()

    def size(self, path: str | None = None) -> int:  # type: ignore[override]
        """Return the bytes of the file."""
        self._process.check()
        return len(self._held.data)

    def close(self) -> None:
        """Let the file go, without a sync."""
