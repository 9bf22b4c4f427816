"""ou_half_life(x, window, every, shortest, longest): rows until half of a deviation is gone.

    h[t] = -ln 2 / ln(1 + b),  b: least squares of x[i] - x[i-1] on x[i-1] over `window` changes

Fitted anew every `every` rows. Short windows make b too negative and h too short, by about
4 / window in b. Null without a fit: b not in (-1, 0), h below `shortest` rows, above `longest` or
above the window; null until window + 1 rows exist, while one that was fitted is null, and where x
is. Unit: none (rows). A row that fits costs a window.
Source: Uhlenbeck, Ornstein (1930), Physical Review 36(5), 823-841; Gillespie (1996), PRE 54(2).
"""

from qf.mean_reversion import HALF_LIFE, fitted, last_of, slide_fit
from qf.op import MOMENT, define

op = define(
    "ou_half_life(x, window: 30..10000, every: 1..10000 = 1, shortest: 0.0..10000.0 = 1.0,"
    " longest: 0.0..10000.0 = 10000.0)",
    warmup=lambda window, every, **_: -(-window // every) * every,
    lookback=lambda window, **_: window,
    memory=lambda window, every, **_: window + every,
    slots=lambda **_: 4,
    ints=lambda **_: 1,
    tolerance=MOMENT,
    unit="1",
    example="ou_half_life(log(mid), 200)",
)


@op.definition
def definition(x, window, every, shortest, longest):
    return last_of(x, window, every, shortest, longest, HALF_LIFE)


@op.polars
def polars(x, window, every, shortest, longest):
    return fitted(x, window, every, shortest, longest, HALF_LIFE)


@op.kernel
def kernel(x, lo, hi, row, out, params, state, ints):
    slide_fit(x, lo, hi, row, HALF_LIFE, out, params, state, ints)
