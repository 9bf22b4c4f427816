"""rogers_satchell(open, high, low, close, window): volatility per bar that a trend does not bias.

    s[t]^2 = mean( ln(H/C) ln(H/O) + ln(L/C) ln(L/O) )  over rows t-window+1 .. t

Right under any drift; no gap between bars. Null until `window` rows exist and while one is null.
Unit: none (a log return per bar).
Source: Rogers, Satchell (1991), Annals of Applied Probability 1(4), 504-512.
"""

from qf.op import define

op = define(
    "rogers_satchell(open, high, low, close, window: 1..10000)",
    unit="1",
    example="rogers_satchell(open, high, low, close, 20)",
)
op.formula(
    "sqrt(rolling_mean(log(high / close) * log(high / open)"
    " + log(low / close) * log(low / open), window))"
)
