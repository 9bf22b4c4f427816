"""A z-score reads the row behind its own."""

from qf.op import find

LEAKS = ["features"]
ENGINE = "machine"
INSTANTS = 8


def plant(patch):
    """Replace the kernel."""
    patch.setitem(find("rolling_zscore", "normalizers").rules, "kernel", kernel)


def kernel(x, lo, hi, out, params):
    """Compare with the next row."""
    for t in range(lo, hi):
        out[t] = x[min(t + 1, hi - 1)] - x[t]
