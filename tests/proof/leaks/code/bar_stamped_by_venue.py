"""A bar is stamped with the venue time of its last trade, which comes before its receipt."""

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
        columns["feature_time"] = columns["close_time"] - 2_000_000_000
        return columns

    patch.setattr(Route, "rows", leaking)
