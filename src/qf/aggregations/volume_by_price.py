"""volume_by_price(bar, …): the rows of each bar's footprint: what was bought and sold at a price.

One row per bar and price row that was traded at, from the lowest: rows of one basis point of the
bar's first price, as in `footprint`, whose point of control and stacks are read off them.

    low, high    lowest and highest price of the row
    buy_volume, sell_volume, volume   volumes of the sides, and with trades of unknown side

A trade that a rule divides counts whole in both bars. Trades more than 255 rows from the bar's
first price are in no row; the bar's rows then say window_full.
Null: no column is. Units: prices in quote per base, volumes in the size unit.
Source: Steidlmayer (1986), Markets and Market Logic; definition (rows).
"""

from qf.op import define
from qf.price_rows import (
    HIGHEST,
    LOWEST,
    OUTSIDE,
    ROWS,
    STATE_INTS,
    begin_rows,
    count_divided,
    count_trades,
    lowest_tick,
    volumes_of,
)
from qf.schema import BIT

WINDOW_FULL = BIT["window_full"]

op = define(
    "volume_by_price(bar: int, known_time: int, first_row: int, close_row: int, bar_quality: int,"
    " price_ticks: int, size_lots: int, direction: int,"
    " price_num: 1..9007199254740992, price_den: 1..9007199254740992,"
    " size_num: 1..9007199254740992, size_den: 1..9007199254740992) ->"
    " bar_id: int, feature_time: int, low, high, buy_volume, sell_volume, volume, quality: int",
    shape="emit",
    lookback=lambda **_: 1,
    memory=lambda **_: 0,
    ints=lambda **_: STATE_INTS,
)
op.polars_missing("a map from prices to volumes; no formula reads its rows")
op.definition_missing("tests/bars holds the dictionary model that it must equal")


@op.kernel
def kernel(
    bar, known_time, first_row, close_row, bar_quality, price_ticks, size_lots, direction,
    lo, hi, olo, made, room, slo, shi, srow, params, ints,
    bar_id, feature_time, low, high, buy_volume, sell_volume, volume, quality,
):  # fmt: skip
    # a trade opens one row at most; the open bar has those it had
    most = shi - slo + hi - lo + (ROWS if hi > lo else 0)
    if room[0] < most:
        return most
    o, t = olo, slo
    for b in range(lo, hi):
        end = close_row[b] - srow + slo
        t = count_trades(ints, price_ticks, size_lots, direction, t, end + 1)
        count_divided(ints, first_row[b])
        for place in range(ints[LOWEST], ints[HIGHEST] + 1):
            bought, sold, total = volumes_of(ints, place)
            if total == 0:
                continue
            bar_id[o], feature_time[o] = bar[b], known_time[b]
            low[o] = lowest_tick(ints, place) * params[0] / params[1]
            high[o] = (lowest_tick(ints, place + 1) - 1) * params[0] / params[1]
            buy_volume[o] = bought * params[2] / params[3]
            sell_volume[o] = sold * params[2] / params[3]
            volume[o] = total * params[2] / params[3]
            quality[o] = bar_quality[b] | (WINDOW_FULL if ints[OUTSIDE] != 0 else 0)
            o += 1
        begin_rows(ints, close_row[b], price_ticks[end], size_lots[end], direction[end])
    count_trades(ints, price_ticks, size_lots, direction, t, shi)
    made[0] = o - olo
