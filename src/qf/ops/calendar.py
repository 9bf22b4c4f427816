"""The UTC calendar of a row's processed time, which the language binds to `time`."""

import math
from datetime import UTC, datetime, timedelta

from qf.clock import DAY_NS, SECOND_NS
from qf.op import define
from qf.schema import NULL_INT

HOUR_NS = 3600 * SECOND_NS
MINUTE_NS = 60 * SECOND_NS

hour = define("hour(time: time)", unit="1", example="hour()")
minute = define("minute(time: time)", unit="1", example="minute()")
day_of_week = define("day_of_week(time: time)", unit="1", example="day_of_week()")


def _moment(ns):
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ns // 1000)


@hour.definition
def _(time):
    """hour(): the hour of the day, 0 to 23, UTC.

        out[t] = floor(time / 1 h) mod 24

    Null where the time is. Unit: none. Source: definition.
    """
    return math.nan if time[-1] == NULL_INT else float(_moment(time[-1]).hour)


@hour.polars
def _(time):
    return (time // HOUR_NS % 24).cast(float)


@hour.kernel
def _(time, lo, hi, out):
    for t in range(lo, hi):
        out[t] = float(time[t] // HOUR_NS % 24) if time[t] != NULL_INT else math.nan


@minute.definition
def _(time):
    """minute(): the minute of the hour, 0 to 59, UTC.

        out[t] = floor(time / 1 min) mod 60

    Null where the time is. Unit: none. Source: definition.
    """
    return math.nan if time[-1] == NULL_INT else float(_moment(time[-1]).minute)


@minute.polars
def _(time):
    return (time // MINUTE_NS % 60).cast(float)


@minute.kernel
def _(time, lo, hi, out):
    for t in range(lo, hi):
        out[t] = float(time[t] // MINUTE_NS % 60) if time[t] != NULL_INT else math.nan


@day_of_week.definition
def _(time):
    """day_of_week(): the day of the week, Monday 0 to Sunday 6, UTC.

        out[t] = (floor(time / 1 day) + 3) mod 7      (1970-01-01 was a Thursday)

    Null where the time is. Unit: none. Source: ISO 8601 (weeks begin on Monday).
    """
    return math.nan if time[-1] == NULL_INT else float(_moment(time[-1]).weekday())


@day_of_week.polars
def _(time):
    return ((time // DAY_NS + 3) % 7).cast(float)


@day_of_week.kernel
def _(time, lo, hi, out):
    for t in range(lo, hi):
        out[t] = float((time[t] // DAY_NS + 3) % 7) if time[t] != NULL_INT else math.nan
