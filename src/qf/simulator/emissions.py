"""Rows that a session handed out, held against the batch run over its journal.

A row is a line of text with its key in it. Over all lives of the process the lines that were handed
out must be those of the batch run: none missing, none other. The same line may come twice after a
crash; another line with the same key is a changed row, and so is not one of the batch's.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from qf.engines.account import direction_counts, kinds_left_out
from qf.engines.collect import Collector
from qf.engines.symbol_plan import SymbolPlan, plan_symbol
from qf.engines.symbol_run import BLOCK_ROWS, without
from qf.feeds.venue import find_venue
from qf.program import Program
from qf.project.model import Project
from qf.schema_tables import Table
from qf.sinks.json_lines import lines_of
from qf.sinks.jsonl import stem_of
from qf.tape.ingest import ingest
from qf.tape.instruments import Instrument
from qf.tape.journal import Frame

SHOWN = 160


@dataclass
class Emissions:
    """Everything that was handed out, life after life."""

    is_safe: Callable[[], bool]  # whether all that was journalled is durable now
    lines: dict[bytes, int] = field(default_factory=dict)
    handed_out: int = 0
    repeated: int = 0
    too_early: int = 0

    def take(self, data: bytes) -> None:
        """Take lines as the session prints them."""
        safe = self.is_safe()
        for line in data.splitlines():
            self.handed_out += 1
            self.too_early += not safe
            if line in self.lines:
                self.repeated += 1
            self.lines[line] = self.lines.get(line, 0) + 1


class Lines:
    """A table writer that keeps rows as lines."""

    def __init__(self) -> None:
        self.by_file: dict[str, list[bytes]] = {}  # as a sink of lines names its files
        self.by_table: dict[str, list[bytes]] = {}
        self.tables: dict[str, Table] = {}

    def write(self, table: Table, columns: Mapping[str, np.ndarray], **constants: str) -> None:
        """Keep the rows."""
        lines = lines_of(table, columns, constants).splitlines()
        if lines:
            self.tables[table.name] = table
            self.by_file.setdefault(stem_of(table, constants), []).extend(lines)
            self.by_table.setdefault(table.name, []).extend(lines)

    @property
    def lines(self) -> list[bytes]:
        """Return every row."""
        return [line for lines in self.by_table.values() for line in lines]


@dataclass(frozen=True)
class JournalSource:
    """The frames of one symbol out of a journal, as a batch run reads them."""

    name: str
    venue: str
    trades: str | None
    symbol: str
    frames: Sequence[Frame]
    ordering: str = "arrival"

    def identity(self) -> dict[str, Any]:
        """Return what decides the frames; the tape is made for one comparison only."""
        return {"kind": "simulated journal", "symbol": self.symbol, "frames": len(self.frames)}

    def arrivals(self) -> Iterable[tuple[int, bytes, str]]:
        """Yield the symbol's own frames and those that do not say whose they are."""
        for frame in self.frames:
            if frame.symbol in ("", self.symbol) and not frame.is_note:
                yield frame.processed_time, frame.payload, frame.symbol


@dataclass
class Batch:
    """What the batch run makes of a journal, for one symbol."""

    rows: Lines
    accounts: dict[str, dict[str, int]]


def batch(project: Project, instrument: Instrument, frames: Sequence[Frame]) -> Batch:
    """Run the batch path over a journal: a tape on the disk, then blocks as large as they come."""
    provider = next(p for p in project.providers if instrument.symbol in p.symbols)
    source: Any = JournalSource(
        provider.name, instrument.venue, provider.trades, instrument.symbol, frames
    )
    planned = _planned(project, instrument)
    program = Program(planned.plan, BLOCK_ROWS)
    writer, left_out = Lines(), kinds_left_out(project.sources)
    collector = Collector(planned, program, writer)
    with tempfile.TemporaryDirectory(prefix="qf-sim-") as folder:
        tape = ingest([source], instrument, Path(folder))
        for block in tape.blocks(project.micro_batch_size, project.history_start_ns, None):
            collector.take(program.advance(without(block, left_out)))
        collector.flush()
        accounts, _ = direction_counts(program, planned, tape, left_out)
    return Batch(writer, accounts)


def _planned(project: Project, instrument: Instrument) -> SymbolPlan:
    return plan_symbol(project, instrument, find_venue(instrument.venue).CONTINUITY)


def differences(emitted: Mapping[bytes, int], expected: Sequence[bytes], whole: bool) -> list[str]:
    """Return what is wrong with the rows handed out, in sentences.

    `whole`: every row must have been handed out; else a session that was cut short may lack the
    last ones, and only rows that are not the batch's are wrong.
    """
    wanted = dict.fromkeys(expected)
    found = []
    other = [line for line in emitted if line not in wanted]
    if other:
        shown = other[0][:SHOWN].decode(errors="replace")
        found.append(f"{len(other)} rows handed out are not the batch run's, the first: {shown}")
    missing = [line for line in expected if line not in emitted] if whole else []
    if missing:
        shown = missing[0][:SHOWN].decode(errors="replace")
        found.append(f"{len(missing)} rows of the batch run never came, the first: {shown}")
    return found
