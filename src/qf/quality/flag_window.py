"""flag_window(quality, full): a time window that lost rows to its ring carries `window_full`.

    y[t] = quality[t] | (window_full where full[t] is 1)

Null rule: missing counts as no bit. Unit: bits.
Source: definition.
"""

from qf.op import define
from qf.schema import BIT, NULL_INT

FULL_BIT = BIT["window_full"]

op = define(
    "flag_window(quality: int, full: int) -> out: int",
    unit="bits",
    example="flag_window(quality, full)",
)
op.polars_missing("quality is joined outside the expression language")


@op.definition
def definition(quality, full):
    bits = 0 if quality[-1] == NULL_INT else quality[-1]
    return bits | (FULL_BIT if full[-1] == 1 else 0)


@op.kernel
def kernel(quality, full, lo, hi, out):
    for t in range(lo, hi):
        bits = 0 if quality[t] == NULL_INT else quality[t]
        out[t] = bits | FULL_BIT if full[t] == 1 else bits
