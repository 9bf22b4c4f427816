"""Real captures beside the synthetic day: the one pass over three venues' own events."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.day import Day
from benchmarks.peers import ROOT
from benchmarks.timing import Contender, Job
from qf.cli._capture import choose_capture
from qf.engines.sources import open_tape
from qf.engines.symbol_plan import plan_symbol
from qf.program import Program
from qf.project import open_project
from qf.project.scaffold import draft_project, write_project

RAW = ROOT.parent / "shared" / "data" / "binance_raw"
CAPTURES = {"spot": "BTCUSDT", "usdm": "BTCUSDT", "coinm": "BTCUSD_PERP"}  # folder: symbol
GROUPS = ("enriched", "bars", "l2")
TIMES_OVER = 8  # a capture takes milliseconds: it is pushed so often


def jobs(day: Day, repeats: int, folder: Path) -> Iterator[Job]:
    """Yield one job per capture; none, and why on the terminal, where they are absent."""
    if not RAW.is_dir():
        print(f"captures: skipped, {RAW} is absent", file=sys.stderr)
        return
    for name, symbol in CAPTURES.items():
        at = folder / f"capture_{name}"
        shutil.rmtree(at, ignore_errors=True)
        capture = choose_capture(str(RAW / name / "*.gz"), f"binance_{name}", symbol)
        write_project(at, draft_project("bench", "crypto", None, capture))
        project = open_project(at)
        tape = open_tape(project, symbol)
        blocks = list(tape.blocks(tape.rows))
        plan = plan_symbol(project, tape.instrument, tape.continuity, GROUPS).plan

        def run(*programs: Program, events: dict[str, np.ndarray] = blocks[0]) -> None:
            for program in programs:
                program.advance(events)

        yield Job(
            name=f"one pass, everything: {symbol} of Binance {name}",
            unit="event",
            elements=tape.rows * TIMES_OVER,
            makes="every column of the enriched trades, the bars and cdm_lob_l2",
            ours=Contender("qf", run, lambda p=plan: tuple(Program(p) for _ in range(TIMES_OVER))),
            note=f"{tape.rows:,} tape rows, captured; no peer reads them",
        )
