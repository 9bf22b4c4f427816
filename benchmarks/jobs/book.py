"""L2 updates applied to a book, and 20 levels a side read every 500 ms."""

from __future__ import annotations

import numpy as np

from benchmarks.day import LOT, TICK, Day
from benchmarks.peers import run_peer
from benchmarks.timing import Contender, Job
from qf.book.snapshots import SNAPSHOT_LEVELS
from qf.op import find
from qf.program import Plan, Program
from qf.schema import TAPE, TRADE

LEVELS, PERIOD_MS = 20, 500


def book_program() -> Program:
    """Return a program of the product's ops: tape, continuity of ids, ladder, snapshots."""
    plan = Plan()
    plan.clock("events")
    tape = [plan.feed(field.name, "int") for field in TAPE]
    settings = {
        "depth_levels": LEVELS,
        "period_ms": PERIOD_MS,
        "rule": "futures",
        "price_num": 1,
        "price_den": round(1 / TICK),
        "size_num": 1,
        "size_den": round(1 / LOT),
        "snapshot_values": len(SNAPSHOT_LEVELS) * LEVELS,
    }
    out = [plan.clock(name) for name in ("tick", "prints", "book", "snapshot")]
    *_, words, levels = plan.add(find("book", "book"), tape[:1], settings, out)
    plan.read("snapshot_time", words[0])
    for place, column in enumerate(levels):
        plan.read(f"level_{place}", column)
    return Program(plan)


def snapshot_sum(made: dict[str, dict[str, np.ndarray]]) -> float:
    """Return the sum of all prices and sizes, to be compared with the peer's."""
    columns = made["snapshot"]
    return float(sum(np.nansum(c) for name, c in columns.items() if name != "snapshot_time"))


def job(day: Day, repeats: int) -> Job:
    """Return the comparison with hftbacktest on the day's book updates."""
    fields = {
        n: np.ascontiguousarray(c[day.fields["kind"] != TRADE]) for n, c in day.fields.items()
    }
    peer = run_peer("hftbacktest_book.py", day.updates, repeats)
    made = book_program().push(fields)
    ours = len(made["snapshot"]["snapshot_time"])
    gap = abs(snapshot_sum(made) / ours / (peer["sum"] / peer["rows"]) - 1)
    return Job(
        name="L2 update + 20 levels every 500 ms",
        unit="update",
        elements=len(fields["seq"]),
        makes="cdm_lob_l2: snapshot_time, 20 x bid_price, bid_size, ask_price, ask_size",
        ours=Contender("qf", lambda program: program.push(fields), lambda: (book_program(),)),
        elsewhere={"hftbacktest 2.4.4": peer["seconds"]},
        target_ns=15,
        beside=("hftbacktest", 65),
        note=(
            f"ours also checks the id chain; {ours:,} and {peer['rows']:,} snapshots, "
            f"mean level differs by {gap:.0e} (boundaries: UTC multiples, first event + n)"
        ),
    )
