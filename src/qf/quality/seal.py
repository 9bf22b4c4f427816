"""seal(x, quality, bar_id, warmup_bars): a feature's row as it is published.

    quality + warmup while bar_id < warmup_bars
    value = missing where a nulling bit stands; a value missing without one gets `undefined`

So no published null is without a reason. Null rule: as above. Unit: the unit of x.
Source: definition.
"""

import math

from qf.op import define
from qf.schema import BIT, NULL_ON

WARMUP_BIT, UNDEFINED_BIT = BIT["warmup"], BIT["undefined"]

op = define(
    "seal(x, quality: int, bar_id: int, warmup_bars: 0..1000000000) -> value, bits: int",
    example="seal(price, quality, bar_id, 100)",
)
op.polars_missing("quality is joined outside the expression language")


@op.definition
def definition(x, quality, bar_id, warmup_bars):
    bits = quality[-1] | (WARMUP_BIT if bar_id[-1] < warmup_bars else 0)
    if bits & NULL_ON:
        return math.nan, bits
    return x[-1], bits if x[-1] == x[-1] else bits | UNDEFINED_BIT


@op.kernel
def kernel(x, quality, bar_id, lo, hi, params, value, bits):
    warmup_bars = int(params[0])
    for t in range(lo, hi):
        flags = quality[t]
        if bar_id[t] < warmup_bars:
            flags |= WARMUP_BIT
        here = x[t]
        if flags & NULL_ON != 0:
            here = math.nan
        elif here != here:
            flags |= UNDEFINED_BIT
        value[t] = here
        bits[t] = flags
