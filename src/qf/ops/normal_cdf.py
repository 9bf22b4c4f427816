"""normal_cdf(x): the share of a standard normal distribution that lies below x.

    F(x) = erfc(-x / sqrt(2)) / 2

In [0, 1]. Null where x is. Unit: none.
Source: Cody (1969), Mathematics of Computation 23(107), 631-637 (the Polars rule's approximation).
"""

import math

from qf.op import SUM, define

ROOT_HALF = math.sqrt(0.5)
INVERSE_ROOT_PI = 1.0 / math.sqrt(math.pi)

# Cody's rational approximations: numerator and denominator, highest power first. ERF over y^2 for
# y < .46875, ERFC over y up to 4, TAIL over 1 / y^2 beyond.
ERF = (
    (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2,
     3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3,
     2.84423683343917062e3),
)  # fmt: skip
ERFC = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
     1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2,
     1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3,
     1.23033935480374942e3),
)  # fmt: skip
TAIL = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1,
     1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1,
     6.05183413124413191e-2, 2.33520497626869185e-3),
)  # fmt: skip

op = define("normal_cdf(x)", tolerance=SUM, unit="1", example="normal_cdf(diff(mid) / spread)")


@op.definition
def definition(x):
    return 0.5 * math.erfc(-x[-1] * ROOT_HALF) if x[-1] == x[-1] else math.nan


@op.polars
def polars(x):
    import polars as pl

    y = x.abs().clip(0.0, 40.0) * ROOT_HALF
    low = 1.0 - y * _ratio(y * y, ERF)
    middle = (-y * y).exp() * _ratio(y, ERFC)
    over = 1.0 / (y * y)
    high = (-y * y).exp() / y * (INVERSE_ROOT_PI - over * _ratio(over, TAIL))
    beyond = pl.when(y < 0.46875).then(low).when(y <= 4.0).then(middle).otherwise(high) * 0.5
    return pl.when(x > 0.0).then(1.0 - beyond).otherwise(beyond)


def _ratio(z, terms):
    """Return numerator over denominator at z, by Horner's rule."""
    above, below = terms[0][0], terms[1][0]
    for one, other in zip(terms[0][1:], terms[1][1:], strict=True):
        above, below = above * z + one, below * z + other
    return above / below


@op.kernel
def kernel(x, lo, hi, out):
    for t in range(lo, hi):
        out[t] = 0.5 * math.erfc(-x[t] * ROOT_HALF)
