"""Choosing between columns, and asking for missing values."""

import math

from qf.op import define

where = define("where(condition, x, y)", unit="x", example="where(price > mid, size, 0.0)")
coalesce = define("coalesce(x, y)", unit="x", example="coalesce(mid, price)")
is_null = define("is_null(x)", unit="bool", example="is_null(mid)")


@where.definition
def _(condition, x, y):
    """where(condition, x, y): x where the condition holds, y where it does not.

        out[t] = x[t] if condition[t] else y[t]

    Null where the condition is, and where the chosen value is. Unit: the unit of x.
    Source: definition.
    """
    if condition[-1] != condition[-1]:
        return math.nan
    return x[-1] if condition[-1] != 0.0 else y[-1]


@where.polars
def _(condition, x, y):
    import polars as pl

    return pl.when(condition != 0.0).then(x).when(condition == 0.0).then(y)


@where.kernel
def _(condition, x, y, lo, hi, out):
    for t in range(lo, hi):
        one, other, value = x[t], y[t], condition[t]  # both are read, so that nothing branches
        chosen = one if value != 0.0 else other
        out[t] = chosen if value == value else math.nan


@coalesce.definition
def _(x, y):
    """coalesce(x, y): x, or y where x is missing.

        out[t] = x[t] if x[t] is not null else y[t]

    Null where both are. Unit: the unit of x. Source: ISO/IEC 9075-2 (COALESCE).
    """
    return x[-1] if x[-1] == x[-1] else y[-1]


@coalesce.polars
def _(x, y):
    return x.fill_null(y)


@coalesce.kernel
def _(x, y, lo, hi, out):
    for t in range(lo, hi):
        one, other = x[t], y[t]
        out[t] = one if one == one else other


@is_null.definition
def _(x):
    """is_null(x): whether the value is missing.

        out[t] = 1 if x[t] is null else 0

    Never null. Unit: a condition. Source: ISO/IEC 9075-2 (IS NULL).
    """
    return float(x[-1] != x[-1])


@is_null.polars
def _(x):
    return x.is_null().cast(float)


@is_null.kernel
def _(x, lo, hi, out):
    for t in range(lo, hi):
        out[t] = 0.0 if x[t] == x[t] else 1.0
