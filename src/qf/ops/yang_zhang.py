"""yang_zhang(open, high, low, close, window): volatility per bar with gaps, under any trend.

    s^2 = var(ln(O[i] / C[i-1])) + k var(ln(C[i] / O[i])) + (1 - k) rogers_satchell^2
    k = 0.34 / (1.34 + (n + 1) / (n - 1)),  n = window,  i = t-n+1 .. t,  var with n - 1

Null until window + 1 rows exist and while one is null. Unit: none (a log return per bar).
Source: Yang, Zhang (2000), Journal of Business 73(3), 477-491.
"""

from qf.op import define

op = define(
    "yang_zhang(open, high, low, close, window: 2..10000)",
    unit="1",
    example="yang_zhang(open, high, low, close, 20)",
)
op.formula(
    "sqrt(rolling_var(log(open / lag(close, 1)), window)"
    " + 0.34 / (1.34 + (window + 1) / (window - 1)) * rolling_var(log(close / open), window)"
    " + (1 - 0.34 / (1.34 + (window + 1) / (window - 1)))"
    " * rolling_mean(log(high / close) * log(high / open)"
    " + log(low / close) * log(low / open), window))"
)
