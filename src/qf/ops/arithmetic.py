"""The infix operators, one row at a time. Missing in, missing out; any non-finite result too."""

import math

from qf.missing import finite, finite_or_null
from qf.op import SUM, define

add = define("add(x, y)", unit="x", example="add(bid_depth, ask_depth)")
sub = define("sub(x, y)", unit="x", example="sub(buy_volume, sell_volume)")
mul = define("mul(x, y)", unit="x*y", example="mul(price, size)")
div = define("div(x, y)", unit="x/y", example="div(spread, mid)")
power = define("pow(x, y)", unit="x^y", tolerance=SUM, example="pow(size, 0.5)")
neg = define("neg(x)", unit="x", example="neg(size)")
safe_div = define(
    "safe_div(x, y, default: -1e300..1e300 = 0.0)",
    unit="x/y",
    example="safe_div(buy_volume, sell_volume, 1.0)",
)


@add.definition
def _(x, y):
    """add(x, y): the sum, written x + y.

        out[t] = x[t] + y[t]

    Null where an input is. Unit: the unit of x. Source: arithmetic.
    """
    return x[-1] + y[-1]


@add.polars
def _(x, y):
    return finite_or_null(x + y)


@add.kernel
def _(x, y, lo, hi, out):
    for t in range(lo, hi):
        out[t] = finite(x[t] + y[t])


@sub.definition
def _(x, y):
    """sub(x, y): the difference, written x - y.

        out[t] = x[t] - y[t]

    Null where an input is. Unit: the unit of x. Source: arithmetic.
    """
    return x[-1] - y[-1]


@sub.polars
def _(x, y):
    return finite_or_null(x - y)


@sub.kernel
def _(x, y, lo, hi, out):
    for t in range(lo, hi):
        out[t] = finite(x[t] - y[t])


@mul.definition
def _(x, y):
    """mul(x, y): the product, written x * y.

        out[t] = x[t] * y[t]

    Null where an input is. Unit: the product of the units. Source: arithmetic.
    """
    return x[-1] * y[-1]


@mul.polars
def _(x, y):
    return finite_or_null(x * y)


@mul.kernel
def _(x, y, lo, hi, out):
    for t in range(lo, hi):
        out[t] = finite(x[t] * y[t])


@div.definition
def _(x, y):
    """div(x, y): the quotient, written x / y.

        out[t] = x[t] / y[t]

    Null where an input is, and where y is 0. Unit: that of x over that of y. Source: arithmetic.
    """
    return x[-1] / y[-1] if y[-1] != 0.0 else math.nan


@div.polars
def _(x, y):
    return finite_or_null(x / y)


@div.kernel
def _(x, y, lo, hi, out):
    for t in range(lo, hi):
        out[t] = finite(x[t] / y[t])


@power.definition
def _(x, y):
    """pow(x, y): x to the power y, written x ** y.

        out[t] = x[t] ^ y[t]

    Null where an input is, and where the power is no real number (0 to a negative power, a
    fractional power of a negative number) or overflows. Unit: that of x to the power y.
    Source: IEEE 754-2019, 9.2 (pow).
    """
    if x[-1] != x[-1] or y[-1] != y[-1]:
        return math.nan
    try:
        return math.pow(x[-1], y[-1])
    except (ValueError, OverflowError):
        return math.nan


@power.polars
def _(x, y):
    # a missing input stays missing: 1 to the power NaN is 1, and NaN to the power 0 is 1
    return finite_or_null(x.pow(y) + 0.0 * (x + y))


@power.kernel
def _(x, y, lo, hi, out):
    for t in range(lo, hi):
        out[t] = finite(x[t] ** y[t]) if x[t] == x[t] and y[t] == y[t] else math.nan


@neg.definition
def _(x):
    """neg(x): the value with its sign turned, written -x.

        out[t] = -x[t]

    Null where x is. Unit: the unit of x. Source: arithmetic.
    """
    return -x[-1]


@neg.polars
def _(x):
    return -x


@neg.kernel
def _(x, lo, hi, out):
    for t in range(lo, hi):
        out[t] = -x[t]


@safe_div.definition
def _(x, y, default):
    """safe_div(x, y, default): the quotient, with `default` where y is 0.

        out[t] = x[t] / y[t], or default where y[t] = 0

    Null where an input is. Unit: that of x over that of y. Source: arithmetic.
    """
    if x[-1] != x[-1] or y[-1] != y[-1]:
        return math.nan
    return x[-1] / y[-1] if y[-1] != 0.0 else default


@safe_div.polars
def _(x, y, default):
    import polars as pl

    chosen = pl.when(y == 0.0).then(default + 0.0 * x).otherwise(x / y)
    return finite_or_null(pl.when(y.is_not_null()).then(chosen))


@safe_div.kernel
def _(x, y, lo, hi, out, params):
    for t in range(lo, hi):
        if x[t] == x[t] and y[t] == 0.0:
            out[t] = params[0]
        else:
            out[t] = finite(x[t] / y[t])
