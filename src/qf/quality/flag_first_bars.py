"""flag_first_bars(quality, bar_id, warmup_bars): the first bars of a clock carry `warmup`.

    y[t] = quality[t] | (warmup where bar_id[t] < warmup_bars)

Null rule: missing counts as no bit. Unit: bits.
Source: definition.
"""

from qf.op import define
from qf.schema import BIT, NULL_INT

WARMUP_BIT = BIT["warmup"]

op = define(
    "flag_first_bars(quality: int, bar_id: int, warmup_bars: 0..1000000000) -> out: int",
    unit="bits",
    example="flag_first_bars(quality, bar_id, 100)",
)
op.polars_missing("quality is joined outside the expression language")


@op.definition
def definition(quality, bar_id, warmup_bars):
    bits = 0 if quality[-1] == NULL_INT else quality[-1]
    return bits | (WARMUP_BIT if bar_id[-1] < warmup_bars else 0)


@op.kernel
def kernel(quality, bar_id, lo, hi, out, params):
    warmup_bars = int(params[0])
    for t in range(lo, hi):
        bits = 0 if quality[t] == NULL_INT else quality[t]
        out[t] = bits | WARMUP_BIT if bar_id[t] < warmup_bars else bits
