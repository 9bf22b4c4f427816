"""A z-score takes its window from the rows that follow."""

from qf.op import find

LEAKS = ["features"]
ENGINE = "polars"
INSTANTS = 4


def plant(patch):
    """Replace the Polars rule."""
    patch.setitem(find("rolling_zscore", "normalizers").rules, "polars", leaking)


def leaking(x, **given):
    """Return the leaking expression."""
    return ((x - x.rolling_mean(5)) / x.rolling_std(5)).shift(-2)
