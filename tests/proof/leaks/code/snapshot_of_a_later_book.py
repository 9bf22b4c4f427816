"""A snapshot boundary shows the book of the next boundary."""

import numpy as np

from qf.engines.symbol_plan import Route

LEAKS = ["cdm_lob_l2"]
ENGINE = "machine"
INSTANTS = 8


def plant(patch):
    """Change what the route hands to the table."""
    rows = Route.rows

    def leaking(self, made):
        columns = rows(self, made)
        if self.group != "l2":
            return columns
        for name in ("bid_price_0", "ask_price_0", "last_id"):
            columns[name] = np.roll(columns[name], -1)
        return columns

    patch.setattr(Route, "rows", leaking)
