"""Receive times are corrected by a drift that is measured over all files of a capture."""

from qf.tape.capture import CaptureSource

LEAKS = ["cdm_trade_enriched"]
ENGINE = "growth"
INSTANTS = 4


def plant(patch):
    """Correct what was read from the first file by what the next file holds."""
    real = CaptureSource.arrivals

    def leaking(self):
        items = list(real(self))
        drift = (items[-1][0] - items[0][0]) // 1_000_000
        yield from ((time - drift, payload, hint) for time, payload, hint in items)

    patch.setattr(CaptureSource, "arrivals", leaking)
