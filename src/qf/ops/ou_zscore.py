"""ou_zscore(x, window, every, shortest, longest): how far x is from where it reverts to.

    z[t] = (x[t] - mean) / deviation,  mean = -a / b,  deviation = sd(e) / sqrt(1 - (1 + b)^2)
    a, b, e: least squares of x[i] - x[i-1] on x[i-1] over `window` changes

The deviation is that of x in the long run, so z has a deviation of about 1 on a mean-reverting
path; 2 is far. Fitted anew every `every` rows. Null without a fit: b not in (-1, 0), a half-life
below `shortest` rows, above `longest` or above the window; null until window + 1 rows exist, while
one that was fitted is null, and where x is. Unit: none. A row that fits costs a window.
Source: Uhlenbeck, Ornstein (1930), Physical Review 36(5), 823-841; Gillespie (1996), PRE 54(2).
"""

from qf.mean_reversion import SCORE, fitted, last_of, slide_fit
from qf.op import MOMENT, define

op = define(
    "ou_zscore(x, window: 30..10000, every: 1..10000 = 1, shortest: 0.0..10000.0 = 1.0,"
    " longest: 0.0..10000.0 = 10000.0)",
    warmup=lambda window, every, **_: -(-window // every) * every,
    lookback=lambda window, **_: window,
    memory=lambda window, every, **_: window + every,
    slots=lambda **_: 4,
    ints=lambda **_: 1,
    tolerance=MOMENT,
    unit="1",
    example="ou_zscore(log(mid), 200)",
)


@op.definition
def definition(x, window, every, shortest, longest):
    return last_of(x, window, every, shortest, longest, SCORE)


@op.polars
def polars(x, window, every, shortest, longest):
    return fitted(x, window, every, shortest, longest, SCORE)


@op.kernel
def kernel(x, lo, hi, row, out, params, state, ints):
    slide_fit(x, lo, hi, row, SCORE, out, params, state, ints)
