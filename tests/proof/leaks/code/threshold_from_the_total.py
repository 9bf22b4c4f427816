"""The value is cut at a share of the total volume of the day."""

import numpy as np

from qf.engines.collect import Collector

LEAKS = ["cdm_trade_enriched"]
ENGINE = "machine"
INSTANTS = 8


def plant(patch):
    """Change the enriched trades on their way to the table."""
    enriched = Collector._enriched

    def leaking(self, made):
        columns = dict(enriched(self, made))
        columns["value"] = np.minimum(columns["value"], columns["value"].sum() / 2_000)
        return columns

    patch.setattr(Collector, "_enriched", leaking)
