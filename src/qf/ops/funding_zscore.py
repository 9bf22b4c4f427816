"""funding_zscore(rate, window): how unusual a funding rate is among the `window` before it.

    z[t] = (rate[t] - mean) / std   over rate[t-window] … rate[t-1]

One row per settlement. The rate itself is not in its own mean, so that abs(z) has no bound.
Null until window + 1 rows exist, while one is null, and where all before are equal. Unit: none.
Source: definition (standard score, ddof 1).
"""

from qf.op import define

op = define(
    "funding_zscore(rate, window: 2..100000)",
    unit="1",
    example="funding_zscore(spread_bps, 90)",
)
op.formula("(rate - rolling_mean(lag(rate, 1), window)) / rolling_std(lag(rate, 1), window)")
