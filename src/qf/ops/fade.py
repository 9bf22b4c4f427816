"""fade(x, condition, decay): x while the condition holds; while not, its last value fading.

    y[t] = x[t] where condition[t] holds,  decay y[t-1] where it does not

0 before the condition has held for the first time: nothing was there to fade. Null where the
condition is, and where it holds and x is null; the row after a null starts afresh from 0. A gate
for signals: a z-score that counts while prices turn back, and is forgotten while they trend.
Unit: the unit of x.
Source: definition (the decay of an exponential mean, Roberts 1959, whose news stopped).
"""

import math

from qf.op import SUM, define
from qf.windows import forgets

op = define(
    "fade(x, condition, decay: 0.0..0.999999 = 0.93)",
    memory=forgets,
    slots=lambda decay: 1,
    tolerance=SUM,
    unit="x",
    example="fade(ofi_0, spread_ticks < 2)",
)


@op.definition
def definition(x, condition, decay):
    kept = 0.0
    for value, holds in zip(x, condition, strict=True):
        before = kept if kept == kept else 0.0
        kept = math.nan if holds != holds else (value if holds != 0.0 else decay * before)
    return kept


@op.polars
def polars(x, condition, decay):
    import polars as pl

    row = pl.int_range(pl.len())
    holds = (condition != 0.0).fill_null(False)
    broken = condition.is_null() | (holds & x.is_null())
    stretch = broken.cum_sum()
    held = holds & ~broken
    age = (row - pl.when(held).then(row).forward_fill()).over(stretch)
    last = pl.when(held).then(x).forward_fill().over(stretch)
    faded = (last * pl.lit(decay).pow(age.cast(float))).fill_null(0.0)
    return pl.when(~broken).then(pl.when(held).then(x).otherwise(faded))


@op.kernel
def kernel(x, condition, lo, hi, out, params, state):
    decay = params[0]
    kept = state[0]
    for t in range(lo, hi):
        holds = condition[t]
        if holds != holds or (holds != 0.0 and x[t] != x[t]):
            kept = 0.0
            out[t] = math.nan
            continue
        kept = x[t] if holds != 0.0 else decay * kept
        out[t] = kept
    state[0] = kept
