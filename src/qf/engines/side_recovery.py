"""How many trade sides the quotes would recover, for each way of pairing trades with the book.

Where the venue says who the aggressor was, the answer is known: above the mid a buyer, below it
a seller. A pairing that takes the quote too early or too late gets it wrong, so the share of
sides it recovers is a measurement of the pairing itself.

1. take the head of a tape, and of its program only the tick clock;
2. run it once per pairing, with the project's own settings otherwise;
3. count market trades of known side that have a quote, and those on the right side of its mid.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from qf.engines.account import kinds_left_out
from qf.engines.columns import add_state
from qf.program import Program
from qf.project.model import Project
from qf.tape.tape_file import Block, TapeFile

PAIRINGS = ("exchange_strict", "arrival")
# Enough rows for a share of four digits; a tape of many days is not read to its end for it.
HEAD_ROWS, BLOCK_ROWS = 4_000_000, 65_536


class Recovered(NamedTuple):
    """Of `known` trades (side known, quote there), `right` lie on their side's side of the mid."""

    right: int
    known: int

    @property
    def share(self) -> float:
        """Return right / known; NaN where nothing is known."""
        return self.right / self.known if self.known else float("nan")


def side_recovery(project: Project, tape: TapeFile) -> dict[str, Recovered]:
    """Return, per pairing, how many sides of the tape's first HEAD_ROWS rows the quotes recover."""
    programs = {name: _program(project, tape, name) for name in PAIRINGS}
    counts = {name: np.zeros(2, np.int64) for name in PAIRINGS}
    left_out, done = list(kinds_left_out(project.sources)), 0
    for block in tape.blocks(BLOCK_ROWS, project.history_start_ns):
        keep = ~np.isin(block["kind"], left_out)
        taken = {name: column[keep] for name, column in block.items()}
        for name, program in programs.items():
            counts[name] += _count(program.push(taken)["tick"])
        done += len(block["seq"])
        if done >= HEAD_ROWS:
            break
    return {name: Recovered(int(pair[0]), int(pair[1])) for name, pair in counts.items()}


def _program(project: Project, tape: TapeFile, pairing: str) -> Program:
    enrich = dataclasses.replace(project.enrich, quote_asof=pairing)
    variant = dataclasses.replace(project, enrich=enrich, bars=())
    state = add_state(variant, tape.instrument, tape.continuity, levels=5)
    for name in ("side", "price", "mid"):
        state.plan.read(name, state.tick[name])
    return Program(state.plan)


def _count(tick: Block) -> np.ndarray:
    """Return [right, known] of the rows of the tick clock."""
    known = (tick["side"] != 0) & ~np.isnan(tick["mid"])
    right = np.sign(tick["price"] - tick["mid"]) == tick["side"]
    return np.array([np.count_nonzero(right & known), np.count_nonzero(known)])
