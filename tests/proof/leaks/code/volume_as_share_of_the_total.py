"""The volume of a bar is a share of the total of all bars."""

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
        columns["volume"] = columns["volume"] / columns["volume"].sum()
        return columns

    patch.setattr(Route, "rows", leaking)
