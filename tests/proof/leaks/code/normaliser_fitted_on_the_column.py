"""A z-score is fitted on the whole column."""

from qf.op import find

LEAKS = ["features"]
ENGINE = "polars"
INSTANTS = 4


def plant(patch):
    """Replace the Polars rule."""
    patch.setitem(find("rolling_zscore", "normalizers").rules, "polars", leaking)


def leaking(x, **given):
    """Return the leaking expression."""
    return (x - x.mean()) / x.std()
