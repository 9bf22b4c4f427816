"""Of trades in a row at the same price only the last is kept."""

import numpy as np

from qf.engines.collect import Collector

LEAKS = ["cdm_trade_enriched"]
ENGINE = "machine"
INSTANTS = 30


def plant(patch):
    """Change the enriched trades on their way to the table."""
    enriched = Collector._enriched

    def leaking(self, made):
        columns = dict(enriched(self, made))
        times = columns["price"]
        keep = np.append(times[1:] != times[:-1], True)
        columns = {name: column[keep] for name, column in columns.items()}
        return columns

    patch.setattr(Collector, "_enriched", leaking)
