"""basis_bps(x, y): how far the price of a contract stands above that of what it is about.

    b[t] = 10000 (x[t] / y[t] - 1)

x is the contract's price or mark, y the spot's or index. Null where an input is, and where y is 0.
Unit: basis points.
Source: Hull (2017), Options, Futures and Other Derivatives, chapter 3 (there with its sign turned).
"""

from qf.op import define

op = define("basis_bps(x, y)", unit="bps", example="basis_bps(price, mid)")
op.formula("10000 * (x / y - 1)")
