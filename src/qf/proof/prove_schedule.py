"""The ways to push one tape: batches, blocks, cuts, kills, single rows; drawn from a seed.

A way is a list of legs, one after the other over the rows of the tape. A fresh leg begins in a new
program that takes over the state the one before has saved, which is what a kill and a restart are.
Blocks reach from 1 to 65,536 rows, where a run has 2,048.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qf.engines.symbol_run import BLOCK_ROWS

BATCH = 131_072  # rows of a push where nothing else is said: what the tape is read in
SMALLEST_BLOCK, LARGEST_BLOCK = 1, 65_536
# A kill makes a program, and its memory, which is filled with garbage, grows with the block.
LARGEST_KILL_BLOCK = 4_096
RANDOM_BLOCKS = 3
BY_ROW_PIECES = 2


@dataclass(frozen=True)
class Leg:
    """Some rows of the tape, pushed in one manner by one program."""

    rows: int
    block: int = BLOCK_ROWS
    batch: int = BATCH
    fresh: bool = False  # a new program, restored from what the one before saved
    by_row: bool = False  # one row per call


@dataclass(frozen=True)
class Way:
    """One way to compute everything, in words and in legs."""

    name: str
    does: str
    legs: tuple[Leg, ...]
    threads: int = 1
    restart: bool = False  # the last leg runs in a new process
    dirty: bool = False  # a program's unused memory holds garbage, not nulls
    flush: bool = False  # what a push made goes to the tables at once


@dataclass(frozen=True)
class Effort:
    """How much is tried, and the seed of what is drawn."""

    cuts: int = 20
    restarts: int = 1  # new processes; 0 or 1
    by_row: int = 250_000
    threads: int = 4
    seed: int = 0


def draw_ways(rows: int, effort: Effort) -> list[Way]:
    """Return the ways to push `rows` rows, always the same ones for the same effort."""
    draw = np.random.default_rng([effort.seed, rows])
    drawn: set[int] = set()
    while len(drawn) < RANDOM_BLOCKS:  # of every symbol as many: their ways are gone side by side
        drawn.add(_size(draw, 2, LARGEST_BLOCK - 1))
    ways = [_blocks(rows, block) for block in (SMALLEST_BLOCK, *sorted(drawn), LARGEST_BLOCK)]
    ways.append(_cut(rows, effort, draw))
    ways.append(_killed(rows, effort, draw))
    if effort.restarts:
        ways.append(_restarted(rows, draw))
    ways.append(_by_row(rows, effort, draw))
    copies = f"{effort.threads} programs at once, each in its thread"
    ways.append(Way(f"{effort.threads} threads", copies, (Leg(rows),), threads=effort.threads))
    return [way for way in ways if way.legs]


def _blocks(rows: int, block: int) -> Way:
    dirty = block <= LARGEST_KILL_BLOCK
    does = "another block size" + ("; memory that nobody wrote holds garbage" if dirty else "")
    return Way(f"blocks of {block:,}", does, (Leg(rows, block),), dirty=dirty)


def _cut(rows: int, effort: Effort, draw: np.random.Generator) -> Way:
    lengths = np.diff([0, *_places(draw, rows, effort.cuts), rows])
    block = _size(draw, 2, LARGEST_KILL_BLOCK)
    legs = tuple(Leg(int(length), block) for length in lengths)
    does = f"pushed in {len(legs)} pieces of random length, in blocks of {block:,}"
    return Way(f"{len(legs) - 1} cuts", does, legs, flush=True)


def _killed(rows: int, effort: Effort, draw: np.random.Generator) -> Way:
    lengths = np.diff([0, *_places(draw, rows, effort.cuts), rows])
    legs = tuple(
        Leg(int(length), _size(draw, 1, LARGEST_KILL_BLOCK), fresh=place > 0)
        for place, length in enumerate(lengths)
    )
    does = "saved and killed at random rows, restored into new programs of random blocks"
    return Way(f"{len(legs) - 1} kills", does, legs, dirty=True)


def _restarted(rows: int, draw: np.random.Generator) -> Way:
    places = _places(draw, rows, 1)
    lengths = np.diff([0, *places, rows])
    legs = tuple(Leg(int(length), fresh=place > 0) for place, length in enumerate(lengths))
    does = f"saved and killed at row {places[0]:,}, restored in a new process" if places else ""
    return Way("1 restart", does, legs if places else (), restart=True)


def _by_row(rows: int, effort: Effort, draw: np.random.Generator) -> Way:
    """Return one row per call at the beginning and from a random row on, the rest in batches."""
    if rows <= effort.by_row:
        return Way("row by row", f"all {rows:,} rows one at a time", (Leg(rows, by_row=True),))
    each = effort.by_row // BY_ROW_PIECES
    start = int(draw.integers(each, rows - each + 1))
    legs = [Leg(each, by_row=True), Leg(start - each), Leg(each, by_row=True)]
    legs.append(Leg(rows - start - each))
    does = (
        f"{2 * each:,} of {rows:,} rows one at a time (from row 0 and from row {start:,}), "
        "the others in batches"
    )
    return Way("row by row", does, tuple(leg for leg in legs if leg.rows))


def _places(draw: np.random.Generator, rows: int, count: int) -> list[int]:
    """Return up to `count` different places inside a tape, in order."""
    if rows < 2:
        return []
    return sorted({int(place) for place in draw.integers(1, rows, count)})


def _size(draw: np.random.Generator, low: int, high: int) -> int:
    """Return a size, small ones as likely as large ones."""
    return int(np.exp(draw.uniform(np.log(low), np.log(high + 1))))
