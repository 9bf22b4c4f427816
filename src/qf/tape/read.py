"""One arrival after the other: stamp it, parse it, count it, judge it, and add its rows.

Nothing here looks ahead: what is said of a frame depends on it and on the frames before it. Two
things may make a frame wait until the next one arrives: its receive time jumps ahead (stamp.py),
or it is the first of all and its two clocks are hours apart (reference.py). Both give the same
rows whoever feeds the frames, a file or a socket, and wherever the reader was saved and restored.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from qf.clock import EARLIEST_NS, LATEST_NS
from qf.errors import RunError, diagnostic
from qf.feeds.record import IGNORED, STREAMS, Quarantine, Record
from qf.feeds.venue import Mapper, find_venue
from qf.schema import BIT, NULL_INT
from qf.tape.columns import Columns
from qf.tape.grid import Grid
from qf.tape.instruments import Instrument
from qf.tape.payload import read_payload, write_payload
from qf.tape.reference import Reference
from qf.tape.screen import Screen
from qf.tape.source import Arrival, Broken
from qf.tape.stamp import Stamped, Stamper

CLOCK_STEP = BIT["clock_step"]
TRADE_STREAMS = ("trade", "agg_trade")
# What may wait while the first clock offset is in doubt; then the first frame is believed.
MOST_WAITING, MOST_WAITING_BYTES = 1_024, 1 << 20
STATE_FORM = 1
MOST_OTHERS = 12  # names of other symbols that are remembered

OTHER_STATE = diagnostic(
    "QF332",
    "the saved state is of {saved}, and this reader is of {own}",
    RunError,
    "begin without the state, or restore it into the reader that it was taken from",
)


class Sink(Protocol):
    """Where everything goes that is no row of the tape."""

    def add_finding(self, seq: int, stream: str, rule: str) -> None:
        """Take the report that a frame broke a rule."""
        ...

    def add_quarantined(
        self, seq: int, time: int, stream: str, rules: tuple[str, ...], payload: Any
    ) -> None:
        """Take a refused frame."""
        ...

    def add_side_row(self, seq: int, time: int, record: Record) -> None:
        """Take a mark price or a liquidation."""
        ...


@dataclass
class Tally:
    """What ingest counted while it read."""

    frames: int = 0
    first_time: int = NULL_INT
    last_time: int = NULL_INT
    other_symbols: int = 0  # frames of other symbols, and the first of their names
    others: list[str] = field(default_factory=list)
    accounts: dict[str, dict[str, int]] = field(default_factory=dict)

    def count(self, stream: str, verdict: str = "") -> None:
        """Count one received frame, and its verdict where ingest decides it."""
        account = self.accounts.setdefault(stream, {"received": 0, "quarantined": 0, "ignored": 0})
        account["received"] += 1
        if verdict:
            account[verdict] += 1

    def pass_over(self, symbol: str) -> None:
        """Count one frame of another symbol."""
        self.other_symbols += 1
        if len(self.others) < MOST_OTHERS and symbol not in self.others:
            self.others.append(symbol)

    def summary(self) -> dict[str, Any]:
        """Return the counts for the manifest."""
        return {**asdict(self), "accounts": dict(sorted(self.accounts.items()))}


class Reader:
    """The tape of one symbol, one arrival after the other.

    `trades` is the channel that makes the trades; undeclared it is that of the first trade.
    `columns` collects the rows, `tally` the counts, `sink` takes everything else.
    """

    def __init__(
        self,
        mapper: Mapper,
        instrument: Instrument,
        sink: Sink,
        trades: str | None = None,
        timed: bool = True,
    ) -> None:
        self.columns, self.tally, self.trades = Columns(), Tally(), trades
        self._parse, self._symbol = mapper.parse, instrument.symbol
        self._own = [STATE_FORM, mapper.VENUE, asdict(instrument), trades, timed]
        self._stamper = Stamper()
        self._screen = Screen(Grid(instrument), Reference(timed))
        self._sink = sink
        self._waiting: list[Stamped] = []
        self._waiting_bytes = 0

    def feed(self, arrival: Arrival) -> None:
        """Read one arrival: count it, judge it, and add its rows."""
        for item in self._stamper.feed(arrival):
            self._read(item)

    def end(self) -> None:
        """Read what waits for an arrival that will not come."""
        for item in self._stamper.end():
            self._read(item)
        if self._waiting:
            self._screen.reference.believe_the_first()
            self._read_waiting()

    @property
    def holds_back(self) -> bool:
        """Say whether an arrival waits for the next one."""
        return bool(self._waiting) or self._stamper.holds_back

    def _read(self, item: Stamped) -> None:
        records = self._records(item)
        if self._screen.reference.is_open and self._must_wait(item, records):
            return
        self._enter(item, records)

    def _records(self, item: Stamped) -> tuple[Record, ...] | Quarantine:
        payload = item[2]
        try:
            if isinstance(payload, bytes):
                return self._parse(payload, item[0])
            if isinstance(payload, Broken):
                return Quarantine(payload.rule)
        except Quarantine as bad:
            return bad
        return (payload,)

    def _must_wait(self, item: Stamped, records: tuple[Record, ...] | Quarantine) -> bool:
        """Say whether this arrival waits because no clock offset is believed yet."""
        reference = self._screen.reference
        for record in () if isinstance(records, Quarantine) else records:
            event = record.event_time
            ours = (record.symbol or item[3]) in ("", self._symbol)
            if ours and EARLIEST_NS <= event <= LATEST_NS and reference.settle(event - item[1]):
                self._read_waiting()
                return False
        if not reference.doubted:
            return False
        self._waiting.append(item)
        self._waiting_bytes += len(item[2]) if isinstance(item[2], bytes) else 0
        if len(self._waiting) >= MOST_WAITING or self._waiting_bytes >= MOST_WAITING_BYTES:
            reference.believe_the_first()
            self._read_waiting()
        return True

    def _read_waiting(self) -> None:
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        for item in waiting:
            self._enter(item, self._records(item))

    def _enter(self, item: Stamped, records: tuple[Record, ...] | Quarantine) -> None:
        time, raw_time, payload, hint, rules = item
        if isinstance(records, Quarantine):
            symbol = records.symbol or hint
            if symbol and symbol != self._symbol:
                self.tally.pass_over(symbol)
                return
            self._refuse(self._number(time), time, records.stream, (records.rules, rules), payload)
            return
        for record in records:
            symbol = record.symbol or hint
            if symbol and symbol != self._symbol:
                self.tally.pass_over(symbol)
                continue
            self._record(record, time, raw_time, payload, rules)

    def _number(self, time: int) -> int:
        tally = self.tally
        seq = tally.frames
        tally.frames += 1
        if seq == 0:
            tally.first_time = time
        tally.last_time = time
        return seq

    def _record(
        self, record: Record, time: int, raw_time: int, payload: Any, rules: tuple[str, ...]
    ) -> None:
        seq = self._number(time)
        stream = record.stream
        if self._is_ignored(stream):
            self.tally.count(stream, "ignored")
            self._report(seq, stream, rules)
            return
        bad, notes, flags, levels = self._screen.judge(record, raw_time, time)
        notes = (*notes, *rules)
        if levels is None:
            self._refuse(seq, time, stream, (bad, notes), payload)
            return
        self.tally.count(stream)
        if notes:
            self._report(seq, stream, notes)
            flags |= CLOCK_STEP if "clock_step" in notes else 0
        if record.values:
            self._sink.add_side_row(seq, time, record)
        if STREAMS[stream]:
            self.columns.add(seq, time, record, flags, levels)

    def _is_ignored(self, stream: str) -> bool:
        if stream in TRADE_STREAMS:
            if self.trades is None:
                self.trades = stream
            return stream != self.trades
        return stream == IGNORED.stream

    def _refuse(
        self,
        seq: int,
        time: int,
        stream: str,
        rules: tuple[tuple[str, ...], tuple[str, ...]],
        payload: Any,
    ) -> None:
        bad, notes = rules
        self.tally.count(stream, "quarantined")
        self._report(seq, stream, (*bad, *notes))
        self._sink.add_quarantined(seq, time, stream, bad, payload)
        kind = STREAMS[stream]
        if stream in TRADE_STREAMS and self.trades not in (None, stream):
            return  # of the other channel nothing is missing
        if kind or stream == "unreadable":
            self.columns.add_bad(seq, kind, time, CLOCK_STEP if "clock_step" in notes else 0)

    def _report(self, seq: int, stream: str, rules: tuple[str, ...]) -> None:
        for rule in dict.fromkeys(rules):
            self._sink.add_finding(seq, stream, rule)

    def state(self, rows: bool = True) -> dict[str, Any]:
        """Return everything that decides what the next arrival becomes, as JSON values.

        It is bounded: a few integers per stream, at most MOST_WAITING_BYTES and one frame that
        wait, and with `rows` those not taken from `columns` yet. What went to the sink is its own.
        """
        return {
            "of": self._own,
            "trades": self.trades,
            "tally": asdict(self.tally),
            "stamp": self._stamper.state(),
            "screen": self._screen.state(),
            "waiting": [[*item[:2], write_payload(item[2]), *item[3:]] for item in self._waiting],
            "columns": self.columns.state() if rows else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken, here or in another process. Errors: QF332."""
        if state["of"] != self._own:
            raise OTHER_STATE(saved=_told(state["of"]), own=_told(self._own))
        self.trades = state["trades"]
        self.tally = Tally(**state["tally"])
        self.tally.others = list(self.tally.others)
        self.tally.accounts = {name: dict(row) for name, row in self.tally.accounts.items()}
        self._stamper.restore(state["stamp"])
        self._screen.restore(state["screen"])
        self._waiting = [
            (time, raw, read_payload(payload), hint, tuple(rules))
            for time, raw, payload, hint, rules in state["waiting"]
        ]
        held = (item[2] for item in self._waiting)
        self._waiting_bytes = sum(len(payload) for payload in held if isinstance(payload, bytes))
        if state["columns"] is not None:
            self.columns.restore(state["columns"])


def open_reader(
    instrument: Instrument, sink: Sink, trades: str | None = None, ordering: str = "arrival"
) -> Reader:
    """Return the reader of an instrument's frames. Errors: QF300."""
    return Reader(find_venue(instrument.venue), instrument, sink, trades, ordering == "arrival")


def _told(own: list[Any]) -> str:
    form, venue, instrument, trades, _ = own
    return f"{instrument['symbol']} on {venue} (form {form}, trades: {trades or 'undeclared'})"
