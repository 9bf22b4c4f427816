"""flag_early(quality, span): rows within `span` of the history's first row carry `warmup`.

    y[t] = quality[t] | (warmup where time[t] < time[0] + span)

A window of time that began before the history holds what there is, and says so here.
Null rule: missing counts as no bit. Unit: bits.
Source: definition.
"""

from qf.op import define
from qf.schema import BIT, NULL_INT

WARMUP_BIT = BIT["warmup"]

op = define(
    "flag_early(quality: int, time: time, span: 1ns..30d) -> out: int",
    memory=lambda span: 0,
    ints=lambda span: 2,
    unit="bits",
    example='flag_early(quality, "5s")',
)
op.polars_missing("quality is joined outside the expression language")


@op.definition
def definition(quality, time, span):
    bits = 0 if quality[-1] == NULL_INT else quality[-1]
    return bits | (WARMUP_BIT if time[-1] < time[0] + span else 0)


@op.kernel
def kernel(quality, time, lo, hi, out, params, ints):
    span = int(params[0])
    for t in range(lo, hi):
        if ints[1] == 0:
            ints[0] = time[t]
            ints[1] = 1
        bits = 0 if quality[t] == NULL_INT else quality[t]
        out[t] = bits | WARMUP_BIT if time[t] < ints[0] + span else bits
