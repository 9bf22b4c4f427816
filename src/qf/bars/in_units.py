"""in_units(bar, price, size, value): the integers of a bar row in the user's units.

    open = open_ticks · price_num / price_den, and so on;  duration_ms = (close − open time) / 1e6
    vwap = sum of price · size / sum of size: for inverse contracts, size is contracts

Units: prices in quote currency, volumes in size units, value in quote currency (COIN-M: USD).
Null rule: null where the integer is null, and vwap where the volume is 0.
Source: definition.
"""

import math

from qf.op import SUM, define
from qf.schema import NULL_INT

op = define(
    "in_units(open_time: int, close_time: int, open_ticks: int, high_ticks: int, low_ticks: int,"
    " close_ticks: int, volume_lots: int, value_units: int, weighted_units: int, buy_lots: int,"
    " sell_lots: int, price_num: 1..9007199254740992, price_den: 1..9007199254740992,"
    " size_num: 1..9007199254740992, size_den: 1..9007199254740992,"
    " value_num: 1..9007199254740992, value_den: 1..9007199254740992) -> open, high, low, close,"
    " vwap, volume, value, buy_volume, sell_volume, duration_ms",
    tolerance=SUM,
    unit="1",
)
op.polars_missing("an op of ten outputs; the Polars engine reads the columns it writes")


@op.definition
def definition(
    open_time, close_time, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots, value_units,
    weighted_units, buy_lots, sell_lots, price_num, price_den, size_num, size_den, value_num,
    value_den,
):  # fmt: skip
    # Return the last row's ten values, in the order of the signature.

    def scaled(number, num, den):
        return math.nan if number == NULL_INT else number * num / den

    prices = [open_ticks[-1], high_ticks[-1], low_ticks[-1], close_ticks[-1]]
    average = math.nan
    if weighted_units[-1] != NULL_INT and volume_lots[-1] > 0:
        average = weighted_units[-1] * price_num / (volume_lots[-1] * price_den)
    return [
        *(scaled(ticks, price_num, price_den) for ticks in prices),
        average,
        scaled(volume_lots[-1], size_num, size_den),
        scaled(value_units[-1], value_num, value_den),
        scaled(buy_lots[-1], size_num, size_den),
        scaled(sell_lots[-1], size_num, size_den),
        (close_time[-1] - open_time[-1]) / 1e6,
    ]


def scale_column(out, numbers, lo, hi, num, den):
    """Write numbers · num / den: one column at a time, which the compiler turns into vectors."""
    for t in range(lo, hi):
        out[t] = math.nan if numbers[t] == NULL_INT else numbers[t] * num / den


@op.kernel
def kernel(
    open_time, close_time, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots, value_units,
    weighted_units, buy_lots, sell_lots, lo, hi, params,
    open, high, low, close, vwap, volume, value, buy_volume, sell_volume, duration_ms,
):  # fmt: skip
    price_num, price_den = params[0], params[1]
    size_num, size_den = params[2], params[3]
    scale_column(open, open_ticks, lo, hi, price_num, price_den)
    scale_column(high, high_ticks, lo, hi, price_num, price_den)
    scale_column(low, low_ticks, lo, hi, price_num, price_den)
    scale_column(close, close_ticks, lo, hi, price_num, price_den)
    scale_column(volume, volume_lots, lo, hi, size_num, size_den)
    scale_column(buy_volume, buy_lots, lo, hi, size_num, size_den)
    scale_column(sell_volume, sell_lots, lo, hi, size_num, size_den)
    scale_column(value, value_units, lo, hi, params[4], params[5])
    for t in range(lo, hi):
        mean = weighted_units[t] / volume_lots[t] * price_num / price_den
        vwap[t] = mean if weighted_units[t] >= 0 and volume_lots[t] > 0 else math.nan
    for t in range(lo, hi):
        duration_ms[t] = (close_time[t] - open_time[t]) / 1e6
