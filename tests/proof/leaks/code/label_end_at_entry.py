"""A label says that it was known when its bar was."""

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
        columns["label_end"] = columns["feature_time"]
        return columns

    patch.setattr(Route, "rows", leaking)
