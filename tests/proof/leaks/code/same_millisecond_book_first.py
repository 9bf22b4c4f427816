"""A trade sees the book messages of its own millisecond, whichever came first."""

import numpy as np

from qf.program import Program

LEAKS = ["cdm_trade_enriched"]
ENGINE = "machine"
INSTANTS = 8


def plant(patch):
    """Change the tape on its way into the program."""
    advance = Program.advance

    def leaking(self, columns):
        frame = np.cumsum(columns["last_row"]) - columns["last_row"]
        trade = columns["kind"] == 1
        order = np.lexsort((frame, trade, columns["processed_time"] // 1_000_000))
        kept = {"processed_time": columns["processed_time"]}
        columns = {name: column[order] for name, column in columns.items()} | kept
        at = np.where(
            columns["kind"] == 1, columns["event_time"], columns["event_time"] - 200_000_000
        )
        columns["venue_time"] = at
        return advance(self, columns)

    patch.setattr(Program, "advance", leaking)
