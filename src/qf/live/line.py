"""One symbol live: frames in, rows out, by the code and in the order of a batch run.

1. the reader stamps, parses and judges the frames, and makes rows of the tape (tape/read.py)
2. kinds that the project does not take are left out, as in a run
3. the program is fed the rows; a group of frames is one block, and blocks of any size give the
   same bits
4. what comes out goes through the routes of a run to every sink

Nothing but frames changes a number: no timer, no connection, no queue.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple, cast

import numpy as np

from qf.book.continuity import (
    AWAITING,
    GAP,
    LAST_APPLIED,
    RESYNCING,
    STATE,
    SYNCED,
    TRADE_NEXT,
    UNSYNCED,
)
from qf.book.state import ARRIVED, OBSERVED, SHOWS
from qf.book.top import is_crossed
from qf.engines.account import direction_counts, kinds_left_out
from qf.engines.parts import CARRIED
from qf.engines.sources import instrument_of
from qf.engines.symbol_plan import SymbolPlan, plan_symbol
from qf.engines.symbol_run import BLOCK_ROWS, without
from qf.errors import diagnostic
from qf.feeds.venue import find_venue
from qf.live.beside import Beside
from qf.live.outlet import Outlet
from qf.program import Program
from qf.project.model import Project, ProviderSpec
from qf.schema import VERDICTS
from qf.sinks.sink import Sink
from qf.tape.instruments import Instrument
from qf.tape.journal import Frame, read_note
from qf.tape.read import Reader

NO_LIVE_PROVIDER = diagnostic(
    "QF590", "no feed provider of the project brings {symbol} live", hint="add one of websocket"
)

MOST_PLANS = 16  # that are kept for a session's next start in the same process
REASONS = {UNSYNCED: "unsynced", AWAITING: "awaiting", GAP: "gap", RESYNCING: "resyncing"}


class BookState(NamedTuple):
    """What the session must know of a book: whether it may be used, why not, and its last id."""

    valid: bool
    reason: str  # "", unsynced, awaiting (a snapshot is loaded), gap, resyncing, crossed
    last_id: int
    needs_snapshot: bool
    next_trade: int = 0  # the id that the next trade should have; 0 before the first


class _Counted(NamedTuple):
    """What the reader counted, where a tape file would say it."""

    accounts: dict[str, dict[str, int]]
    trades: str


class Line:
    """One symbol's reader, program and outlets."""

    def __init__(
        self,
        project: Project,
        symbol: str,
        sinks: Iterable[Sink] = (),
        instrument: Instrument | None = None,
    ) -> None:
        """Wire everything for a symbol; kernels are compiled if they are not. Errors: QF590."""
        provider = live_provider(project, symbol)
        self.project, self.symbol = project, symbol
        self.instrument = instrument or live_instrument(project, provider, symbol)
        mapper = find_venue(self.instrument.venue)
        groups = project.tables | set(CARRIED.values())
        self.planned = _planned(project, self.instrument, mapper.CONTINUITY, groups)
        self.program = Program(self.planned.plan, BLOCK_ROWS)
        sinks = tuple(sinks)
        self._beside = Beside(
            self.instrument,
            frozenset(groups),
            lambda table: any(sink.wants(table) for sink in sinks),
        )
        self._reader = Reader(
            mapper, self.instrument, self._beside, declared_trades(project, symbol)
        )
        self._left_out = kinds_left_out(project.sources)
        self._start = project.history_start_ns
        self.outlets = [Outlet(sink, self.planned, self.program) for sink in sinks]
        self._book = _words(self.program, "book")
        self._book_state: BookState | None = None  # as long as nothing is taken
        self.conflated: dict[str, int] = {}

    def begin(self, state: Mapping[str, Any]) -> None:
        """Begin from the state that a batch run ended with (engines/warm_start.py)."""
        self._reader.restore(state["reader"])
        self.program.restore(state["program"])
        self._book_state = None
        for outlet in self.outlets:
            outlet.begin(state["before"])

    def take(self, frames: Sequence[Frame], quiet: frozenset[str] = frozenset()) -> None:
        """Compute what durable frames bring; the rows of `quiet` sinks are there already."""
        feed = self._reader.feed
        for frame in frames:
            if frame.is_note:
                stream, count = read_note(frame)
                self.conflated[stream] = self.conflated.get(stream, 0) + count
                continue
            feed((frame.processed_time, frame.payload, frame.symbol))
        block: dict[str, np.ndarray] | None = None
        if self._reader.columns.rows:
            block = self._since_start(self._reader.columns.take())
        for published in self._beside.take(block):
            for outlet in self.outlets:
                if outlet.name not in quiet:
                    outlet.publish(published)
        if block is None:
            return
        self._book_state = None
        self._book[OBSERVED : OBSERVED + 1] = 1  # whatever state was restored
        made = self.program.advance(without(block, self._left_out))
        for outlet in self.outlets:
            outlet.pass_over(made) if outlet.name in quiet else outlet.take(made)

    def flush(self) -> None:
        """Hand every gathered row to its sink: the epoch ends."""
        for outlet in self.outlets:
            outlet.flush()

    @property
    def book_state(self) -> BookState:
        """Return how the book stands, as far as frames say; silence is the session's to notice."""
        if self._book_state is None:
            self._book_state = self._read_book_state()
        return self._book_state

    def _read_book_state(self) -> BookState:
        words = self._book
        state = int(words[STATE]) if len(words) else UNSYNCED
        last, trade = (int(words[LAST_APPLIED]), int(words[TRADE_NEXT])) if len(words) else (0, 0)
        if state in REASONS:
            return BookState(False, REASONS[state], last, state in (UNSYNCED, GAP), trade)
        if state == SYNCED and words[SHOWS] and is_crossed(words, ARRIVED):
            return BookState(False, "crossed", last, True, trade)
        return BookState(True, "", last, False, trade)

    @property
    def frames(self) -> int:
        """Return how many frames of the symbol were read: the seq of the next."""
        return self._reader.tally.frames

    @property
    def last_time(self) -> int:
        """Return the receive time of the last frame that was read, NULL_INT for none."""
        return self._reader.tally.last_time

    @property
    def holds_back(self) -> bool:
        """Say whether a frame waits for the next one before it is read."""
        return self._reader.holds_back

    @property
    def accounts(self) -> dict[str, dict[str, int]]:
        """Return what became of the frames, stream by stream, as a run tells it.

        received = applied + superseded + duplicate + quarantined + conflated + ignored + waiting
        """
        counted = _Counted(self._reader.tally.accounts, self._reader.trades or "trade")
        tape = cast(Any, counted)  # all that is asked of a tape here
        accounts, _ = direction_counts(self.program, self.planned, tape, self._left_out)
        for name, count in self.conflated.items():
            row = accounts.setdefault(name, dict.fromkeys(("received", *VERDICTS, "waiting"), 0))
            row["received"] += count
            row["conflated"] = count
        return accounts

    @property
    def findings(self) -> Mapping[str, int]:
        """Return how many frames broke each rule."""
        return dict(self._beside.findings)

    def told(self) -> dict[str, Any]:
        """Return how the symbol stands, as JSON values."""
        book = self.book_state
        return {
            "frames": self.frames,
            "last_time": self.last_time,
            "book": {"valid": book.valid, "reason": book.reason, "last_id": book.last_id},
            "accounts": self.accounts,
            "findings": self.findings,
        }

    def state(self) -> dict[str, Any]:
        """Return everything that decides the rows to come; gathered rows must have been flushed.

        It stays as it is while the line goes on: a checkpoint is packed later.
        """
        return {
            "reader": json.dumps(self._reader.state()).encode(),
            "program": self.program.save(),
            "outlets": {outlet.name: outlet.state() for outlet in self.outlets},
            "beside": self._beside.state(),
            "conflated": dict(self.conflated),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken. Errors: QF332, QF430, QF431."""
        self._reader.restore(json.loads(state["reader"]))
        self.program.restore(state["program"])
        self._book_state = None
        for outlet in self.outlets:
            if outlet.name in state["outlets"]:
                outlet.restore(state["outlets"][outlet.name])
        self._beside.restore(state["beside"])
        self.conflated = dict(state["conflated"])

    def identity(self) -> dict[str, Any]:
        """Return what a saved state of this line belongs to, as JSON values."""
        return {
            "plan": self.program.plan_hash,
            "instrument": asdict(self.instrument),
            "sources": sorted(self.project.sources),
            "history_start": self._start,
        }

    def _since_start(self, block: dict[str, np.ndarray]) -> dict[str, np.ndarray] | None:
        """Return the rows since the history's start; None where there are none yet."""
        if self._start is None or block["processed_time"][0] >= self._start:
            return block
        keep = block["processed_time"] >= self._start
        return {name: column[keep] for name, column in block.items()} if keep.any() else None


_plans: OrderedDict[tuple[int, Instrument, str, frozenset[str]], tuple[Project, SymbolPlan]] = (
    OrderedDict()
)


def _planned(
    project: Project, instrument: Instrument, continuity: str, groups: frozenset[str]
) -> SymbolPlan:
    """Return the plan of a symbol; a session that starts again in this process plans nothing anew.

    Nothing writes to a plan: programs and outlets keep their state apart from it.
    """
    key = (id(project), instrument, continuity, groups)
    if key not in _plans:
        _plans[key] = (project, plan_symbol(project, instrument, continuity, groups))
        while len(_plans) > MOST_PLANS:
            _plans.popitem(last=False)
    return _plans[key][1]


def live_provider(project: Project, symbol: str) -> ProviderSpec:
    """Return the provider whose frames a session takes: the websocket one. Errors: QF590."""
    found = [each for each in project.providers if not each.symbols or symbol in each.symbols]
    live = [each for each in found if each.kind == "websocket"] or found
    if not live:
        raise NO_LIVE_PROVIDER(symbol=symbol)
    return live[0]


def declared_trades(project: Project, symbol: str) -> str | None:
    """Return the channel that makes the trades, as ingest takes it: the first that is declared."""
    found = [each for each in project.providers if not each.symbols or symbol in each.symbols]
    return next((each.trades for each in found if each.trades), None)


def live_instrument(project: Project, provider: ProviderSpec, symbol: str) -> Instrument:
    """Return what a symbol is, as the project or its simulated market says. Errors: QF501."""
    row = project.instrument(provider.venue, symbol)
    if row is None:
        return instrument_of(project, symbol)
    given = asdict(row)
    given.pop("place")
    return Instrument(**given)


def _words(program: Program, op_name: str) -> np.ndarray:
    """Return the int64 words of an op's state where they lie, to be read without a copy."""
    at = 0
    for each in program.plan.instructions:
        if each.op.name == op_name:
            return program._ints[at : at + each.ints]
        at += each.ints
    return np.zeros(0, np.int64)
