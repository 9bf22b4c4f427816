"""funding_arbitrage(rate, window, deviations): whether a funding rate is far enough out to collect.

    y[t] = abs(z[t]) > deviations,   z = `funding_zscore`(rate, window)

Long the spot and short the contract where the rate is high, the other way where it is low; see
`funding_arbitrage_bps` for what to expect of it. Null where z is. Unit: a condition.
Source: definition.
"""

from qf.op import define

op = define(
    "funding_arbitrage(rate, window: 2..100000, deviations: 0.1..100.0 = 3.0)",
    unit="bool",
    example="funding_arbitrage(spread_bps, 90)",
)
op.formula("abs(funding_zscore(rate, window)) > deviations")
