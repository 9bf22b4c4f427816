"""Which channel makes the trades is decided by what is there at all, not by the first trade."""

from qf.tape import ingest

LEAKS = ["tape"]
ENGINE = "frames"
INSTANTS = 8


def plant(patch):
    """Look at all frames before the first is read."""
    opened = ingest._reader

    def leaking(sources, instrument, sink):
        reader = opened(sources, instrument, sink)
        frames = [item[1] for source in sources for item in source.arrivals()]
        reader.trades = "agg_trade" if any(b"@aggTrade" in each for each in frames) else "trade"
        return reader

    patch.setattr(ingest, "_reader", leaking)
