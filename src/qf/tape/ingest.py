"""Sources to a tape: the first stage of every run.

1. key: the content of everything that decides the result (files, settings, instrument, code);
   a folder of that name in the cache is the answer; where a capture grew by files, the tape of
   those before is gone on with                                                  growth.py
2. merge: several sources in the order (receive time, order of the sources, their own order)
3. read, one arrival after the other and never ahead of it                       read.py
   - stamp: receive times become non-decreasing                                  stamp.py
   - parse: the venue's mapper turns a frame into records                        feeds/
   - screen: numbers become ticks and lots; bad frames go to quarantine          screen.py
4. write: columns into one Parquet file, side tables and the manifest next to it, in a draft
   folder that is renamed when everything is on disk                             draft.py
"""

from __future__ import annotations

import heapq
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from qf.errors import diagnostic
from qf.feeds.record import Record
from qf.feeds.venue import find_venue
from qf.tape.draft import Draft, reuse
from qf.tape.growth import can_grow, find_start, keep_state, shorter_keys
from qf.tape.instruments import Instrument
from qf.tape.manifest import tape_key
from qf.tape.read import Reader, Sink, open_reader
from qf.tape.source import Arrival, Source
from qf.tape.tape_file import TapeFile

BLOCK_ROWS = 131_072
PROGRESS_FRAMES = 20_000

NO_SOURCE = diagnostic("QF320", "{symbol} has no feed provider to read a tape from")
MIXED_SOURCES = diagnostic(
    "QF321",
    "the providers of {symbol} do not fit together: {first} is {one}, {second} is {two}",
    hint="one tape has one venue and one ordering; give the providers different symbols",
)

WRONG_VENUE = diagnostic(
    "QF330",
    "the feed provider {source!r} is {venue}, but the instrument {symbol} is of {other}",
    hint="name the same venue in the provider file and in the instrument",
)


def forget(sources: Sequence[Source], instrument: Instrument, cache: Path) -> None:
    """Remove the cached tape of these sources, so that the next `ingest` reads them again."""
    sources = list(sources)
    _check(sources, instrument)
    key, identity = tape_key(sources, instrument)
    for each in (key, *(shorter for shorter, _ in shorter_keys(sources, identity))):
        shutil.rmtree(cache / each, ignore_errors=True)


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
    with Draft(cache, key) as draft:
        reader = _reader(sources, instrument, draft)
        start, rest = find_start(sources, identity, cache)
        if start is not None:
            start.go_on(reader, draft)
        for count, arrival in enumerate(merged(rest), 1):
            reader.feed(arrival)
            if reader.columns.rows >= BLOCK_ROWS:
                draft.write(reader.columns.take())
            if progress is not None and count % PROGRESS_FRAMES == 0:
                progress(count)
        if can_grow(sources):
            keep_state(reader, draft)
        reader.end()
        if reader.columns.rows:
            draft.write(reader.columns.take())
        made = draft.finish(
            {
                "identity": identity,
                "venue": instrument.venue,
                "symbol": instrument.symbol,
                "ordering": sources[0].ordering,
                "continuity": find_venue(sources[0].venue).CONTINUITY,
                "trades": reader.trades or "trade",
                **reader.tally.summary(),
            }
        )
    return replace(made, kept_files=start.files if start is not None else 0)


@dataclass
class Inspection:
    """What is wrong with some sources: (seq, stream, rule) per finding, and the counts."""

    findings: list[tuple[int, str, str]] = field(default_factory=list)
    refused: list[tuple[int, str, tuple[str, ...]]] = field(default_factory=list)
    accounts: dict[str, dict[str, int]] = field(default_factory=dict)
    frames: int = 0

    def add_finding(self, seq: int, stream: str, rule: str) -> None:
        """Take the report that a frame broke a rule."""
        self.findings.append((seq, stream, rule))

    def add_quarantined(
        self, seq: int, time: int, stream: str, rules: tuple[str, ...], payload: Any
    ) -> None:
        """Take a refused frame."""
        self.refused.append((seq, stream, rules))

    def add_side_row(self, seq: int, time: int, record: Record) -> None:
        """Take a mark price or a liquidation: nothing is wrong with it."""


def inspect(sources: Sequence[Source], instrument: Instrument) -> Inspection:
    """Return what ingest would find, without writing a tape. Errors: as ingest."""
    sources = list(sources)
    _check(sources, instrument)
    inspection = Inspection()
    reader = _reader(sources, instrument, inspection)
    for arrival in merged(sources):
        reader.feed(arrival)
        if reader.columns.rows >= BLOCK_ROWS:
            reader.columns.take()
    reader.end()
    inspection.accounts = dict(sorted(reader.tally.accounts.items()))
    inspection.frames = reader.tally.frames
    return inspection


def _reader(sources: Sequence[Source], instrument: Instrument, sink: Sink) -> Reader:
    declared = next((source.trades for source in sources if source.trades), None)
    return open_reader(instrument, sink, declared, sources[0].ordering)


def _check(sources: Sequence[Source], instrument: Instrument) -> None:
    if not sources:
        raise NO_SOURCE(symbol=instrument.symbol)
    first = sources[0]
    if first.venue != instrument.venue:
        raise WRONG_VENUE(
            source=first.name, venue=first.venue, symbol=instrument.symbol, other=instrument.venue
        )
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


def merged(sources: Sequence[Source]) -> Iterator[Arrival]:
    """Yield the arrivals of all sources in the order of one tape; each source keeps its own."""
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
