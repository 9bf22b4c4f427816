"""Where a row's processed time stands in a cycle that began 1970-01-01 00:00 UTC, as a circle.

Sine and cosine together place 23:59 beside 00:00, which a plain hour does not.
"""

import math

from qf.op import SUM, define
from qf.schema import NULL_INT

time_sin = define(
    "time_sin(time: time, period: 1s..7d = 1d)", tolerance=SUM, unit="1", example="time_sin()"
)
time_cos = define(
    "time_cos(time: time, period: 1s..7d = 1d)", tolerance=SUM, unit="1", example="time_cos()"
)


@time_sin.definition
def _(time, period):
    """time_sin(period): the sine of where the time stands in a cycle.

        out[t] = sin(2 pi (time mod period) / period)

    Null where the time is. Unit: none. Source: Fisher (1993), Statistical Analysis of Circular
    Data, 2.2.
    """
    if time[-1] == NULL_INT:
        return math.nan
    return math.sin(2.0 * math.pi * ((time[-1] % period) / period))


@time_sin.polars
def _(time, period):
    import polars as pl

    length = 0.0 * pl.int_range(pl.len()) + float(period)
    return (2.0 * math.pi * ((time % period).cast(float) / length)).sin()


@time_sin.kernel
def _(time, lo, hi, out, params):
    period = int(params[0])
    for t in range(lo, hi):
        phase = (time[t] % period) / period
        out[t] = math.sin(2.0 * math.pi * phase) if time[t] != NULL_INT else math.nan


@time_cos.definition
def _(time, period):
    """time_cos(period): the cosine of where the time stands in a cycle.

        out[t] = cos(2 pi (time mod period) / period)

    Null where the time is. Unit: none. Source: Fisher (1993), Statistical Analysis of Circular
    Data, 2.2.
    """
    if time[-1] == NULL_INT:
        return math.nan
    return math.cos(2.0 * math.pi * ((time[-1] % period) / period))


@time_cos.polars
def _(time, period):
    import polars as pl

    length = 0.0 * pl.int_range(pl.len()) + float(period)
    return (2.0 * math.pi * ((time % period).cast(float) / length)).cos()


@time_cos.kernel
def _(time, lo, hi, out, params):
    period = int(params[0])
    for t in range(lo, hi):
        phase = (time[t] % period) / period
        out[t] = math.cos(2.0 * math.pi * phase) if time[t] != NULL_INT else math.nan
