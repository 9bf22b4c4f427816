"""bekker_parkinson(high, low, window): volatility per bar, its spread taken off.

    s = max(0, (1 / sqrt(2) - 1) sqrt(b) / (k d) + sqrt(g / (k^2 d)))
    k = sqrt(8 / pi),  d, b and g as in `corwin_schultz`

Null until window + 1 rows exist and while one is null. Unit: none (a log return per bar).
Source: Lopez de Prado (2018), Advances in Financial Machine Learning, Snippet 19.2.
"""

from qf.op import define

op = define(
    "bekker_parkinson(high, low, window: 1..10000 = 1)",
    unit="1",
    example="bekker_parkinson(high, low, 20)",
)
op.formula(
    "max(0, -0.2928932188134524 / (1.5957691216057308 * 0.1715728752538097)"
    " * sqrt(rolling_mean(rolling_sum(log(high / low) * log(high / low), 2), window))"
    " + log(rolling_max(high, 2) / rolling_min(low, 2))"
    " / (1.5957691216057308 * 0.41421356237309515))"
)
