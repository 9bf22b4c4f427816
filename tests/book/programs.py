"""Small programs of the book's ops, as the tests run them."""

from __future__ import annotations

from qf.book.enrich import LEVEL_VALUES, VALUES, WORDS
from qf.book.track import BOOK_VALUES, BOOK_WORDS, SNAPSHOT_LEVELS, SNAPSHOT_WORDS
from qf.op import find
from qf.program import Plan
from qf.schema import TAPE


def tape_plan():
    """Return a plan fed with the tape, and its first column."""
    plan = Plan()
    plan.clock("events")
    return plan, [plan.feed(field.name, "int") for field in TAPE][:1]


def read_all(plan, names, columns):
    """Ask for every column of a group."""
    for name, column in zip(names, columns, strict=True):
        plan.read(name, column)


def track_plan(rule, depth=5, period_ms=100, ttl_ms=3000):
    """Return tape -> sync -> track, everything read."""
    plan, tape = tape_plan()
    stream = plan.add(find("sync", "book"), tape, {"rule": rule}, [plan.clock("stream")])[0]
    words, values, marks, levels = plan.add(
        find("track", "book"),
        stream[:1],
        {
            "depth_levels": depth,
            "period_ms": period_ms,
            "book_ttl_ms": ttl_ms,
            "snapshot_values": 4 * depth,
        },
        [plan.clock("book"), plan.clock("snapshot")],
    )
    read_all(plan, (*BOOK_WORDS, *BOOK_VALUES), (*words, *values))
    names = [f"{name}_{i}" for name in SNAPSHOT_LEVELS for i in range(depth)]
    read_all(plan, (*SNAPSHOT_WORDS, *names), (*marks, *levels))
    return plan


def enrich_plan(rule, levels=5, asof="exchange_strict", **settings):
    """Return tape -> sync -> pair -> enrich, everything read."""
    plan, tape = tape_plan()
    stream = plan.add(find("sync", "book"), tape, {"rule": rule}, [plan.clock("stream")])[0]
    paired = plan.add(
        find("pair", "book"), stream[:1], {"quote_asof": asof}, [plan.clock("paired")]
    )[0]
    groups = plan.add(
        find("enrich", "book"),
        paired[:1],
        {"levels": levels, "level_values": len(LEVEL_VALUES) * levels, **settings},
        [plan.clock("tick"), plan.clock("prints")],
    )
    names = [f"{name}_{i}" for name in LEVEL_VALUES for i in range(levels)]
    read_all(plan, (*WORDS, *VALUES, *names), sum(groups[:3], ()))
    read_all(plan, (*WORDS, *VALUES, *names), sum(groups[3:], ()))
    return plan
