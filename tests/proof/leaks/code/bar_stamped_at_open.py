"""A bar carries the time at which it began."""

import numpy as np

from qf.engines.symbol_plan import Route

LEAKS = ["cdm_tick_bars", "cdm_dollar_bars"]
ENGINE = "machine"
INSTANTS = 8


def plant(patch):
    """Change what the route hands to the table."""
    rows = Route.rows

    def leaking(self, made):
        columns = rows(self, made)
        if self.group != "bars":
            return columns
        times = columns["feature_time"]
        columns["feature_time"] = np.concatenate((times[:1] - 1, times[:-1]))
        return columns

    patch.setattr(Route, "rows", leaking)
