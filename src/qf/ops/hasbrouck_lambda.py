"""hasbrouck_lambda(x, flow, window): how far the log price moves per root of signed money traded.

    k[t] = cov(r[i], s[i]) / var(s[i]),  i = t-window+1 .. t
    r = log return of x,  s = sign(flow) sqrt(|flow|),  flow = bought less sold money

Null until window + 1 rows exist, while one is null, and where s is constant.
Unit: 1 over the root of the unit of flow.
Source: Hasbrouck (2009), Journal of Finance 64(3), 1445-1477 (the regression, not the sampler).
"""

from qf.op import define

op = define(
    "hasbrouck_lambda(x, flow, window: 2..10000)",
    unit="1/flow^0.5",
    example="hasbrouck_lambda(price, direction * value, 200)",
)
op.formula(
    "rolling_cov(log_return(x), sign(flow) * sqrt(abs(flow)), window)"
    " / rolling_var(sign(flow) * sqrt(abs(flow)), window)"
)
