"""funding_arbitrage_bps(rate, window, deviations): what an extreme rate may bring.

    y[t] = 10000 (rate[t] - mean) / 2  where `funding_arbitrage` holds, else 0

Half the excess over the mean of the `window` rates before, per settlement: the rate is expected to
come half of the way back. Positive: short the contract, long the spot; negative the other way.
Costs are not taken off. Null where the rate's z-score is. Unit: basis points per settlement.
Source: definition.
"""

from qf.op import define

op = define(
    "funding_arbitrage_bps(rate, window: 2..100000, deviations: 0.1..100.0 = 3.0)",
    unit="1",
    example="funding_arbitrage_bps(spread_bps, 90)",
)
op.formula(
    "where(funding_arbitrage(rate, window, deviations),"
    " 5000 * (rate - rolling_mean(lag(rate, 1), window)), 0)"
)
