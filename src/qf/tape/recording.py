"""Session recordings (.jsonl): one record per line, as several open recorders write them.

    {"t": "header", "exchange": …}            what was recorded
    {"t": "http", "ts": …, "url": …, "data": …}    an answer; depth answers are book snapshots
    {"t": "connect" | "send", …}              the connection's own traffic, no market data
    {"t": "recv", "ts": …, "data": …}         one websocket frame, the text escaped in "data"

Times are seconds with decimals. Answers stand before the frames although they came later, so
the records are put in time order; a recording is therefore read whole, and its length is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from msgspec import Raw, Struct

from qf.clock import EARLIEST_NS, LATEST_NS, SECOND_NS
from qf.errors import RunError, diagnostic
from qf.tape.source import Arrival, Broken

MAX_RECORDS = 2_000_000
TOO_LONG = diagnostic(
    "QF318",
    "the recording holds more than {limit} records, which must be sorted in memory",
    RunError,
    "cut the recording into several files",
)
_SYMBOL = re.compile(r"/depth\?(?:[^#]*&)?symbol=([A-Za-z0-9_]{1,40})(?:&|$)")


class _Line(Struct):
    t: str
    ts: Raw = Raw(b"")
    url: str = ""
    data: str = ""


_decoder = msgspec.json.Decoder(_Line)


def is_header(line: bytes) -> bool:
    """Say whether this first line opens a session recording."""
    if not line.startswith(b"{"):
        return False
    try:
        return _decoder.decode(line).t == "header"
    except (msgspec.MsgspecError, RecursionError):
        return False


def arrivals(lines: Iterator[bytes | Broken]) -> Iterator[Arrival]:
    """Return the frames and snapshots in the order of their receive times. Errors: QF318."""
    found: list[tuple[int, Any, str]] = []
    time = EARLIEST_NS
    for line in lines:
        if len(found) >= MAX_RECORDS:
            raise TOO_LONG(limit=MAX_RECORDS)
        if isinstance(line, Broken):
            found.append((time, line, ""))
            continue
        if not line.strip():
            continue
        try:
            record = _decoder.decode(line)
            time = _nanoseconds(bytes(record.ts)) or time
        except (msgspec.MsgspecError, RecursionError, InvalidOperation):
            found.append((time, Broken("not_json", line), ""))
            continue
        if record.t == "recv":
            found.append((time, record.data.encode(), ""))
        elif record.t == "http" and (symbol := _SYMBOL.search(record.url)):
            found.append((time, record.data.encode(), symbol[1].upper()))
    found.sort(key=lambda item: item[0])
    return iter(found)


def _nanoseconds(text: bytes) -> int:
    if not text or len(text) > 40:
        return 0
    time = int(Decimal(text.decode()) * SECOND_NS)
    return time if EARLIEST_NS <= time <= LATEST_NS else 0
