"""garman_klass(open, high, low, close, window): volatility per bar from open, range and close.

    s[t]^2 = mean( ln(H/L)^2 / 2 - (2 ln 2 - 1) ln(C/O)^2 )  over rows t-window+1 .. t

The practical estimator of the paper (its equation 20 without the cross terms); no drift, no gap
between bars. Null until `window` rows exist and while one is null.
Unit: none (a log return per bar).
Source: Garman, Klass (1980), Journal of Business 53(1), 67-78.
"""

from qf.op import define

op = define(
    "garman_klass(open, high, low, close, window: 1..10000)",
    unit="1",
    example="garman_klass(open, high, low, close, 20)",
)
op.formula(
    "sqrt(rolling_mean(0.5 * log(high / low) * log(high / low)"
    " - 0.3862943611198906 * log(close / open) * log(close / open), window))"
)
