"""Sources to a tape: the first stage of every run.

1. key: the content of everything that decides the result (files, settings, instrument, code);
   a folder of that name in the cache is the answer
2. probe: the head of the sources says which trades channel is there and the usual clock offset
3. merge: several sources in the order (receive time, order of the sources, their own order)
4. stamp: receive times become non-decreasing                                    stamp.py
5. parse: the venue's mapper turns a frame into records                          feeds/
6. screen: numbers become ticks and lots; bad frames go to quarantine            screen.py
7. write: columns into one Parquet file, side tables and the manifest next to it, in a draft
   folder that is renamed when everything is on disk                             draft.py
"""

from __future__ import annotations

import heapq
import itertools
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qf.errors import diagnostic
from qf.feeds.record import IGNORED, STREAMS, Quarantine, Record
from qf.feeds.venue import Mapper, find_venue
from qf.schema import BIT, NULL_INT
from qf.tape.columns import Columns
from qf.tape.draft import Draft, reuse
from qf.tape.grid import Grid
from qf.tape.instruments import Instrument
from qf.tape.manifest import tape_key
from qf.tape.screen import Screen
from qf.tape.source import Arrival, Broken, Source
from qf.tape.stamp import Stamped, stamp
from qf.tape.tape_file import TapeFile

PROBE_FRAMES = 10_000
BLOCK_ROWS = 131_072
PROGRESS_FRAMES = 20_000

NO_SOURCE = diagnostic("QF320", "{symbol} has no feed provider to read a tape from")
MIXED_SOURCES = diagnostic(
    "QF321",
    "the providers of {symbol} do not fit together: {first} is {one}, {second} is {two}",
    hint="one tape has one venue and one ordering; give the providers different symbols",
)

_CLOCK_BITS = {"clock_step": BIT["clock_step"]}


@dataclass
class Tally:
    """What ingest counted while it read."""

    frames: int = 0
    first_time: int = NULL_INT
    last_time: int = NULL_INT
    other_symbols: int = 0
    accounts: dict[str, dict[str, int]] = field(default_factory=dict)

    def count(self, stream: str, verdict: str = "") -> None:
        """Count one received frame, and its verdict where ingest decides it."""
        account = self.accounts.setdefault(stream, {"received": 0, "quarantined": 0, "ignored": 0})
        account["received"] += 1
        if verdict:
            account[verdict] += 1


def ingest(
    sources: Sequence[Source],
    instrument: Instrument,
    cache: Path,
    progress: Callable[[int], None] | None = None,
) -> TapeFile:
    """Return the tape of one symbol, from the cache where its key is there already.

    `progress` is called with the frames read so far. Errors: QF300, QF312-QF323.
    """
    sources = list(sources)
    _check(sources, instrument)
    key, identity = tape_key(sources, instrument)
    found = reuse(cache, key)
    if found is not None:
        return found
    mapper = find_venue(sources[0].venue)
    trades, offset = _probe(sources, mapper, instrument.symbol)
    tally = Tally()
    with Draft(cache, key) as draft:
        reader = _Reader(mapper, instrument, trades, offset, tally, draft)
        for count, item in enumerate(stamp(_merge(sources)), 1):
            reader.read(item)
            if reader.columns.rows >= BLOCK_ROWS:
                draft.write(reader.columns.take())
            if progress is not None and count % PROGRESS_FRAMES == 0:
                progress(tally.frames)
        if reader.columns.rows:
            draft.write(reader.columns.take())
        if progress is not None:
            progress(tally.frames)
        return draft.finish(
            {
                "identity": identity,
                "venue": instrument.venue,
                "symbol": instrument.symbol,
                "ordering": sources[0].ordering,
                "continuity": mapper.CONTINUITY,
                "trades": trades,
                "frames": tally.frames,
                "first_time": tally.first_time,
                "last_time": tally.last_time,
                "other_symbols": tally.other_symbols,
                "accounts": dict(sorted(tally.accounts.items())),
            }
        )


def _check(sources: Sequence[Source], instrument: Instrument) -> None:
    if not sources:
        raise NO_SOURCE(symbol=instrument.symbol)
    first = sources[0]
    for other in sources[1:]:
        for one, two in ((first.venue, other.venue), (first.ordering, other.ordering)):
            if one != two:
                raise MIXED_SOURCES(
                    symbol=instrument.symbol,
                    first=first.name,
                    second=other.name,
                    one=one,
                    two=two,
                )


def _merge(sources: Sequence[Source]) -> Iterator[Arrival]:
    if len(sources) == 1:
        return sources[0].arrivals()
    keyed = [_keyed(source, place) for place, source in enumerate(sources)]
    return (item for _, item in heapq.merge(*keyed, key=lambda pair: pair[0]))


def _keyed(source: Source, place: int) -> Iterator[tuple[tuple[int, int, int], Arrival]]:
    # A source's own order is never changed: its times count from their running maximum.
    latest = 0
    for order, item in enumerate(source.arrivals()):
        latest = max(latest, item[0])
        yield (latest, place, order), item


def _probe(sources: Sequence[Source], mapper: Mapper, symbol: str) -> tuple[str, int | None]:
    """Return the trades channel to use and the median of event time minus receive time."""
    declared = next((source.trades for source in sources if source.trades), None)
    streams: set[str] = set()
    offsets: list[int] = []
    for item in itertools.islice(_merge(sources), PROBE_FRAMES):
        for record in _parse(item, mapper):
            if record.symbol not in ("", symbol):
                continue
            streams.add(record.stream)
            if record.event_time > 0 and len(offsets) < 1_000:
                offsets.append(record.event_time - item[0])
        if declared and len(offsets) >= 1_000:
            break
    trades = declared or ("trade" if "trade" in streams or "agg_trade" not in streams else "")
    timed = sources[0].ordering == "arrival"
    offset = int(statistics.median_low(offsets)) if offsets and timed else None
    return trades or "agg_trade", offset


def _parse(item: Arrival, mapper: Mapper) -> tuple[Record, ...]:
    payload = item[1]
    if isinstance(payload, Record):
        return (payload,)
    try:
        return mapper.parse(payload, item[0]) if isinstance(payload, bytes) else ()
    except Quarantine:
        return ()


class _Reader:
    """Steps 5 and 6 for one stamped arrival after the other."""

    def __init__(
        self,
        mapper: Mapper,
        instrument: Instrument,
        trades: str,
        offset: int | None,
        tally: Tally,
        draft: Draft,
    ) -> None:
        self.columns = Columns()
        self._parse, self._symbol = mapper.parse, instrument.symbol
        self._skip = "agg_trade" if trades == "trade" else "trade"
        self._screen = Screen(Grid(instrument), offset)
        self._tally, self._draft = tally, draft

    def read(self, item: Stamped) -> None:
        """Read one arrival: count it, judge it, and add its rows."""
        time, raw_time, payload, hint, rules = item
        try:
            if isinstance(payload, bytes):
                records = self._parse(payload, time)
            elif isinstance(payload, Broken):
                raise Quarantine(payload.rule)
            else:
                records = (payload,)
        except Quarantine as bad:
            symbol = bad.symbol or hint
            if symbol and symbol != self._symbol:
                self._tally.other_symbols += 1
                return
            seq = self._enter(time, rules)
            self._refuse(seq, time, bad.stream, (bad.rules, rules), payload)
            return
        for record in records:
            symbol = record.symbol or hint
            if symbol and symbol != self._symbol:
                self._tally.other_symbols += 1
                continue
            self._record(record, time, raw_time, payload, rules)

    def _enter(self, time: int, rules: tuple[str, ...]) -> int:
        tally = self._tally
        seq = tally.frames
        tally.frames += 1
        if seq == 0:
            tally.first_time = time
        tally.last_time = time
        return seq

    def _record(
        self, record: Record, time: int, raw_time: int, payload: Any, rules: tuple[str, ...]
    ) -> None:
        seq = self._enter(time, rules)
        stream = record.stream
        if stream == self._skip or stream == IGNORED.stream:
            self._tally.count(stream, "ignored")
            self._report(seq, stream, rules)
            return
        bad, notes, flags, levels = self._screen.judge(record, raw_time, time)
        if levels is None:
            self._refuse(seq, time, stream, (bad, (*notes, *rules)), payload)
            return
        self._tally.count(stream)
        if notes or rules:
            self._report(seq, stream, (*notes, *rules))
            if "clock_step" in rules:
                flags |= _CLOCK_BITS["clock_step"]
        if record.values:
            self._draft.add_side_row(seq, time, record)
        kind = STREAMS[stream]
        if kind:
            self.columns.add(seq, kind, time, record, flags, levels)

    def _refuse(
        self,
        seq: int,
        time: int,
        stream: str,
        rules: tuple[tuple[str, ...], tuple[str, ...]],
        payload: Any,
    ) -> None:
        bad, notes = rules
        self._tally.count(stream, "quarantined")
        self._report(seq, stream, (*bad, *notes))
        self._draft.add_quarantined(seq, time, stream, bad, payload)
        kind = STREAMS[stream]
        if kind or stream == "unreadable":
            flags = _CLOCK_BITS["clock_step"] if "clock_step" in notes else 0
            self.columns.add_bad(seq, kind, time, flags)

    def _report(self, seq: int, stream: str, rules: tuple[str, ...]) -> None:
        for rule in rules:
            self._draft.add_finding(seq, stream, rule)
