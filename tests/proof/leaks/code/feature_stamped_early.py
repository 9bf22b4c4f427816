"""A feature is stamped a second before it was known."""

from qf.engines.symbol_plan import Route

LEAKS = ["features"]
ENGINE = "machine"
INSTANTS = 8


def plant(patch):
    """Change what the route hands to the table."""
    rows = Route.rows

    def leaking(self, made):
        columns = rows(self, made)
        if self.group != "features":
            return columns
        columns["feature_time"] = columns["feature_time"] - 1_000_000_000
        return columns

    patch.setattr(Route, "rows", leaking)
