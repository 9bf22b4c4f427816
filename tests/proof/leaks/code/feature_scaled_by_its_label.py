"""A decision vector is scaled by the return of the bars that follow."""

import numpy as np

from qf.engines.symbol_plan import Route

LEAKS = ["feature_vectors_chosen"]
ENGINE = "machine"
INSTANTS = 20


def plant(patch):
    """Change what the route hands to the table."""
    rows = Route.rows

    def leaking(self, made):
        columns = rows(self, made)
        if self.group != "vectors":
            return columns
        later = np.roll(columns["flow"], -1)
        columns["flow"] = columns["flow"] * np.sign(np.where(np.isnan(later), 1.0, later))
        return columns

    patch.setattr(Route, "rows", leaking)
