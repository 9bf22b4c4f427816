"""Each stage of a live job in one word and a few figures, from what its parts say of themselves.

ok          frames flow, every book that is kept is valid
starting    not connected yet, or nothing has come yet
degraded    something is not as it should be, and is being mended: the reason says what
stopped     it was asked to end, and has
failed      it does not go on by itself
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Told = Mapping[str, Any]
OVER = ("stopped", "failed")


def health_of(engine: Told, venues: Told) -> dict[str, dict[str, Any]]:
    """Return stage -> health, reason and figures."""
    stages = {
        "ingest": _ingest(engine, venues),
        "state": _state(engine),
        "feature": _feature(engine),
    }
    if engine["state"] in OVER:  # after a stop, what is not connected any more is no fault
        for stage in ("ingest", "state"):
            stages[stage]["health"] = engine["state"]
            if engine["state"] == "stopped":
                stages[stage]["reason"] = ""
    return stages


def _ingest(engine: Told, venues: Told) -> dict[str, Any]:
    reasons = []
    links = [(name, link) for name, venue in venues.items() for link in venue["links"]]
    for name, link in links:
        stalled = [stream for stream, row in link["streams"].items() if row["stalled"]]
        if not link["connected"]:
            reasons.append(f"{name} is not connected: {link['last_reason'] or 'connecting'}")
        elif stalled:
            reasons.append(f"{name} is silent on {', '.join(stalled[:3])}")
    for name, venue in venues.items():
        if venue["rest"]["banned_s"] > 0:
            reasons.append(f"{name} refuses requests for {venue['rest']['banned_s']:.0f} s")
    health = "degraded" if reasons else "ok"
    if not sum(venue["messages"] for venue in venues.values()):
        health = "starting"
    symbols = [row for venue in venues.values() for row in venue["symbols"].values()]
    return {
        "health": health,
        "reason": "; ".join(reasons),
        "messages": sum(venue["messages"] for venue in venues.values()),
        "queue": engine["queue"]["frames"],
        "trade_holes": sum(row["trade_holes"] for row in symbols),
        "trades_missing": sum(row["trades_missing"] for row in symbols),
        "snapshots_asked": sum(row["snapshots_asked"] for row in symbols),
        "delay_ms": {name: venue["delay"] for name, venue in venues.items()},
    }


def _state(engine: Told) -> dict[str, Any]:
    lines = engine["lines"]
    reasons = [
        f"the book of {symbol} is {row['book']['reason']}"
        for symbol, row in lines.items()
        if not row["book"]["valid"]
    ]
    health = "degraded" if reasons else "ok"
    if not any(row["frames"] for row in lines.values()):
        health = "starting"
    return {
        "health": health,
        "reason": "; ".join(reasons),
        "symbols": len(lines),
        "frames": sum(row["frames"] for row in lines.values()),
    }


def _feature(engine: Told) -> dict[str, Any]:
    state = engine["state"]
    health = {"running": "ok", "stopped": "stopped", "failed": "failed"}.get(state, "starting")
    return {
        "health": health,
        "reason": engine["notes"][-1] if engine["notes"] and health == "failed" else "",
        "frames": engine["frames"],
        "frames_per_second": engine["frames_per_second"],
        "latency_ms": engine["latency_ms"],
        "age_of_last_frame_s": engine["age_of_last_frame_s"],
    }
