"""Trades of the same second are sorted by price."""

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
        order = np.lexsort((columns["price"], columns["processed_time"] // 1_000_000_000))
        columns["mid"] = columns["mid"][order]
        return columns

    patch.setattr(Collector, "_enriched", leaking)
