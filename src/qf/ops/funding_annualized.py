"""funding_annualized(rate, interval_hours): a funding rate as a fraction of the position per year.

    a[t] = rate[t] * 8760 / interval_hours

Not compounded. Contracts settle every 8, 4 or 1 hours: the instrument's own interval decides, and
the same rate is worth eight times as much every hour as every eight. Null where the rate is.
Unit: the unit of rate, per year.
Source: definition (365 days of 24 hours).
"""

from qf.op import define

op = define(
    "funding_annualized(rate, interval_hours: 0.1..168.0)",
    unit="rate",
    example="funding_annualized(spread_bps, 8)",
)
op.formula("rate * (8760 / interval_hours)")
