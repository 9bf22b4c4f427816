"""keep_bits(quality, bits): only the bits that concern the reader.

    y[t] = quality[t] & bits

A formula over trades alone is not tainted by the book. Null rule: missing counts as no bit.
Unit: bits.
Source: definition.
"""

from qf.op import define
from qf.schema import NULL_INT

op = define(
    "keep_bits(quality: int, bits: 0..4503599627370496) -> out: int",
    unit="bits",
    example="keep_bits(quality, 2048)",
)
op.polars_missing("quality is joined outside the expression language")


@op.definition
def definition(quality, bits):
    return 0 if quality[-1] == NULL_INT else quality[-1] & bits


@op.kernel
def kernel(quality, lo, hi, out, params):
    bits = int(params[0])
    for t in range(lo, hi):
        out[t] = 0 if quality[t] == NULL_INT else quality[t] & bits
