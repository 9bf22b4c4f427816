"""The rows of a bar include the trade after its close."""

from qf.engines import polars_engine

LEAKS = ["features"]
ENGINE = "polars"
INSTANTS = 20


def plant(patch):
    """Read one row further than the bar goes."""
    fold = polars_engine._fold

    def leaking(features, values, bars):
        last = values.height - 1
        later = (bars["close_row"] + 1).clip(upper_bound=last)
        return fold(features, values, bars.with_columns(close_row=later))

    patch.setattr(polars_engine, "_fold", leaking)
