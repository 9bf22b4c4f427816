"""Comparisons and three-valued logic: 1 is true, 0 is false, missing is unknown (Kleene 1938)."""

import math

from qf.op import define

lt = define("lt(x, y)", unit="bool", example="lt(price, mid)")
le = define("le(x, y)", unit="bool", example="le(price, mid)")
gt = define("gt(x, y)", unit="bool", example="gt(price, mid)")
ge = define("ge(x, y)", unit="bool", example="ge(price, mid)")
eq = define("eq(x, y)", unit="bool", example="eq(direction, 1)")
ne = define("ne(x, y)", unit="bool", example="ne(direction, 1)")
both = define(
    "and_(condition, condition_2)", unit="bool", example="and_(price > mid, spread_ticks > 1)"
)
either = define(
    "or_(condition, condition_2)", unit="bool", example="or_(price > mid, spread_ticks > 1)"
)
inverse = define("not_(condition)", unit="bool", example="not_(price > mid)")


@lt.definition
def _(x, y):
    """lt(x, y): whether x is below y, written x < y.

        out[t] = 1 if x[t] < y[t] else 0

    Null where an input is. Unit: a condition. Source: arithmetic.
    """
    return math.nan if x[-1] != x[-1] or y[-1] != y[-1] else float(x[-1] < y[-1])


@lt.polars
def _(x, y):
    return (x < y).cast(float)


@lt.kernel
def _(x, y, lo, hi, out):
    for t in range(lo, hi):
        known = x[t] == x[t] and y[t] == y[t]
        out[t] = (1.0 if x[t] < y[t] else 0.0) if known else math.nan


@le.definition
def _(x, y):
    """le(x, y): whether x is at most y, written x <= y.

        out[t] = 1 if x[t] <= y[t] else 0

    Null where an input is. Unit: a condition. Source: arithmetic.
    """
    return math.nan if x[-1] != x[-1] or y[-1] != y[-1] else float(x[-1] <= y[-1])


@le.polars
def _(x, y):
    return (x <= y).cast(float)


@le.kernel
def _(x, y, lo, hi, out):
    for t in range(lo, hi):
        known = x[t] == x[t] and y[t] == y[t]
        out[t] = (1.0 if x[t] <= y[t] else 0.0) if known else math.nan


@gt.definition
def _(x, y):
    """gt(x, y): whether x is above y, written x > y.

        out[t] = 1 if x[t] > y[t] else 0

    Null where an input is. Unit: a condition. Source: arithmetic.
    """
    return math.nan if x[-1] != x[-1] or y[-1] != y[-1] else float(x[-1] > y[-1])


@gt.polars
def _(x, y):
    return (x > y).cast(float)


@gt.kernel
def _(x, y, lo, hi, out):
    for t in range(lo, hi):
        known = x[t] == x[t] and y[t] == y[t]
        out[t] = (1.0 if x[t] > y[t] else 0.0) if known else math.nan


@ge.definition
def _(x, y):
    """ge(x, y): whether x is at least y, written x >= y.

        out[t] = 1 if x[t] >= y[t] else 0

    Null where an input is. Unit: a condition. Source: arithmetic.
    """
    return math.nan if x[-1] != x[-1] or y[-1] != y[-1] else float(x[-1] >= y[-1])


@ge.polars
def _(x, y):
    return (x >= y).cast(float)


@ge.kernel
def _(x, y, lo, hi, out):
    for t in range(lo, hi):
        known = x[t] == x[t] and y[t] == y[t]
        out[t] = (1.0 if x[t] >= y[t] else 0.0) if known else math.nan


@eq.definition
def _(x, y):
    """eq(x, y): whether two values are the same, written x == y.

        out[t] = 1 if x[t] = y[t] else 0

    Null where an input is. Unit: a condition. Source: arithmetic.
    """
    return math.nan if x[-1] != x[-1] or y[-1] != y[-1] else float(x[-1] == y[-1])


@eq.polars
def _(x, y):
    return (x == y).cast(float)


@eq.kernel
def _(x, y, lo, hi, out):
    for t in range(lo, hi):
        known = x[t] == x[t] and y[t] == y[t]
        out[t] = (1.0 if x[t] == y[t] else 0.0) if known else math.nan


@ne.definition
def _(x, y):
    """ne(x, y): whether two values differ, written x != y.

        out[t] = 0 if x[t] = y[t] else 1

    Null where an input is. Unit: a condition. Source: arithmetic.
    """
    return math.nan if x[-1] != x[-1] or y[-1] != y[-1] else float(x[-1] != y[-1])


@ne.polars
def _(x, y):
    return (x != y).cast(float)


@ne.kernel
def _(x, y, lo, hi, out):
    for t in range(lo, hi):
        known = x[t] == x[t] and y[t] == y[t]
        out[t] = (0.0 if x[t] == y[t] else 1.0) if known else math.nan


@both.definition
def _(condition, condition_2):
    """and_(condition, condition_2): whether both hold, written a and b.

        out[t] = 0 where either is 0; 1 where both are 1; else null

    Null where one is null and the other does not decide. Unit: a condition.
    Source: Kleene (1938), J. Symbolic Logic 3(4), 150-155.
    """
    one, two = condition[-1], condition_2[-1]
    if one == 0.0 or two == 0.0:
        return 0.0
    return math.nan if one != one or two != two else 1.0


@both.polars
def _(condition, condition_2):
    return ((condition != 0.0) & (condition_2 != 0.0)).cast(float)


@both.kernel
def _(condition, condition_2, lo, hi, out):
    for t in range(lo, hi):
        one, two = condition[t], condition_2[t]
        known = one == one and two == two
        out[t] = 0.0 if one == 0.0 or two == 0.0 else (1.0 if known else math.nan)


@either.definition
def _(condition, condition_2):
    """or_(condition, condition_2): whether at least one holds, written a or b.

        out[t] = 1 where either is 1; 0 where both are 0; else null

    Null where one is null and the other does not decide. Unit: a condition.
    Source: Kleene (1938), J. Symbolic Logic 3(4), 150-155.
    """
    one, two = condition[-1], condition_2[-1]
    if (one == one and one != 0.0) or (two == two and two != 0.0):
        return 1.0
    return math.nan if one != one or two != two else 0.0


@either.polars
def _(condition, condition_2):
    return ((condition != 0.0) | (condition_2 != 0.0)).cast(float)


@either.kernel
def _(condition, condition_2, lo, hi, out):
    for t in range(lo, hi):
        one, two = condition[t], condition_2[t]
        # NaN != 0 is true, so being known is asked as well
        holds = (one == one and one != 0.0) or (two == two and two != 0.0)
        known = one == one and two == two
        out[t] = 1.0 if holds else (0.0 if known else math.nan)


@inverse.definition
def _(condition):
    """not_(condition): whether it does not hold, written not a.

        out[t] = 1 - condition[t]

    Null where the condition is. Unit: a condition.
    Source: Kleene (1938), J. Symbolic Logic 3(4), 150-155.
    """
    return math.nan if condition[-1] != condition[-1] else float(condition[-1] == 0.0)


@inverse.polars
def _(condition):
    return (condition == 0.0).cast(float)


@inverse.kernel
def _(condition, lo, hi, out):
    for t in range(lo, hi):
        value = condition[t]
        out[t] = (1.0 if value == 0.0 else 0.0) if value == value else math.nan
