"""integrated_ofi(levels, window, fit): order flow of all levels as one, by its main direction.

    q[t] = sum over levels of rolling_mean(bid_size_l + ask_size_l, window) / (2 levels)
    y[t] = first_component(rolling_sum(ofi_0, window) / q, …, rows = fit)

The paper's integrated OFI: levels scaled by the mean depth, weighed by the first principal
component of the last whole stretch of `fit` trades, weights summing to 1. Null until window + fit
trades are there, and where a level is. Unit: 1 (flow in mean depths). Written out when the formula
is compiled.
Source: Cont, Cucuringu and Zhang (2023), Quantitative Finance 23(10), 1373-1393.
"""

from qf.components import SIZE
from qf.op import define

op = define(
    "integrated_ofi(levels: 1..10 = 5, window: 2..100000 = 100, fit: 20..100000 = 1000)",
    unit="1",
    example="integrated_ofi(5, 100, 1000)",
)


@op.expand
def expand(levels, window, fit):
    depth = " + ".join(f"bid_size_{k} + ask_size_{k}" for k in range(levels))
    mean = f"(rolling_mean({depth}, {window}) / {2 * levels})"
    columns = [f"rolling_sum(ofi_{k}, {window}) / {mean}" for k in range(levels)]
    return f"first_component({', '.join(columns + ['0'] * (SIZE - levels))}, {fit})"
