"""Labels are standardised over the whole sample."""

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
        columns["label"] = columns["label"] - columns["label"].mean()
        return columns

    patch.setattr(Route, "rows", leaking)
