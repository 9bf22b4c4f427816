"""corwin_schultz(high, low, window): relative spread from the ranges of neighbouring bars.

    S = 2 (e^a - 1) / (1 + e^a),  a = max(0, (sqrt(2) - 1) sqrt(b) / d - sqrt(g / d))
    d = 3 - 2 sqrt(2),  g = ln(highest / lowest of two bars)^2
    b = mean over `window` of ln(H/L)^2 + ln(H'/L')^2,  H', L' of the bar before

The range of two bars holds twice the variance but one spread. Null until window + 1 rows exist
and while one is null. Unit: none (a fraction).
Source: Corwin, Schultz (2012), Journal of Finance 67(2), 719-760; Lopez de Prado (2018), 19.1.
"""

from qf.op import define

op = define(
    "corwin_schultz(high, low, window: 1..10000 = 1)",
    unit="1",
    example="corwin_schultz(high, low, 20)",
)
op.formula(
    "2 * tanh(0.5 * max(0, 0.41421356237309515 / 0.1715728752538097"
    " * sqrt(rolling_mean(rolling_sum(log(high / low) * log(high / low), 2), window))"
    " - log(rolling_max(high, 2) / rolling_min(low, 2))"
    " / 0.41421356237309515))"
)
