"""variance_ratio(x, window, rows): whether log returns trend (above 1) or turn (below 1).

    VR[t] = sum((p[i] - p[i-q] - q u)^2) / m  /  ( sum((p[i] - p[i-1] - u)^2) / (n - 1) )
    p = ln x,  q = rows,  n = window returns,  u = (p[t] - p[t-n]) / n
    m = q (n - q + 1) (1 - q / n)

1 for a random walk. The overlapping form, its biases in the means taken off.
Null until window + 1 rows exist, while one is null, and where x does not move. Unit: none.
`window` must be above `rows`.
Source: Lo, MacKinlay (1988), Review of Financial Studies 1(1), 41-66.
"""

from qf.op import define

op = define(
    "variance_ratio(x, window: 3..10000, rows: 2..5000 = 2)",
    unit="1",
    example="variance_ratio(price, 200, 5)",
)
op.formula(
    "(rolling_sum(log_return(x, rows) * log_return(x, rows), window - rows + 1)"
    " - 2 * rows / window * log_return(x, window)"
    " * rolling_sum(log_return(x, rows), window - rows + 1)"
    " + (window - rows + 1) * (rows / window) ** 2 * log_return(x, window) ** 2)"
    " / (rows * (window - rows + 1) * (1 - rows / window)) / rolling_var(log_return(x), window)"
)
