"""triple_barrier(bars, upper, lower, vertical_bars): which of three barriers the price meets first.

    path of bar i: high and low of bars i+1 … i+vertical_bars, and no bar known later than
    feature_time + vertical_ns;  touched: high >= entry · (1 + u), low <= entry · (1 − l)
    label = +1 upper, −1 lower, 0 vertical (`vertical_label: sign`: the sign of ret)
    ret = u, −l, or close of the path's last bar / entry − 1

u and l are `upper` and `lower` times 1, the volatility of bar i, or the round-trip cost, rounded to
1e-9 and compared in whole ticks; 0 switches a barrier off. The entry is

    close       the bar's last price
    next_trade  the price of the first trade after the trade that made bar i exist
    book        the ask for long, the bid for short, as the book stood when the first trade of a
                later venue time met it: what closed the bar has taken its levels by then

and a path entered by a trade begins with that trade. Both barriers inside one bar: `stop_first`
takes the stop of the side (lower for long, upper for short), `skip` writes no label, `book_replay`
takes the barrier that the bar's trades reached first, in tape order. label_end is the feature_time
of the bar that decided, so it is never before feature_time; `barrier` is the one touched (+1, −1,
0). A row is made when it is decided, in the order of label_end, then bar_id. Open labels are the
int64 state: at most `vertical_bars`, which is 4,096 where a label is bounded by seconds alone.
quality is that of bar i and of its path, with the trade that `book` enters at.
Units: ret, upper and lower as fractions of price. Null rule: where there is no quote to enter at,
label, ret and barrier are null and quality says why (`undefined` where that trade has no bit). No
label: a bar whose volatility is null or 0 (where that is the unit), whose side is null or 0 (side
`column`), whose close is not above 0 (entry `close`), or that no trade follows before the vertical
barrier (entry by a trade).
Source: López de Prado (2018), Advances in Financial Machine Learning, sections 3.2-3.4.
"""

import math
from fractions import Fraction

from qf.errors import diagnostic
from qf.labels.close_labels import judge_closes, keep_closes, write_closes
from qf.labels.open_labels import (
    BILLION,
    BOOK,
    CHUNK,
    CLOSE,
    FEW,
    FIELDS,
    HEAD,
    LATE,
    NULL_LABEL,
    REPLAY_TIES,
    RISE,
    SIGN,
    SLOTS,
    TAIL,
    UNDEFINED_BIT,
    begin_chunk,
    place_rows,
    places,
    write_open,
)
from qf.labels.trade_labels import (
    end_block,
    judge_open,
    mark_open_bar,
    open_chunk,
)
from qf.op import define
from qf.schema import NULL_INT

USER = (
    "triple_barrier(upper_barrier: 0.0..1000.0, lower_barrier: 0.0..1000.0,"
    " vertical_barrier: 0..65536 = 0, vertical_seconds: 0.0..604800.0 = 0.0,"
    " horizon: 0..65536 = 0, barrier_unit: fraction|volatility|cost = fraction,"
    " entry: close|next_trade|book = close, tie: stop_first|skip|book_replay = stop_first,"
    " side: long|short|column = long, vertical_label: zero|sign = zero)"
)
INPUTS = {"bar": "bar_id", "known_time": "feature_time", "bar_quality": "quality"}
TRADES = {
    "trade_ticks": "price_ticks",
    "trade_time": "event_time",
    "trade_quality": "quality",
    "trade_price": "price",
    "bid": "bid_price_0",
    "ask": "ask_price_0",
}
UNREAD = ("volatility", "position", *TRADES)
MOST_BARS = 4096  # of a label that is bounded by seconds alone

TWO_HORIZONS = diagnostic(
    "QF460",
    "horizon is {horizon} and vertical_barrier is {vertical}",
    hint="both name the same limit: give one of them, or make them equal",
)
NO_VERTICAL = diagnostic(
    "QF461",
    "a triple barrier needs a vertical one",
    hint="add vertical_barrier (bars) or vertical_seconds",
)

op = define(
    "triple_barrier(bar: int, known_time: int, known_row: int, first_row: int, close_row: int,"
    " high_ticks: int, low_ticks: int, close_ticks: int, bar_quality: int, volatility,"
    " position: int, trade_ticks: int, trade_time: int, trade_quality: int, trade_price, bid, ask,"
    " upper: 0.0..1000.0, lower: 0.0..1000.0,"
    " unit: fraction|volatility|cost = fraction, round_trip: 0.0..1.0 = 0.0,"
    " vertical_bars: 1..65536 = 4096, vertical_ns: 0..604800000000000 = 0,"
    " entry: close|next_trade|book = close, tie: stop_first|skip|book_replay = stop_first,"
    " side: long|short|column = long, vertical_label: zero|sign = zero) ->"
    " bar_id: int, feature_time: int, label, label_end: int, ret, barrier: int, cost, weight,"
    " quality: int",
    shape="emit",
    lookback=lambda **_: 1,
    memory=lambda **_: 0,
    ints=lambda vertical_bars, **_: SLOTS + FIELDS * places(vertical_bars),
    unit="1",
)
op.polars_missing("a label looks ahead; the definition over whole columns is its twin")


def resolve(user, cost):
    """Return the kernel's parameters. Errors: QF460, QF461."""
    vertical = user["vertical_barrier"] or user["horizon"]
    if user["horizon"] and user["horizon"] != vertical:
        raise TWO_HORIZONS(horizon=user["horizon"], vertical=vertical)
    if not vertical and not user["vertical_seconds"]:
        raise NO_VERTICAL()
    return {
        "upper": user["upper_barrier"],
        "lower": user["lower_barrier"],
        "unit": user["barrier_unit"],
        "round_trip": cost,
        "vertical_bars": vertical or MOST_BARS,
        "vertical_ns": round(user["vertical_seconds"] * BILLION),
        **{name: user[name] for name in ("entry", "tie", "side", "vertical_label")},
    }


def barriers(user, cost):
    """Return each horizontal barrier as a fraction of price, where that is known beforehand."""
    scale = {"fraction": 1.0, "cost": cost}.get(user["barrier_unit"])
    names = ("upper_barrier", "lower_barrier") if scale is not None else ()
    return {name: user[name] * (scale or 0.0) for name in names if user[name] > 0}


def trades(user):
    """Return which column of the tick clock an input reads, for the options that need trades."""
    if user["entry"] == "book":
        return TRADES
    needed = user["entry"] == "next_trade" or user["tie"] == "book_replay"
    return {"trade_ticks": "price_ticks"} if needed else {}


def entry_of(i, view, known_row, close_ticks, trade_ticks, trade_time, quotes, price, entry):
    # Return the row of the trade by which a label enters, -1 for its own bar, and the price.
    if entry == "close":
        return -1, close_ticks[i]
    known = known_row[i]
    later = range(known + 1, len(trade_ticks))
    if entry == "book":
        newest = max(trade_time[: known + 1])
        later = [row for row in later if trade_time[row] > newest]
    row = next(iter(later), None)
    if row is None or entry == "next_trade":
        return row, trade_ticks[row] if row is not None else None
    quote = quotes[view][row]
    return row, round(quote / (price[row] / trade_ticks[row])) if quote > 0 else None


@op.definition
def definition(
    bar, known_time, known_row, first_row, close_row, high_ticks, low_ticks, close_ticks,
    bar_quality, volatility, position, trade_ticks, trade_time, trade_quality, trade_price, bid,
    ask, upper, lower, unit, round_trip, vertical_bars, vertical_ns, entry, tie, side,
    vertical_label,
):  # fmt: skip
    # Return the labels decided so far, in the order they were.
    rows = []
    quotes = {1: ask, -1: bid}
    for i in range(len(bar)):
        scale = {"fraction": 1.0, "cost": round_trip, "volatility": volatility[i]}[unit]
        view = {"long": 1, "short": -1, "column": position[i]}[side]
        if not scale > 0 or view not in (1, -1) or (entry == "close" and close_ticks[i] <= 0):
            continue
        up, down = (Fraction(math.floor(w * scale * 1e9 + 0.5), BILLION) for w in (upper, lower))
        start, price = entry_of(
            i, view, known_row, close_ticks, trade_ticks, trade_time, quotes, trade_price, entry
        )
        top = math.ceil(price * (1 + up)) if up > 0 and price is not None else math.inf
        bottom = math.floor(price * (1 - down)) if down > 0 and price is not None else -math.inf
        for j in range(i + 1, len(bar)):
            late = vertical_ns > 0 and known_time[j] > known_time[i] + vertical_ns
            entered = start is not None and start <= close_row[j - late]
            path = [high_ticks[j], low_ticks[j]]
            if entry != "close" or tie == "book_replay":
                path = trade_ticks[max(first_row[j], start or 0) : close_row[j] + 1]
            path = path if entered and not late else []
            above = [n for n, p in enumerate(path) if p >= top]
            below = [n for n, p in enumerate(path) if p <= bottom]
            due = above or below or late or j == i + vertical_bars
            if not due and not (entered and price is None):
                continue
            met = 1 if above else -1 if below else 0
            if above and below:
                first = 1 if above[0] < below[0] else -1
                met = {"stop_first": -view, "skip": None, "book_replay": first}[tie]
            if not entered or met is None:
                break
            ret = math.nan
            if price is not None:
                last = close_ticks[j - 1 if late else j]
                ret = {1: float(up), -1: -float(down), 0: (last - price) / price}[met]
            sign = (ret > 0) - (ret < 0) if vertical_label == "sign" else 0
            bits = UNDEFINED_BIT if price is None and not trade_quality[start] else 0
            for k in range(i, j + 1):
                bits |= bar_quality[k]
            known = price is not None
            rows.append({
                "bar_id": bar[i], "feature_time": known_time[i], "quality": bits,
                "label": float(met or sign) if known else math.nan, "label_end": known_time[j],
                "ret": ret, "barrier": met if known else NULL_INT, "cost": round_trip,
                "weight": 1.0, "decided": j,
            })  # fmt: skip
            break
    return sorted(rows, key=lambda row: (row.pop("decided"), row["bar_id"]))


@op.kernel
def kernel(
    bar, known_time, known_row, first_row, close_row, high_ticks, low_ticks, close_ticks,
    bar_quality, volatility, position, trade_ticks, trade_time, trade_quality, trade_price, bid,
    ask, lo, hi, row, olo, made, room, slo, shi, srow, params, ints, bar_id, feature_time, label,
    label_end, ret, barrier, cost, weight, quality,
):  # fmt: skip
    if ints[TAIL] - ints[HEAD] + hi - lo > room[0]:
        return ints[TAIL] - ints[HEAD] + hi - lo
    by_trades, by_sign = params[6] != CLOSE or params[7] == REPLAY_TIES, params[9] == SIGN
    end, a, more = olo, lo, by_trades or hi > lo
    ints[RISE] = slo
    while more:
        b = min(hi, a + (FEW if by_trades else CHUNK))
        begin_chunk(ints, int(params[4]), high_ticks, low_ticks, bar_quality, a, b)
        if by_trades:
            open_chunk(
                ints, a, b, row - lo, params, bar, known_time, known_row, close_ticks, bar_quality,
                volatility, position,
            )  # fmt: skip
        judge_open(
            ints, a, b, row - lo, params, known_time, first_row, close_row, high_ticks, low_ticks,
            bar_quality, trade_ticks, trade_time, trade_quality, trade_price, bid, ask, slo, shi,
            slo - srow,
        )  # fmt: skip
        if not by_trades:
            judge_closes(
                ints, a, b, params, bar, known_time, high_ticks, low_ticks, close_ticks,
                bar_quality, volatility, position,
            )  # fmt: skip
        count = place_rows(ints, b - a, 0)
        write_open(
            ints, a, end, known_time, close_ticks, bar_id, feature_time, label_end, ret, barrier,
            quality,
        )  # fmt: skip
        if not by_trades:
            write_closes(
                ints, a, b - a, end, bar, known_time, bar_quality, bar_id, feature_time, label_end,
                ret, barrier, quality,
            )  # fmt: skip
            keep_closes(
                ints, a, b, row - lo, params, bar, known_time, known_row, close_ticks, bar_quality,
                volatility, position,
            )  # fmt: skip
        for r in range(end, end + count):
            met, is_null = 0 if barrier[r] == LATE else barrier[r], barrier[r] == NULL_LABEL
            sign = (ret[r] > 0.0) - (ret[r] < 0.0)
            known = sign if by_sign and met == 0 else met
            label[r], barrier[r] = math.nan if is_null else known, NULL_INT if is_null else met
            cost[r], weight[r] = params[3], 1.0
        end += count
        a = b
        more = a < hi
    end_block(ints, trade_time, shi if params[6] == BOOK else 0)
    if by_trades:
        begin = slo - srow + close_row[hi - 1] + 1 if hi > lo else slo
        mark_open_bar(ints, trade_ticks, begin, shi, slo - srow, int(params[7]))
    made[0] = end - olo
