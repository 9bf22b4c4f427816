"""Where saved states lie: one file per symbol and tape row, in `.data/state`.

A file is whole on disk before the transaction whose record names it commits, and removed only after
one that does not name it any more has. So a record never names a file that is not there, and a file
without a record is the leftover of a killed run: the next one removes it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import zstandard

from qf.errors import QuantflowError
from qf.pieces import Pieces, pack, unpack

KEPT = 4  # states of one symbol, the newest rows
MOST_BYTES = 1 << 30


class StateFiles:
    """The saved states of a project."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, name: str, pieces: Mapping[str, np.ndarray]) -> str:
        """Write a state and return its file's name, when it is on disk."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = re.sub(r"[^A-Za-z0-9_-]", "-", name) + ".state"
        beside = self._folder / f".{file}.{os.getpid()}"
        with open(beside, "wb") as out:
            out.write(zstandard.ZstdCompressor(1).compress(pack(pieces)))
            out.flush()
            os.fsync(out.fileno())
        os.replace(beside, self._folder / file)
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        return file

    def load(self, file: str) -> Pieces:
        """Return a state; empty where it is absent, damaged or of another machine."""
        try:
            data = (self._folder / file).read_bytes()
            return unpack(zstandard.ZstdDecompressor().decompress(data, MOST_BYTES))
        except (OSError, ValueError, KeyError, zstandard.ZstdError, QuantflowError):
            return Pieces()

    def sweep(self, named: Iterable[str]) -> None:
        """Remove every file that no record names."""
        kept = set(named)
        for path in self._folder.glob("*.state*") if self._folder.is_dir() else ():
            if path.name not in kept:
                path.unlink(missing_ok=True)
        for path in self._folder.glob(".*.state.*") if self._folder.is_dir() else ():
            path.unlink(missing_ok=True)
