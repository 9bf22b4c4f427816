"""basis_annualized(x, y, days): what a dated contract pays per year to whoever carries the spot.

    b[t] = (x[t] / y[t] - 1) * 365 / days

x is the contract's price, y the spot's, `days` the time left to its expiry. Not compounded. Null
where an input is, and where y is 0. Unit: a fraction per year.
Source: Hull (2017), Options, Futures and Other Derivatives, chapter 5 (the cost of carry).
"""

from qf.op import define

op = define(
    "basis_annualized(x, y, days: 0.01..10000.0)",
    unit="1",
    example="basis_annualized(price, mid, 90)",
)
op.formula("(x / y - 1) * (365 / days)")
