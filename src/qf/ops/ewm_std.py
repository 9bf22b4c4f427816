"""ewm_std(x, alpha): exponentially weighted standard deviation.

    y[t] = sqrt(v[t]),  v[t] = (1 - alpha) (v[t-1] + alpha d[t]^2)
    d[t] = x[t] - m[t-1] = (x[t] - x[t-1]) + (1 - alpha) d[t-1],  m the exponential mean

With d = 0 and v = 0 at the first row: the weights' own variance, not corrected for its bias. The
distance d from the mean is carried instead of the mean: at a high price the mean has no digits
left for it.
Null where x is; the row after a null starts afresh. Unit: the unit of x.
Source: West (1979), Communications of the ACM 22(9), 532-535.
"""

import math

from qf.missing import finite, finite_or_null
from qf.op import MOMENT, define
from qf.windows import forgets

op = define(
    "ewm_std(x, alpha: 1e-6..1.0)",
    memory=lambda alpha: 2 * forgets(1.0 - alpha),
    lookback=lambda alpha: 1,
    slots=lambda alpha: 2,
    tolerance=MOMENT,
    unit="x",
    example="ewm_std(mid, 0.1)",
)


@op.definition
def definition(x, alpha):
    start = max([t for t, value in enumerate(x) if value != value], default=-1) + 1
    stretch = x[start:]
    if not stretch:
        return math.nan
    # the weights of the stretch: the first value keeps what the others have not taken
    n = len(stretch)
    weights = [
        alpha * (1.0 - alpha) ** (n - 1 - k) if k else (1.0 - alpha) ** (n - 1) for k in range(n)
    ]
    gaps = [value - x[-1] for value in stretch]
    mean = math.fsum(w * gap for w, gap in zip(weights, gaps, strict=True))
    return math.sqrt(math.fsum(w * (gap - mean) ** 2 for w, gap in zip(weights, gaps, strict=True)))


@op.polars
def polars(x, alpha):
    gap = x.diff().fill_null(0.0).ewm_sum(alpha=alpha)
    variance = gap.pow(2).ewm_sum(alpha=alpha) * (alpha * (1.0 - alpha))
    return finite_or_null(variance.sqrt().over(x.is_null().cum_sum()) + 0.0 * x)


@op.kernel
def kernel(x, lo, hi, out, params, state):
    alpha = params[0]
    gap, variance = state[0], state[1]
    for t in range(lo, hi):
        step = x[t] - x[t - 1]
        if step == step:
            gap = step + (1.0 - alpha) * gap
            variance = (1.0 - alpha) * (variance + alpha * gap * gap)
        else:
            gap, variance = 0.0, 0.0
        out[t] = finite(math.sqrt(variance)) if x[t] == x[t] else math.nan
    state[0], state[1] = gap, variance
