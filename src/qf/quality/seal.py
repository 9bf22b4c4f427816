"""seal(x, quality): a feature's row as it is published.

    value = missing where a nulling bit stands; a value missing without one gets `undefined`
    bits = the row's quality bits, with that one

So no published null is without a reason. Null rule: as above. Unit: the unit of x.
Source: definition.
"""

import math

from qf.op import define
from qf.schema import BIT, NULL_INT, NULL_ON

UNDEFINED_BIT = BIT["undefined"]

op = define("seal(x, quality: int) -> value, bits: int", example="seal(price, quality)")
op.polars_missing("quality is joined outside the expression language")


@op.definition
def definition(x, quality):
    bits = 0 if quality[-1] == NULL_INT else quality[-1]
    if bits & NULL_ON:
        return math.nan, bits
    return x[-1], bits if x[-1] == x[-1] else bits | UNDEFINED_BIT


@op.kernel
def kernel(x, quality, lo, hi, value, bits):
    for t in range(lo, hi):
        flags = 0 if quality[t] == NULL_INT else quality[t]
        here = x[t]
        if flags & NULL_ON != 0:
            here = math.nan
        elif here != here:
            flags |= UNDEFINED_BIT
        value[t] = here
        bits[t] = flags
