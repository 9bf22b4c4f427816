"""flag_warmup(quality, rows): the first `rows` rows of the history carry `warmup`.

    y[t] = quality[t] | (warmup where the row's number is below rows)

Null rule: missing counts as no bit. Unit: bits.
Source: definition.
"""

from qf.op import define
from qf.schema import BIT, NULL_INT

WARMUP_BIT = BIT["warmup"]

op = define(
    "flag_warmup(quality: int, rows: 0..1000000000) -> out: int",
    unit="bits",
    example="flag_warmup(quality, 20)",
)
op.polars_missing("quality is joined outside the expression language")


@op.definition
def definition(quality, rows):
    bits = 0 if quality[-1] == NULL_INT else quality[-1]
    return bits | (WARMUP_BIT if len(quality) <= rows else 0)


@op.kernel
def kernel(quality, lo, hi, row, out, params):
    rows = int(params[0])
    for t in range(lo, hi):
        bits = 0 if quality[t] == NULL_INT else quality[t]
        out[t] = bits | WARMUP_BIT if row + t - lo < rows else bits
