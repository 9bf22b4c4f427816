"""The status of a session as lines for a reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qf.cli._terminal import table
from qf.clock import format_time


def view(told: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of `qf pipeline status`."""
    session, status = told["session"], told["status"]
    yield (
        f"{(status or {}).get('project', 'session')}: {session['state']} since "
        f"{format_time(session['since_ns'])}, process {session['pid']} on {session['host']}, "
        f"{session['restarts']} restarts"
        + (f", the last after {session['last_exit']}" if session["last_exit"] else "")
    )
    if status is None:
        yield "the worker has said nothing yet"
        return
    if told["running"] and told["age_s"] > 5:
        yield f"the worker has said nothing for {told['age_s']:.0f} s"
    yield ""
    yield from _stages(status)
    yield ""
    yield from _symbols(status)
    yield ""
    yield from _venues(status)
    notes = (*status["history"][-5:], *status["engine"]["notes"][-5:], *status["problems"][-5:])
    for sentence in notes:
        yield f"note: {sentence}"


def _stages(status: dict[str, Any]) -> Iterator[str]:
    rows = []
    for name, row in status["stages"].items():
        latency = row.get("latency_ms", {})
        rows.append(
            (
                name,
                row["health"],
                row.get("queue", ""),
                _number(row.get("frames_per_second")),
                _number(latency.get("p50")),
                _number(latency.get("p99")),
                _number(row.get("age_of_last_frame_s")),
                row["reason"],
            )
        )
    head = ("stage", "health", "queue", "frames/s", "p50 ms", "p99 ms", "last s ago", "")
    yield table(rows, head)


def _symbols(status: dict[str, Any]) -> Iterator[str]:
    gaps = {
        symbol: row
        for venue in status["venues"].values()
        for symbol, row in venue["symbols"].items()
    }
    rows = []
    for symbol, line in status["engine"]["lines"].items():
        book, own = line["book"], gaps.get(symbol, {})
        sums = _sums(line["accounts"])
        rows.append(
            (
                symbol,
                "valid" if book["valid"] else book["reason"],
                own.get("snapshots_asked", ""),
                f"{own.get('trade_holes', '')}/{own.get('trades_missing', '')}",
                *(sums.get(key, 0) for key in ("received", "quarantined", "ignored", "conflated")),
            )
        )
    head = ("symbol", "book", "snapshots", "holes/missing", "received", "quarantined", "ignored")
    yield table(rows, (*head, "conflated"))


def _venues(status: dict[str, Any]) -> Iterator[str]:
    rows = []
    for name, venue in status["venues"].items():
        links, rest = venue["links"], venue["rest"]
        up = sum(link["connected"] for link in links)
        rows.append(
            (
                name,
                f"{up}/{len(links)}",
                sum(link["breaks"] for link in links),
                sum(link["replacements"] for link in links),
                venue["messages"],
                _number(venue["delay"]["p50_ms"]),
                _number(venue["delay"]["p99_ms"]),
                _number(venue["clock_offset_ms"]),
                f"{rest['asked']}/{rest['failed']}",
                _number(rest["banned_s"]),
            )
        )
    head = ("provider", "connected", "breaks", "replaced", "messages", "p50 ms", "p99 ms")
    yield table(rows, (*head, "offset ms", "asked/failed", "banned s"))


def _sums(accounts: dict[str, dict[str, int]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for row in accounts.values():
        for key, count in row.items():
            sums[key] = sums.get(key, 0) + count
    return sums


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}"
