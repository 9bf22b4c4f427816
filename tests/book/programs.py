"""Small programs of the book's ops, as the tests run them."""

from __future__ import annotations

from qf.book.snapshots import BOOK_VALUES, BOOK_WORDS, SNAPSHOT_LEVELS, SNAPSHOT_WORDS
from qf.book.trades import LEVEL_VALUES, VALUES, WORDS
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


def book_plan(rule, levels=5, depth=5, **settings):
    """Return a plan of the book op and its columns by clock: names, columns."""
    plan, tape = tape_plan()
    clocks = ("tick", "prints", "book", "snapshot")
    groups = plan.add(
        find("book", "book"),
        tape,
        {
            "rule": rule,
            "levels": levels,
            "ladder_values": 4 * levels,
            "depth_levels": depth,
            "snapshot_values": 4 * depth,
            **settings,
        },
        [plan.clock(name) for name in clocks],
    )
    trade = (*WORDS, *VALUES, *(f"{name}_{i}" for name in LEVEL_VALUES for i in range(levels)))
    shown = (*SNAPSHOT_WORDS, *(f"{name}_{i}" for name in SNAPSHOT_LEVELS for i in range(depth)))
    columns = {
        "tick": (trade, sum(groups[:4], ())),
        "prints": (trade, sum(groups[4:8], ())),
        "book": ((*BOOK_WORDS, *BOOK_VALUES), sum(groups[8:10], ())),
        "snapshot": (shown, sum(groups[10:], ())),
    }
    return plan, columns


def track_plan(rule, depth=5, period_ms=100, ttl_ms=3000):
    """Return tape -> book rows and snapshots, everything read."""
    settings = {"period_ms": period_ms, "book_ttl_ms": ttl_ms}
    plan, columns = book_plan(rule, depth=depth, **settings)
    for clock in ("book", "snapshot"):
        read_all(plan, *columns[clock])
    return plan


def enrich_plan(rule, levels=5, asof="exchange_strict", **settings):
    """Return tape -> trades beside the book they met, everything read."""
    plan, columns = book_plan(rule, levels, quote_asof=asof, **settings)
    for clock in ("tick", "prints"):
        read_all(plan, *columns[clock])
    return plan
