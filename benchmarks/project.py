"""The project whose real code path is measured: four bar clocks, snapshots, the 15 features."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from qf.engines.symbol_plan import SymbolPlan, plan_symbol
from qf.project import open_project
from qf.project.model import Project
from qf.project.scaffold import draft_project, write_project
from qf.tape.draft import Draft
from qf.tape.instruments import Instrument
from qf.tape.tape_file import READ_ROWS, TapeFile

if TYPE_CHECKING:
    from benchmarks.day import Columns, Day  # compiled code, which no start of a project waits for

INSTRUMENT = Instrument("binance_usdm", "BTCUSDT", "BTC", "USDT", "linear", "0.01", "0.00001")
GROUPS = ("enriched", "bars", "l2")
KEYS = {"venue", "symbol", "seq", "bar_clock", "bar_id"}
TRADE_COLUMNS = {
    "event_time", "price", "size", "direction", "mid", "spread", "weighted_mid",
}  # fmt: skip
BAR_COLUMNS = {
    "open_time", "close_time", "open", "high", "low", "close", "volume", "value", "buy_volume",
    "trade_count",
}  # fmt: skip
CLOCKS = ("dollar_k_50000", "imbalance_k_10", "tick_k_50", "run_w_10")


def make_project(folder: Path) -> Project:
    """Return a fresh project of the crypto template in `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    write_project(folder, draft_project("bench", "crypto"))
    return open_project(folder)


def plan_of(project: Project, groups: Iterable[str]) -> SymbolPlan:
    """Return the program that makes the chosen table groups from a futures tape."""
    return plan_symbol(project, INSTRUMENT, "futures", groups)


def reference_plan(project: Project) -> SymbolPlan:
    """Return the same program with the reference job's columns alone, and the tables' keys.

    The reference makes mid, spread, weighted mid and direction of every trade, ten words per bar,
    and the ladder every 500 ms.
    """
    planned = plan_of(project, GROUPS)
    read: dict[str, set[str]] = {}
    for route in planned.routes:
        if route.group != "l2":
            kept = KEYS | (TRADE_COLUMNS if route.group == "enriched" else BAR_COLUMNS)
            fields = tuple(f for f in route.table.fields if f.name in kept)
            route.table = replace(route.table, fields=fields)
            ranges = {route.table.made, route.table.ordinal}
            names = {field.name for field in fields} | ranges
            route.columns = {n: c for n, c in route.columns.items() if n in names}
        read.setdefault(route.clock, set()).update(route.columns.values())
    read["prints"] = read["tick"]
    reads = planned.plan.reads
    for clock, names in read.items():
        reads[clock] = [each for each in reads[clock] if each[0] in names]
    return planned


def write_tape(day: Day, folder: Path) -> TapeFile:
    """Write the day as a tape file, as ingest would leave it."""
    return write_blocks([day.fields], folder)


def write_blocks(blocks: Iterable[Columns], folder: Path) -> TapeFile:
    """Write blocks of tape rows as one tape file."""
    from benchmarks.day import LATENCY_NS, START_NS

    shutil.rmtree(folder, ignore_errors=True)
    with Draft(folder, "day") as draft:
        last: dict[str, int] = {}
        for block in blocks:
            for start in range(0, len(block["seq"]), READ_ROWS):
                draft.write({n: c[start : start + READ_ROWS] for n, c in block.items()})
            last = {name: int(block[name][-1]) for name in ("seq", "processed_time")}
        return draft.finish(
            {
                "identity": {"instrument": asdict(INSTRUMENT)},
                "venue": INSTRUMENT.venue,
                "symbol": INSTRUMENT.symbol,
                "ordering": "arrival",
                "continuity": "futures",
                "trades": "trade",
                "frames": last["seq"] + 1,
                "first_time": START_NS + LATENCY_NS,
                "last_time": last["processed_time"],
                "accounts": {},
            }
        )
