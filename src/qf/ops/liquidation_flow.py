"""liquidation_flow(size, side, window): forced buying less forced selling.

    f[t] = sum of side[i] size[i],  i = t-window+1 .. t

Rows are forced orders. `side` is +1 where the forced order buys (shorts are closed), -1 where
it sells. Null until `window` rows exist and while one is null. Unit: the unit of size.
Source: definition.
"""

from qf.op import define

op = define(
    "liquidation_flow(size, side, window: 1..100000)",
    unit="size",
    example="liquidation_flow(size, direction, 50)",
)
op.formula("rolling_sum(side * size, window)")
