"""The depth of the book is a share of the largest of the day."""

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
        columns["bid_size_0"] = columns["bid_size_0"] / np.nanmax(columns["bid_size_0"])
        return columns

    patch.setattr(Route, "rows", leaking)
