"""The age of a feature is measured at the next decision."""

import numpy as np

from qf.engines.symbol_plan import Route

LEAKS = ["feature_vectors_chosen"]
ENGINE = "machine"
INSTANTS = 8


def plant(patch):
    """Change what the route hands to the table."""
    rows = Route.rows

    def leaking(self, made):
        columns = rows(self, made)
        if self.group != "vectors":
            return columns
        for name in [name for name in columns if name.endswith(":age")]:
            columns[name] = columns[name] + np.diff(columns["feature_time"], append=0)
        return columns

    patch.setattr(Route, "rows", leaking)
