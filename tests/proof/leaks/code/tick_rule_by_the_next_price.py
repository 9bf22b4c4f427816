"""A trade is a buy where the next price is higher."""

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
        later = np.append(columns["price"][1:], columns["price"][-1:])
        columns["direction"] = np.sign(later - columns["price"]).astype(np.int64)
        return columns

    patch.setattr(Collector, "_enriched", leaking)
