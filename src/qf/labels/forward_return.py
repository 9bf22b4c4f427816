"""forward_return(price, window): how far the price has gone `window` bars later.

    ret = price[i + window] / price[i] − 1;  label = ret, or ret / volatility[i]

Made when bar i + window is; label_end is its feature_time, so it is never before feature_time.
The volatility is the causal column of bar i: full-sample standardisation would leak and is no
label. `barrier` is 0 (vertical), `cost` the round trip, quality that of the bars i … i + window.
Units: ret as a fraction of price, label as ret or in volatilities. Null rule: no row where a price
or the volatility used is null or 0.
Source: López de Prado (2018), Advances in Financial Machine Learning, section 3.2 (fixed horizon).
"""

from qf.errors import diagnostic
from qf.op import define

TWO_WINDOWS = diagnostic(
    "QF463",
    "horizon is {horizon} and window is {window}",
    hint="both name the same number of bars: give one of them, or make them equal",
)
NO_WINDOW = diagnostic("QF464", "a forward return needs a window", hint="add window (bars)")

USER = (
    "forward_return(window: 0..65536 = 0, horizon: 0..65536 = 0,"
    " scale: raw|volatility = raw, column: close|vwap = close)"
)
INPUTS = {"bar": "bar_id", "known_time": "feature_time"}  # where they differ from the bar's columns
UNREAD = ("volatility",)

op = define(
    "forward_return(bar: int, known_time: int, price, volatility, path_quality: int,"
    " window: 1..65536, round_trip: 0.0..1.0 = 0.0, scale: raw|volatility = raw) -> bar_id: int,"
    " feature_time: int, label, label_end: int, ret, barrier: int, cost, weight, quality: int",
    shape="emit",
    lookback=lambda window, **_: window,
    memory=lambda window, **_: 0,
    unit="1",
)
op.polars_missing("a label looks ahead; the definition over whole columns is its twin")
VOLATILITY = 1


def resolve(user, cost):
    """Return the kernel's parameters; horizon is the same as window. Errors: QF463, QF464."""
    window = user["window"] or user["horizon"]
    if user["horizon"] and user["horizon"] != window:
        raise TWO_WINDOWS(horizon=user["horizon"], window=window)
    if not window:
        raise NO_WINDOW()
    return {"window": window, "round_trip": cost, "scale": user["scale"]}


def barriers(user, cost):
    """Return no barrier: the label is the return itself."""
    return {}


def inputs(user):
    """Return which bar column an input reads, where the user chooses it."""
    return {"price": user["column"]}


@op.definition
def definition(bar, known_time, price, volatility, path_quality, window, round_trip, scale):
    # Return the labels decided so far, in the order they were.
    rows = []
    for i in range(len(bar) - window):
        unit = volatility[i] if scale == "volatility" else 1.0
        if not price[i] > 0 or not price[i + window] > 0 or not unit > 0:
            continue
        ret = price[i + window] / price[i] - 1.0
        rows.append({
            "bar_id": bar[i], "feature_time": known_time[i], "label": ret / unit,
            "label_end": known_time[i + window], "ret": ret, "barrier": 0, "cost": round_trip,
            "weight": 1.0, "quality": path_quality[i + window],
        })  # fmt: skip
    return rows


@op.kernel
def kernel(
    bar, known_time, price, volatility, path_quality, lo, hi, olo, made, room, params,
    bar_id, feature_time, label, label_end, ret, barrier, cost, weight, quality,
):  # fmt: skip
    if hi - lo > room[0]:
        return hi - lo
    window = int(params[0])
    r = olo
    for t in range(lo, hi):
        i = t - window
        unit = 1.0
        if params[2] == VOLATILITY:
            unit = volatility[i]
        if price[i] > 0.0 and price[t] > 0.0 and unit > 0.0:  # null before the history's start
            ret[r] = price[t] / price[i] - 1.0
            label[r] = ret[r] / unit
            bar_id[r], feature_time[r], label_end[r] = bar[i], known_time[i], known_time[t]
            barrier[r], cost[r], weight[r], quality[r] = 0, params[1], 1.0, path_quality[t]
            r += 1
    made[0] = r - olo
