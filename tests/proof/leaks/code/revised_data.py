"""A later message with the id of a trade overwrites its price."""

import numpy as np

from qf.program import Program

LEAKS = ["cdm_trade_enriched"]
ENGINE = "machine"
INSTANTS = 8


def plant(patch):
    """Change the tape on its way into the program."""
    advance = Program.advance

    def leaking(self, columns):
        trades = np.flatnonzero(columns["kind"] == 1)
        ids, prices = columns["first_id"][trades], columns["price"].copy()
        last = dict(zip(ids.tolist(), prices[trades].tolist(), strict=True))
        prices[trades] = [last[each] for each in ids.tolist()]
        columns = {**columns, "price": prices}
        return advance(self, columns)

    patch.setattr(Program, "advance", leaking)
