"""hurst_dfa_lower(x, window): lowest exponent that detrended fluctuation allows, at 95 %.

    H[t] = 0.5 + p(v) + r(v) / s + (-11.25 - 12.56 v) / s^2,  v = hurst_dfa[t] - 0.5
    s^2 = sqrt(window m),  m = the largest power of 2 that is <= window

The lower end of an interval that covers the exponent of fractional Gaussian noise 95 times in 100,
at every exponent: p and r are cubics fitted to the 2.3 % quantiles of hurst_dfa on simulated noise
of 0.02 … 0.98 in windows of 128 … 2048. The interval takes off the estimator's bias too: its
middle is not the estimate. Within [0, 1].

x are increments. Null where hurst_dfa is. Unit: none.
Source: Peng et al. (1994), Physical Review E 49(2); Weron (2002), Physica A 312(1), 285-299
(intervals by simulation).
"""

from qf.op import define

op = define(
    "hurst_dfa_lower(x, window: 128..4096)",
    unit="1",
    example="hurst_dfa_lower(log_return(price), 256)",
)
V = "(hurst_dfa(x, window) - 0.5)"
S = "((window * 2 ** floor(log(window + 0.5) / log(2))) ** 0.25)"
op.formula(
    "clip(0.5 + (-0.03908 + V * (0.972 + V * (0.03267 + V * -0.04573)))"
    " + (-0.6495 + V * (-0.5005 + V * (-0.1449 + V * 0.5875))) / S"
    " + (-11.25 + V * -12.56) / S ** 2, 0.0, 1.0)".replace("V", V).replace("S", S)
)
