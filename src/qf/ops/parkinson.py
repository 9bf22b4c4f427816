"""parkinson(high, low, window): volatility per bar from the range of the last `window` bars.

    s[t] = sqrt( sum(ln(H[i] / L[i])^2) / (4 n ln 2) ),  i = t-n+1 .. t,  n = window

Assumes no drift and a path seen without gaps: few trades per bar bias it down. Averages are of
variances, never of volatilities. Null until `window` rows exist and while one is null.
Unit: none (a log return per bar).
Source: Parkinson (1980), Journal of Business 53(1), 61-65.
"""

from qf.op import define

op = define(
    "parkinson(high, low, window: 1..10000)",
    unit="1",
    example="parkinson(high, low, 20)",
)
op.formula("sqrt(rolling_mean(log(high / low) * log(high / low), window) / 2.772588722239781)")
