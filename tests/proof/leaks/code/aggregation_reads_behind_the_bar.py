"""The last value of a bar is that of the trade after its close."""

from qf.op import find

LEAKS = ["features"]
ENGINE = "machine"
INSTANTS = 8


def plant(patch):
    """Replace the kernel."""
    patch.setitem(find("last", "aggregations").rules, "kernel", kernel)


def kernel(x, first_row, close_row, lo, hi, row, olo, ohi, out):
    """Take the value one row too late."""
    for r in range(olo, ohi):
        out[r] = x[min(lo + close_row[r] + 1 - row, hi - 1)]
