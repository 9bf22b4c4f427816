"""vpin_bulk_bar(price, volume, window, sigma_window): a popular VPIN of bars, not the paper's.

    v[t] = mean of |B_i - S_i| over i = t-window+1 .. t, over volume[t]
    B_i = volume[i] bulk_buy_share(price, sigma_window)[i],  S_i = volume[i] - B_i

The mean imbalance is divided by the newest bar's volume alone, so it exceeds 1 where that bar is
small; bars are not equal buckets. `vpin` has neither fault. Null until window + sigma_window bars
exist, while one is null and where the newest has no volume. Unit: none.
Source: mlfinlab 1.0, get_vpin and get_bvc_buy_volume.
"""

from qf.op import define

op = define(
    "vpin_bulk_bar(price, volume, window: 1..100000, sigma_window: 2..100000 = 20)",
    unit="1",
    example="vpin_bulk_bar(close, volume, 20)",
)
op.formula(
    "rolling_mean(abs(2 * bulk_buy_share(price, sigma_window) - 1) * volume, window) / volume"
)
