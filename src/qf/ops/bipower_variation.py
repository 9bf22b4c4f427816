"""bipower_variation(x, window): realised variation that a jump hardly moves.

    BV[t] = sqrt( pi/2 * sum(|r[i]| |r[i-1]|) ),  r[i] = ln(x[i] / x[i-1]),  i = t-window+1 .. t

Beside `realized_variation`: without jumps both go to the same volatility, a jump lifts only that
one. Null until window + 2 rows exist and while one of them is null or not above 0.
Unit: none (a log return).
Source: Barndorff-Nielsen, Shephard (2004), Journal of Financial Econometrics 2(1), 1-37.
"""

from qf.op import define

op = define(
    "bipower_variation(x, window: 1..10000)",
    unit="1",
    example="bipower_variation(price, 100)",
)
op.formula(
    "sqrt(1.5707963267948966"
    " * rolling_sum(abs(log_return(x)) * abs(lag(log_return(x), 1)), window))"
)
