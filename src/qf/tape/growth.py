"""A capture that grew by files: the tape that is there goes on, and only the new files are read.

A tape of one capture keeps the reader's state as it was before the end of its last file. The tape
of the same capture with more files begins with the same rows, block for block, so its full blocks
are linked, the rows of its last block are taken up again, and the reader goes on from its state.
The result is the tape that reading all files at once gives. What was not read is named.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from qf.errors import QuantflowError
from qf.tape.capture import CaptureSource
from qf.tape.draft import Draft
from qf.tape.manifest import key_of
from qf.tape.prefix import blocks_between
from qf.tape.read import Reader
from qf.tape.source import Source
from qf.tape.tape_file import NAMES, TapeFile, open_tape

STATE_FILE = "reader.json"


@dataclass(frozen=True)
class Start:
    """The tape of a capture's first files, and where its reader stood at their end."""

    tape: TapeFile
    files: int
    blocks: int  # full ones, which the grown tape has as they are
    rows: int  # behind them, which its next block begins with
    state: dict[str, Any]

    def go_on(self, reader: Reader, draft: Draft) -> None:
        """Give reader and draft everything that was read. Errors: QF331, QF332."""
        draft.take(self.tape.folder, self.blocks, self.state["tally"]["frames"])
        first = self.tape.manifest["prefixes"][self.blocks - 1][0] if self.blocks else 0
        pending = list(blocks_between(self.tape, first, first + self.rows, self.rows or 1))
        reader.restore(self.state)
        if pending:
            reader.columns.hold({n: np.concatenate([b[n] for b in pending]) for n in NAMES})


def find_start(
    sources: Sequence[Source], identity: dict[str, Any], cache: Path
) -> tuple[Start | None, list[Source]]:
    """Return the longest tape of the first files that is there, and the sources still to read."""
    for key, files in shorter_keys(sources, identity):
        found = _read_start(cache / key, files)
        if found is not None:
            (source,) = sources
            assert isinstance(source, CaptureSource)
            return found, [replace(source, paths=source.paths[files:])]
    return None, list(sources)


def shorter_keys(sources: Sequence[Source], identity: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield (key, files) of the tapes of a capture's first files, the longest first."""
    if not can_grow(sources):
        return
    (own,) = identity["sources"]
    for files in range(len(own["files"]) - 1, 0, -1):
        yield key_of({**identity, "sources": [{**own, "files": own["files"][:files]}]}), files


def can_grow(sources: Sequence[Source]) -> bool:
    """Say whether a tape of these sources keeps its reader's state: one capture does."""
    return len(sources) == 1 and isinstance(sources[0], CaptureSource)


def keep_state(reader: Reader, draft: Draft) -> None:
    """Write down where the reader stands, before it is told that nothing follows."""
    kept = {"blocks": draft.blocks, "rows": reader.columns.rows, "state": reader.state(rows=False)}
    draft.write_text(STATE_FILE, json.dumps(kept))


def _read_start(folder: Path, files: int) -> Start | None:
    try:
        kept = json.loads((folder / STATE_FILE).read_text())
        return Start(open_tape(folder), files, kept["blocks"], kept["rows"], kept["state"])
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException, QuantflowError):
        return None
