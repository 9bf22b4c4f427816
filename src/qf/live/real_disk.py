"""seams.Disk over a real folder: what `sync` and `write` promise is kept with fsync.

A file's bytes are durable after fdatasync; its name is, after its folder was synced too. Paths stay
inside the folder.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath

DRAFT = ".part"


class RealAppender:
    """A file that grows; its name is made durable by the first sync."""

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._file).st_size
        self._named = False

    def append(self, data: bytes) -> None:
        """Add bytes at the end. Errors: OSError; what was written of them before stays."""
        view = memoryview(data)
        while view:
            done = os.write(self._file, view)
            self._size += done
            view = view[done:]

    def sync(self) -> None:
        """Return when everything is durable."""
        os.fdatasync(self._file)
        if not self._named:
            sync_folder(self._folder)
            self._named = True

    def size(self) -> int:
        """Return the file's bytes."""
        return self._size

    def close(self) -> None:
        """Let it go."""
        os.close(self._file)


class RealDisk:
    """The files below one folder, which is made if it is not there."""

    def __init__(self, folder: Path) -> None:
        self._root = folder
        folder.mkdir(parents=True, exist_ok=True)

    def appender(self, path: str) -> RealAppender:
        """Open a file to append to."""
        return RealAppender(self._place(path, make=True))

    def read(self, path: str, offset: int = 0, size: int | None = None) -> bytes:
        """Return bytes of a file."""
        with self._place(path).open("rb") as file:
            file.seek(offset)
            return file.read(-1 if size is None else size)

    def write(self, path: str, data: bytes) -> None:
        """Replace a file: written beside it, synced, renamed, the folder synced."""
        place = self._place(path, make=True)
        draft = place.with_name(place.name + DRAFT)
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(file, view) :]
            os.fsync(file)
        finally:
            os.close(file)
        os.replace(draft, place)
        sync_folder(place.parent)

    def truncate(self, path: str, size: int) -> None:
        """Cut a file, durably."""
        file = os.open(self._place(path), os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.ftruncate(file, size)
            os.fsync(file)
        finally:
            os.close(file)

    def remove(self, path: str) -> None:
        """Remove a file if it is there."""
        place = self._place(path)
        if place.exists():
            place.unlink(missing_ok=True)
            sync_folder(place.parent)

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, sorted; drafts of a write that was cut short left out."""
        try:
            found = os.listdir(self._place(folder))
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(name for name in found if not name.endswith(DRAFT))

    def size(self, path: str) -> int | None:
        """Return a file's bytes, or None."""
        try:
            return self._place(path).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def free_bytes(self) -> int:
        """Return what is free on the folder's disk."""
        return shutil.disk_usage(self._root).free

    def _place(self, path: str, make: bool = False) -> Path:
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts:
            raise PermissionError(f"{path} is not inside the folder")
        place = self._root / parts
        if make and not place.parent.is_dir():
            place.parent.mkdir(parents=True, exist_ok=True)
            for folder in (place.parent, *place.parent.parents):
                sync_folder(folder)
                if folder == self._root:
                    break
        return place


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
