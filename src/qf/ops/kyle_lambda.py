"""kyle_lambda(x, flow, window): how far the price moves per unit of signed volume.

    k[t] = cov(x[i] - x[i-1], flow[i]) / var(flow[i]),  i = t-window+1 .. t

The slope of the least-squares line with an intercept. Null until window + 1 rows exist, while one
is null, and where the flow is constant. Unit: the unit of x over that of flow.
Source: Kyle (1985), Econometrica 53(6), 1315-1335; Hasbrouck (2007), Empirical Market
Microstructure, ch. 7 (the regression).
"""

from qf.op import define

op = define(
    "kyle_lambda(x, flow, window: 2..10000)",
    unit="x/flow",
    example="kyle_lambda(price, buy_volume - sell_volume, 200)",
)
op.formula("rolling_cov(diff(x), flow, window) / rolling_var(flow, window)")
