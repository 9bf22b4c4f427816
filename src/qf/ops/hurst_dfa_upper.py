"""hurst_dfa_upper(x, window): highest exponent that detrended fluctuation allows, at 95 %.

    H[t] = 0.5 + p(v) + r(v) / s + (30.25 + 36.65 v) / s^2,  v = hurst_dfa[t] - 0.5
    s^2 = sqrt(window m),  m = the largest power of 2 that is <= window

The upper end of an interval that covers the exponent of fractional Gaussian noise 95 times in 100,
at every exponent: p and r are cubics fitted to the 2.3 % quantiles of hurst_dfa on simulated noise
of 0.02 … 0.98 in windows of 128 … 2048. The interval takes off the estimator's bias too: its
middle is not the estimate. Within [0, 1].

x are increments. Null where hurst_dfa is. Unit: none.
Source: Peng et al. (1994), Physical Review E 49(2); Weron (2002), Physica A 312(1), 285-299
(intervals by simulation).
"""

from qf.op import define

op = define(
    "hurst_dfa_upper(x, window: 128..4096)",
    unit="1",
    example="hurst_dfa_upper(log_return(price), 256)",
)
V = "(hurst_dfa(x, window) - 0.5)"
S = "((window * 2 ** floor(log(window + 0.5) / log(2))) ** 0.25)"
op.formula(
    "clip(0.5 + (0.06674 + V * (1.105 + V * (-0.08563 + V * -0.1095)))"
    " + (0.06314 + V * (-0.9105 + V * (-1.575 + V * 14.55))) / S"
    " + (30.25 + V * 36.65) / S ** 2, 0.0, 1.0)".replace("V", V).replace("S", S)
)
