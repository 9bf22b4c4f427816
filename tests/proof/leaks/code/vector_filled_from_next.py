"""A missing value in a vector is filled from the next row."""

from qf.engines.symbol_plan import Route

LEAKS = ["feature_vectors_chosen"]
ENGINE = "machine"
INSTANTS = 12


def plant(patch):
    """Change what the route hands to the table."""
    rows = Route.rows

    def leaking(self, made):
        columns = rows(self, made)
        if self.group != "vectors":
            return columns
        flow = columns["flow"].copy()
        flow[:-1:2] = flow[1::2][: len(flow[:-1:2])]
        columns["flow"] = flow
        return columns

    patch.setattr(Route, "rows", leaking)
