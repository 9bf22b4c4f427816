"""L2 updates applied to a book, and 20 levels a side read: every 500 ms, and after every update."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.day import FIRST_ID, LOT, START_NS, TICK, Columns, Day, columns_of
from benchmarks.peers import run_peer
from benchmarks.timing import Contender, Job
from qf.book.snapshots import SNAPSHOT_LEVELS
from qf.op import find
from qf.program import Plan, Program
from qf.schema import DEPTH, TAPE, TRADE

LEVELS, PERIOD_MS = 20, 500
EACH = 200_000  # updates that are read after every one
EACH_BLOCK = 16_384  # of which so many are pushed at once: what they make is 10 MB


def book_program(period_ms: int = PERIOD_MS) -> Program:
    """Return a program of the product's ops: tape, continuity of ids, ladder, snapshots."""
    plan = Plan()
    plan.clock("events")
    tape = [plan.feed(field.name, "int") for field in TAPE]
    settings = {
        "depth_levels": LEVELS,
        "period_ms": period_ms,
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


def snapshot_mean(made: dict[str, Columns]) -> tuple[int, float]:
    """Return the rows, and the mean of all prices and sizes of a row, to be held against a peer."""
    columns = made["snapshot"]
    rows = len(columns["snapshot_time"])
    values = sum(np.nansum(c) for name, c in columns.items() if name != "snapshot_time")
    return rows, float(values) / max(rows, 1)


def spread_out(fields: Columns) -> Columns:
    """Return the first updates as frames of one level each, a millisecond apart."""
    snapshot = int(np.argmax(fields["kind"] == DEPTH))
    cut = columns_of(np.stack([column[: snapshot + EACH] for column in fields.values()]))
    place = np.arange(snapshot, snapshot + EACH) - snapshot + 1
    after = slice(snapshot, None)
    time = START_NS + place * 1_000_000
    for name in ("event_time", "venue_time", "processed_time"):
        cut[name][:snapshot] = START_NS
        cut[name][after] = time
    cut["seq"][after], cut["last_row"][after] = place, 1
    cut["first_id"][after] = cut["last_id"][after] = FIRST_ID + place
    cut["prev_id"][after] = FIRST_ID + place - 1
    return cut


def jobs(day: Day, repeats: int) -> Iterator[Job]:
    """Yield the comparisons with hftbacktest and NautilusTrader on the day's book updates."""
    # One matrix, as a tape's blocks are read.
    fields = columns_of(np.ascontiguousarray(day.tape[:, day.fields["kind"] != TRADE]))
    nautilus = run_peer("nautilus_all.py", day.updates, repeats, "nautilus")
    period = {"period": np.array([PERIOD_MS * 1_000_000])}
    peer = run_peer("hftbacktest_book.py", day.updates | period, repeats)
    rows, mean = snapshot_mean(book_program().push(fields))
    gap = abs(mean / (peer["sum"] / peer["rows"]) - 1)
    updates = len(fields["seq"])
    yield Job(
        name="L2 update + 20 levels every 500 ms",
        unit="update",
        elements=updates,
        makes="cdm_lob_l2: snapshot_time, 20 x bid_price, bid_size, ask_price, ask_size",
        ours=Contender("qf", lambda program: program.push(fields), lambda: (book_program(),)),
        elsewhere={
            "hftbacktest 2.4.4": peer["seconds"],
            f"{nautilus['name']}, applied and not read": [s * updates for s in nautilus["apply"]],
        },
        target_ns=15,
        target_ratios={"hftbacktest": 4.0},
        note=(
            f"ours also checks the id chain; {rows:,} and {peer['rows']:,} snapshots, "
            f"mean level differs by {gap:.0e} (boundaries: UTC multiples, first event + n)"
        ),
    )
    each = spread_out(fields)
    given = {"time": each["processed_time"], "side": each["side"]}
    given |= {"ticks": each["price"], "lots": each["size"], "period": np.array([1_000_000])}
    peer = run_peer("hftbacktest_book.py", given, repeats)
    rows, _ = snapshot_mean(book_program(1).push(each))
    blocks = [
        {name: column[start : start + EACH_BLOCK] for name, column in each.items()}
        for start in range(0, len(each["seq"]), EACH_BLOCK)
    ]
    yield Job(
        name="L2 update + 20 levels after every update",
        unit="update",
        elements=EACH,
        makes="the same of every update",
        ours=Contender(
            "qf",
            lambda program: [program.advance(block) and None for block in blocks],
            lambda: (book_program(1),),
        ),
        elsewhere={
            "hftbacktest 2.4.4": peer["seconds"],
            nautilus["name"]: [s * EACH for s in nautilus["each"]],
        },
        target_ns=120,
        note=f"{rows:,} and {peer['rows']:,} snapshots of {EACH:,} updates, 1 ms apart; ours in "
        f"blocks of {EACH_BLOCK:,}, their rows let go of before the next",
    )
