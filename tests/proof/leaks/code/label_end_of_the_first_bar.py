"""A label says that it was known one bar after its own."""

import numpy as np

from qf.engines.symbol_plan import Route

LEAKS = ["cdm_labels"]
ENGINE = "machine"
INSTANTS = 8


def plant(patch):
    """Change what the route hands to the table."""
    rows = Route.rows

    def leaking(self, made):
        columns = rows(self, made)
        if self.group != "labels":
            return columns
        order = np.argsort(columns["bar_id"], kind="stable")
        later = np.concatenate(
            (columns["feature_time"][order][1:], columns["label_end"][order][-1:])
        )
        columns["label_end"][order] = np.minimum(later, columns["label_end"][order])
        return columns

    patch.setattr(Route, "rows", leaking)
