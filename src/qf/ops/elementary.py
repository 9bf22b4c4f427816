"""Functions of one or two numbers, one row at a time. Missing in, missing out."""

import math

import numpy as np

from qf.missing import finite_or_null
from qf.op import SUM, define

absolute = define("abs(x)", unit="x", example="abs(ofi_0)")
sign = define("sign(x)", unit="1", example="sign(ofi_0)")
log = define("log(x)", unit="1", tolerance=SUM, example="log(size)")
exp = define("exp(x)", unit="1", tolerance=SUM, example="exp(log(size))")
sqrt = define("sqrt(x)", unit="x^0.5", example="sqrt(size)")
floor = define("floor(x)", unit="x", example="floor(size)")
rounded = define("round(x)", unit="x", example="round(size)")
tanh = define("tanh(x)", unit="1", tolerance=SUM, example="tanh(direction)")
sigmoid = define("sigmoid(x)", unit="1", tolerance=SUM, example="sigmoid(direction)")
smaller = define("min(x, y)", unit="x", example="min(bid_depth, ask_depth)")
larger = define("max(x, y)", unit="x", example="max(bid_depth, ask_depth)")
clip = define(
    "clip(x, low: -1e300..1e300, high: -1e300..1e300)", unit="x", example="clip(size, 0.0, 10.0)"
)

LARGEST_EXPONENT = 709.782712893384  # exp of more overflows float64


@absolute.definition
def _(x):
    """abs(x): the size of the value, whatever its sign.

        out[t] = x[t] if x[t] >= 0 else -x[t]

    Null where x is. Unit: the unit of x. Source: arithmetic.
    """
    return abs(x[-1])


@absolute.polars
def _(x):
    return x.abs()


@absolute.kernel
def _(x, lo, hi, out):
    for t in range(lo, hi):
        out[t] = abs(x[t])


@sign.definition
def _(x):
    """sign(x): +1 above zero, -1 below, 0 at zero.

        out[t] = (x[t] > 0) - (x[t] < 0)

    Null where x is. Unit: none. Source: arithmetic.
    """
    return math.nan if x[-1] != x[-1] else float((x[-1] > 0.0) - (x[-1] < 0.0))


@sign.polars
def _(x):
    return x.sign() + 0.0


@sign.kernel
def _(x, lo, hi, out):
    for t in range(lo, hi):
        value = x[t]
        up = 1.0 if value > 0.0 else 0.0
        down = 1.0 if value < 0.0 else 0.0
        out[t] = up - down if value == value else math.nan


@log.definition
def _(x):
    """log(x): the natural logarithm.

        out[t] = ln x[t]

    Null where x is, and where x <= 0. Unit: none. Source: arithmetic.
    """
    return math.log(x[-1]) if x[-1] > 0.0 else math.nan


@log.polars
def _(x):
    return finite_or_null(x.log())


@log.kernel
def _(x, lo, hi, out):
    for t in range(lo, hi):
        out[t] = math.log(x[t]) if x[t] > 0.0 else math.nan


@exp.definition
def _(x):
    """exp(x): e to the power x.

        out[t] = e ^ x[t]

    Null where x is, and where the result overflows. Unit: none. Source: arithmetic.
    """
    try:
        return math.exp(x[-1])
    except OverflowError:
        return math.nan


@exp.polars
def _(x):
    return finite_or_null(x.exp())


@exp.kernel
def _(x, lo, hi, out):
    for t in range(lo, hi):
        out[t] = math.exp(x[t]) if x[t] <= LARGEST_EXPONENT else math.nan


@sqrt.definition
def _(x):
    """sqrt(x): the square root.

        out[t] = x[t] ^ 0.5

    Null where x is, and where x < 0. Unit: the unit of x to the power 0.5. Source: arithmetic.
    """
    return math.sqrt(x[-1]) if x[-1] >= 0.0 else math.nan


@sqrt.polars
def _(x):
    return finite_or_null(x.sqrt())


@sqrt.kernel
def _(x, lo, hi, out):
    for t in range(lo, hi):
        out[t] = math.sqrt(x[t]) if x[t] >= 0.0 else math.nan


@floor.definition
def _(x):
    """floor(x): the largest whole number that is not above the value.

        out[t] = max(n whole: n <= x[t])

    Null where x is. Unit: the unit of x. Source: arithmetic.
    """
    return float(np.floor(x[-1]))


@floor.polars
def _(x):
    return x.floor()


@floor.kernel
def _(x, lo, hi, out):
    for t in range(lo, hi):
        out[t] = np.floor(x[t])


@rounded.definition
def _(x):
    """round(x): the nearest whole number, halves to the even one.

        out[t] = n whole with abs(n - x[t]) <= 0.5, even at a tie

    Null where x is. Unit: the unit of x. Source: IEEE 754-2019, 5.9 (roundToIntegralTiesToEven).
    """
    return math.nan if x[-1] != x[-1] else float(round(x[-1]))


@rounded.polars
def _(x):
    return x.round(0, mode="half_to_even")


@rounded.kernel
def _(x, lo, hi, out):
    for t in range(lo, hi):
        out[t] = np.rint(x[t])


@tanh.definition
def _(x):
    """tanh(x): the hyperbolic tangent, a soft clip to (-1, 1).

        out[t] = (e^x[t] - e^-x[t]) / (e^x[t] + e^-x[t])

    Null where x is. Unit: none. Source: arithmetic.
    """
    return math.tanh(x[-1])


@tanh.polars
def _(x):
    return x.tanh()


@tanh.kernel
def _(x, lo, hi, out):
    for t in range(lo, hi):
        out[t] = math.tanh(x[t])


@sigmoid.definition
def _(x):
    """sigmoid(x): the logistic function, a soft step from 0 to 1.

        out[t] = 1 / (1 + e^-x[t])

    Null where x is. Unit: none. Source: Verhulst (1845), Mem. Acad. R. Bruxelles 18.
    """
    if x[-1] != x[-1]:
        return math.nan
    small = math.exp(-abs(x[-1]))
    return 1.0 / (1.0 + small) if x[-1] >= 0.0 else small / (1.0 + small)


@sigmoid.polars
def _(x):
    # the tangent form neither overflows nor loses the far tails' sign
    return (1.0 + (-x).exp()).pow(-1.0)


@sigmoid.kernel
def _(x, lo, hi, out):
    for t in range(lo, hi):
        small = math.exp(-abs(x[t]))
        out[t] = (1.0 if x[t] >= 0.0 else small) / (1.0 + small)


@smaller.definition
def _(x, y):
    """min(x, y): the smaller of two values.

        out[t] = x[t] if x[t] <= y[t] else y[t]

    Null where an input is. Unit: the unit of x. Source: arithmetic.
    """
    return math.nan if x[-1] != x[-1] or y[-1] != y[-1] else min(x[-1], y[-1])


@smaller.polars
def _(x, y):
    import polars as pl

    return pl.when(x <= y).then(x).when(x > y).then(y)


@smaller.kernel
def _(x, y, lo, hi, out):
    for t in range(lo, hi):
        chosen = x[t] if x[t] <= y[t] else y[t]
        out[t] = chosen if x[t] == x[t] else math.nan


@larger.definition
def _(x, y):
    """max(x, y): the larger of two values.

        out[t] = x[t] if x[t] >= y[t] else y[t]

    Null where an input is. Unit: the unit of x. Source: arithmetic.
    """
    return math.nan if x[-1] != x[-1] or y[-1] != y[-1] else max(x[-1], y[-1])


@larger.polars
def _(x, y):
    import polars as pl

    return pl.when(x >= y).then(x).when(x < y).then(y)


@larger.kernel
def _(x, y, lo, hi, out):
    for t in range(lo, hi):
        chosen = x[t] if x[t] >= y[t] else y[t]
        out[t] = chosen if x[t] == x[t] else math.nan


@clip.definition
def _(x, low, high):
    """clip(x, low, high): the value, or the bound that it is beyond.

        out[t] = min(max(x[t], low), high)

    Null where x is. Unit: the unit of x. Source: arithmetic.
    """
    return math.nan if x[-1] != x[-1] else min(max(x[-1], low), high)


@clip.polars
def _(x, low, high):
    import polars as pl

    raised = pl.when(x < low).then(low + 0.0 * x).otherwise(x)
    return pl.when(raised > high).then(high + 0.0 * x).otherwise(raised)


@clip.kernel
def _(x, lo, hi, out, params):
    low, high = params[0], params[1]
    for t in range(lo, hi):
        raised = low if x[t] < low else x[t]
        out[t] = high if raised > high else raised
