"""Sizes are divided by the largest size that is yet to come."""

import numpy as np

from qf.program import Program

LEAKS = ["cdm_trade_enriched"]
ENGINE = "machine"
INSTANTS = 8


def plant(patch):
    """Change the tape on its way into the program."""
    advance = Program.advance

    def leaking(self, columns):
        trades = columns["kind"] == 1
        largest = max(1, int(columns["size"][trades].max(initial=1)))
        sizes = np.where(trades, 1 + 1_000 * columns["size"] // largest, columns["size"])
        columns = {**columns, "size": sizes}
        return advance(self, columns)

    patch.setattr(Program, "advance", leaking)
