"""bulk_buy_share(price, window): the share of a bar's volume that bulk classification calls bought.

    b[t] = normal_cdf( (price[t] - price[t-1]) / s ),  s = sample deviation of the last `window`
                                                           changes, this one included

In (0, 1): 0.5 where the price stands still, 1 where it leaps. No trade is looked at, so it needs no
sides; `price` is a bar's close. Null until window + 1 rows exist, while one is null and where s is
0. Unit: none.
Source: Easley, Lopez de Prado and O'Hara (2012), Journal of Portfolio Management 39(1), 19-29.
"""

from qf.op import define

op = define(
    "bulk_buy_share(price, window: 2..100000 = 20)",
    unit="1",
    example="bulk_buy_share(price, 20)",
)
op.formula("normal_cdf(diff(price) / rolling_std(diff(price), window))")
