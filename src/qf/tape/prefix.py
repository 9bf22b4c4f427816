"""Places on a tape: rows by time, rows by number, and the hash of everything before a row.

A tape that grew begins with the tape it was: the hash of its first n rows says so, and whatever was
computed from those rows stands. It is chained block by block as the tape is written, so asking for
any row costs one block:

    mark[j]   = H(mark[j-1] + H(block j))          written to the manifest with the row it ends at
    prefix(n) = H(mark[j] + H(rows of block j+1 before n))
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from qf.tape.tape_file import NAMES, Block, TapeFile, row_groups

EMPTY = ""  # the prefix of no row


class Prefixes:
    """Chain the hashes of the blocks of a tape that is being written."""

    def __init__(self) -> None:
        self.marks: list[tuple[int, str]] = []  # (rows so far, their hash)

    def add(self, block: Block) -> None:
        """Take the next block."""
        rows, before = self.marks[-1] if self.marks else (0, EMPTY)
        self.marks.append((rows + len(block["seq"]), _chain(before, block)))


def prefix(tape: TapeFile, row: int) -> str:
    """Return the hash of the tape's rows before `row`; "" where it has not so many."""
    rows, mark = 0, EMPTY
    for upto, found in tape.manifest["prefixes"]:
        if upto > row:
            break
        rows, mark = upto, found
    if rows == row:
        return mark
    rest = list(blocks_between(tape, rows, row, row))
    if sum(len(block["seq"]) for block in rest) < row - rows:
        return ""
    return _chain(mark, {name: np.concatenate([block[name] for block in rest]) for name in NAMES})


def row_at(tape: TapeFile, time: int | None, otherwise: int) -> int:
    """Return how many rows were received before `time` (ns); `otherwise` where there is none."""
    if time is None:
        return otherwise
    rows, place = 0, NAMES.index("processed_time")
    for group in row_groups(tape.folder):
        about = group.about
        statistics = about.column(place).statistics
        if statistics is None or statistics.max >= time:
            times = group.read(["processed_time"]).column(0).to_numpy()
            return rows + int(np.searchsorted(times, time, "left"))
        rows += about.num_rows
    return rows


def time_at(tape: TapeFile, row: int) -> int | None:
    """Return the receive time of a row in ns; None behind the last."""
    rows = 0
    for group in row_groups(tape.folder):
        count = group.about.num_rows
        if row < rows + count:
            times = group.read(["processed_time"]).column(0)
            return int(times[row - rows].as_py())
        rows += count
    return None


def blocks_between(tape: TapeFile, first: int, last: int, size: int) -> Iterator[Block]:
    """Yield the columns of the rows first..last-1, at most `size` rows at a time."""
    rows = 0
    for group in row_groups(tape.folder):
        if rows >= last:
            return
        count = group.about.num_rows
        low, high = max(first, rows), min(last, rows + count)
        if low < high:
            table = group.read()
            columns = {name: table.column(name).to_numpy() for name in NAMES}
            for start in range(low, high, size):
                cut = slice(start - rows, min(start + size, high) - rows)
                yield {name: column[cut] for name, column in columns.items()}
        rows += count


def frames_between(tape: TapeFile, first: int, last: int) -> Iterator[Block]:
    """Yield the columns of the rows first..last-1 in blocks that hold whole frames."""
    rest: Block | None = None
    for block in blocks_between(tape, first, last, last - first):
        whole = block
        if rest is not None:
            whole = {name: np.concatenate([rest[name], block[name]]) for name in NAMES}
        ends = np.flatnonzero(whole["last_row"])
        cut = int(ends[-1]) + 1 if len(ends) else 0
        rest = {name: column[cut:] for name, column in whole.items()}
        yield {name: column[:cut] for name, column in whole.items()}


def _chain(before: str, block: Block) -> str:
    own = hashlib.blake2b(digest_size=16)
    for name in NAMES:
        own.update(np.ascontiguousarray(block[name], np.int64).tobytes())
    return hashlib.blake2b(before.encode() + own.digest(), digest_size=16).hexdigest()
