"""A bar without a mid takes that of the next bar."""

import numpy as np

from qf.engines.symbol_plan import Route

LEAKS = ["cdm_dollar_bars"]
ENGINE = "machine"
INSTANTS = 8


def plant(patch):
    """Change what the route hands to the table."""
    rows = Route.rows

    def leaking(self, made):
        columns = rows(self, made)
        if self.group != "bars":
            return columns
        mid = columns["mid_close"]
        columns["mid_close"] = np.where(columns["bar_id"] % 3 == 0, np.roll(mid, -1), mid)
        return columns

    patch.setattr(Route, "rows", leaking)
