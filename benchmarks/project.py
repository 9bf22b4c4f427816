"""The project whose real code path is measured: four bar clocks, snapshots, the 15 features."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from benchmarks.day import LATENCY_NS, START_NS, Day
from qf.engines.symbol_plan import SymbolPlan, plan_symbol
from qf.project import open_project
from qf.project.model import Project
from qf.project.scaffold import draft_project, write_project
from qf.tape.draft import Draft
from qf.tape.instruments import Instrument
from qf.tape.tape_file import TapeFile

INSTRUMENT = Instrument("binance_usdm", "BTCUSDT", "BTC", "USDT", "linear", "0.01", "0.00001")
CLOCKS = ("dollar_k_50000", "imbalance_k_10", "tick_k_50", "run_w_10")


def make_project(folder: Path) -> Project:
    """Return a fresh project of the crypto template in `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    write_project(folder, draft_project("bench", "crypto"))
    return open_project(folder)


def plan_of(project: Project, groups: Iterable[str]) -> SymbolPlan:
    """Return the program that makes the chosen table groups from a futures tape."""
    return plan_symbol(project, INSTRUMENT, "futures", groups)


def write_tape(day: Day, folder: Path) -> TapeFile:
    """Write the day as a tape file, as ingest would leave it."""
    shutil.rmtree(folder, ignore_errors=True)
    with Draft(folder, "day") as draft:
        for start in range(0, day.events, 1 << 17):
            draft.write({n: c[start : start + (1 << 17)] for n, c in day.fields.items()})
        return draft.finish(
            {
                "identity": {"instrument": asdict(INSTRUMENT)},
                "venue": INSTRUMENT.venue,
                "symbol": INSTRUMENT.symbol,
                "ordering": "arrival",
                "continuity": "futures",
                "trades": "trade",
                "frames": int(day.fields["seq"][-1]) + 1,
                "first_time": START_NS + LATENCY_NS,
                "last_time": int(day.fields["processed_time"][-1]),
                "accounts": {},
            }
        )
