"""funding_surprise(rate, alpha): a funding rate less what the rates before it let expect.

    s[t] = rate[t] - m[t-1],   m = exponential mean of the rates, alpha the newest's weight

alpha = 1 expects the last rate again. Positive: buyers pay more than they lately did. Null for the
first row and where a rate is null. Unit: the unit of rate.
Source: Muth (1960), Journal of the American Statistical Association 55, 299-306 (the expectation).
"""

from qf.op import define

op = define(
    "funding_surprise(rate, alpha: 1e-6..1.0)",
    unit="rate",
    example="funding_surprise(spread_bps, 0.1)",
)
op.formula("rate - lag(ewm_mean(rate, alpha), 1)")
