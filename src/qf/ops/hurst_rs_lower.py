"""hurst_rs_lower(x, window): lowest exponent that rescaled range allows, at 95 %.

    H[t] = 0.5 + p(v) + r(v) / s + (-5.048 - 17.12 v) / s^2,  v = hurst_rs[t] - 0.5
    s^2 = sqrt(window m),  m = the largest power of 2 that is <= window

The lower end of an interval that covers the exponent of fractional Gaussian noise 95 times in 100,
at every exponent: p and r are cubics fitted to the 2.3 % quantiles of hurst_rs on simulated noise
of 0.02 … 0.98 in windows of 64 … 2048. The interval takes off the estimator's bias too: its
middle is not the estimate. Within [0, 1].

x are increments. Null where hurst_rs is. Unit: none.
Source: Anis, Lloyd (1976), Biometrika 63(1); Weron (2002), Physica A 312(1), 285-299
(intervals by simulation).
"""

from qf.op import define

op = define(
    "hurst_rs_lower(x, window: 64..4096)",
    unit="1",
    example="hurst_rs_lower(log_return(price), 256)",
)
V = "(hurst_rs(x, window) - 0.5)"
S = "((window * 2 ** floor(log(window + 0.5) / log(2))) ** 0.25)"
op.formula(
    "clip(0.5 + (-0.04433 + V * (1.074 + V * (0.181 + V * 0.6655)))"
    " + (-0.8854 + V * (2.128 + V * (3.462 + V * 9.779))) / S"
    " + (-5.048 + V * -17.12) / S ** 2, 0.0, 1.0)".replace("V", V).replace("S", S)
)
