"""binned_return(window, by, bins): which class the return over `window` bars falls into.

    ret = price[i + window] / price[i] − 1;  label = (edges below ret) − (bins − 1) / 2

Three bins are −1, 0 and +1. The edges of bar i's label are known at bar i:

    by: quantile    the k / bins quantiles (k = 1 … bins − 1) of the last `history` returns over
                    `window` bars that had ended by bar i
    by: volatility  width · volatility[i] · (2 k − bins),  k = 1 … bins − 1: ± width for 3

Quantiles of the whole sample would tell bar i of returns that come after it, and are no label.
Made when bar i + window is; label_end is its feature_time. `barrier` is 0 (vertical), `cost` the
round trip, quality that of the bars i … i + window.
Units: ret as a fraction of price. Null rule: no row where a price or the volatility used is null or
0, and none until `history` returns have ended, all of them known.
Source: López de Prado (2018), Advances in Financial Machine Learning, section 3.2 (fixed horizon;
the volatility's threshold there is this width); Hyndman, Fan (1996), type 7 (the quantiles).
"""

import math

from qf.op import define
from qf.sorting import slide

USER = (
    "binned_return(window: 1..10000 = 10, by: quantile|volatility = quantile, bins: 2..20 = 3,"
    " history: 10..10000 = 500, width: 0.0..1000.0 = 1.0, column: close|vwap = close)"
)
INPUTS = {"bar": "bar_id", "known_time": "feature_time"}  # where they differ from the bar's columns
UNREAD = ("volatility",)

op = define(
    "binned_return(bar: int, known_time: int, price, volatility, path_quality: int,"
    " window: 1..10000, scale: raw|volatility = raw, bins: 2..20 = 3, history: 10..10000 = 500,"
    " width: 0.0..1000.0 = 1.0, round_trip: 0.0..1.0 = 0.0) -> bar_id: int,"
    " feature_time: int, label, label_end: int, ret, barrier: int, cost, weight, quality: int",
    shape="emit",
    lookback=lambda window, history, **_: 2 * window + history,
    memory=lambda window, **_: 0,
    slots=lambda history, **_: history + 1,
    ints=lambda **_: 1,
    unit="1",
)
op.polars_missing("a label looks ahead; the definition over whole columns is its twin")
VOLATILITY = 1


def resolve(user, cost):
    """Return the kernel's parameters."""
    scale = "volatility" if user["by"] == "volatility" else "raw"
    given = {name: user[name] for name in ("window", "bins", "history", "width")}
    return {**given, "scale": scale, "round_trip": cost}


def barriers(user, cost):
    """Return no barrier: a class is no exit."""
    return {}


def inputs(user):
    """Return which bar column an input reads, where the user chooses it."""
    return {"price": user["column"]}


def return_over(price, i, end):
    """Return the return from bar i to bar `end`, missing where a price is not above 0."""
    return price[end] / price[i] - 1.0 if price[i] > 0.0 and price[end] > 0.0 else math.nan


@op.definition
def definition(
    bar, known_time, price, volatility, path_quality, window, scale, bins, history, width,
    round_trip,
):  # fmt: skip
    # Return the labels decided so far, in the order they were.
    rows = []
    for i in range(len(bar) - window):
        ret = return_over(price, i, i + window)
        if scale == "volatility":
            if not volatility[i] > 0:
                continue
            edges = [width * volatility[i] * (2.0 * k - bins) for k in range(1, bins)]
        else:
            ended = range(max(0, i - window - history + 1), i - window + 1)
            past = sorted(return_over(price, j, j + window) for j in ended)
            if len(past) < history or any(each != each for each in past):
                continue
            places = [(history - 1) * (k / bins) for k in range(1, bins)]
            edges = [
                past[int(at)] + (at - int(at)) * (past[math.ceil(at)] - past[int(at)])
                for at in places
            ]
        if ret != ret:
            continue
        rows.append({
            "bar_id": bar[i], "feature_time": known_time[i],
            "label": sum(edge < ret for edge in edges) - (bins - 1) / 2.0,
            "label_end": known_time[i + window], "ret": ret, "barrier": 0, "cost": round_trip,
            "weight": 1.0, "quality": path_quality[i + window],
        })  # fmt: skip
    return rows


@op.kernel
def kernel(
    bar, known_time, price, volatility, path_quality, lo, hi, olo, made, room, params, state, ints,
    bar_id, feature_time, label, label_end, ret, barrier, cost, weight, quality,
):  # fmt: skip
    if hi - lo > room[0]:
        return hi - lo
    window, bins, history = int(params[0]), int(params[2]), int(params[3])
    count, r = ints[0], olo
    for t in range(lo, hi):
        i = t - window
        past = i - window  # the newest return that ended by bar i, and the one it replaces
        if params[1] != VOLATILITY:
            old = return_over(price, past - history, i - history)
            count = slide(state, count, old, return_over(price, past, i))
        gain = return_over(price, i, t)
        scale = volatility[i] if params[1] == VOLATILITY else 1.0
        whole = params[1] == VOLATILITY or count == history
        if not (gain == gain and scale > 0.0 and whole):
            continue
        below = 0
        for k in range(1, bins):
            if params[1] == VOLATILITY:
                edge = params[4] * scale * (2.0 * k - bins)
            else:
                at = (history - 1) * (k / bins)
                low = int(at)
                high = low + 1 if at > low else low
                edge = state[low] + (at - low) * (state[high] - state[low])
            below += 1 if edge < gain else 0
        label[r], ret[r] = below - (bins - 1) / 2.0, gain
        bar_id[r], feature_time[r], label_end[r] = bar[i], known_time[i], known_time[t]
        barrier[r], cost[r], weight[r], quality[r] = 0, params[5], 1.0, path_quality[t]
        r += 1
    ints[0] = count
    made[0] = r - olo
