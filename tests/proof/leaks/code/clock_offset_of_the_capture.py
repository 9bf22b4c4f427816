"""The clocks are compared with the offset that the capture ends with."""

import itertools

from qf.tape import ingest

LEAKS = ["tape", "findings"]
ENGINE = "frames"
INSTANTS = 4


def plant(patch):
    """Look at the last receive time before the first frame is read."""
    opened = ingest._reader

    def leaking(sources, instrument, sink):
        reader = opened(sources, instrument, sink)
        times = [item[0] for source in sources for item in source.arrivals()]
        steps = max(b - a for a, b in itertools.pairwise(times))
        reader._screen.reference.offset = -steps
        return reader

    patch.setattr(ingest, "_reader", leaking)
