"""A trade sees every quote with an earlier venue time, received or not."""

import numpy as np

from qf.program import Program

LEAKS = ["cdm_trade_enriched"]
ENGINE = "machine"
INSTANTS = 8


def plant(patch):
    """Change the tape on its way into the program."""
    advance = Program.advance

    def leaking(self, columns):
        if len(columns["seq"]) == 0:
            return advance(self, columns)
        venue = np.where(
            columns["kind"] == 1, columns["event_time"], columns["event_time"] - 50_000_000
        )
        starts = np.flatnonzero(np.append(1, columns["last_row"][:-1]))
        frame = np.cumsum(columns["last_row"]) - columns["last_row"]
        order = np.lexsort((np.arange(len(frame)), frame, venue[starts][frame]))
        received = columns["processed_time"]
        columns = {name: column[order] for name, column in columns.items()}
        columns["processed_time"] = received
        return advance(self, columns)

    patch.setattr(Program, "advance", leaking)
