"""trend_scan(window, shortest, step, min_t): the direction of the clearest trend that follows.

    over h = shortest, shortest + step, … <= window bars after bar i:
    t(h) = t-value of the slope of close[i .. i + h] against the bar number
    h* = the h of the largest |t|;  label = sign of t(h*), 0 where |t(h*)| < min_t
    ret = close[i + h*] / close[i] − 1

`value: t_value` writes t(h*) itself. Of equal |t| the shortest h wins; prices that do not move have
t = 0, and a perfect line, whose t is infinite, counts as r² = 1 − 1e-12. Which h is best is known
only when all have been seen: label_end is the feature_time of bar i + window. The paper ends the
label at i + h*, when a longer trend could still take its place; purging by that would leak.
`barrier` is 0 (vertical), `cost` the round trip, quality that of the bars i … i + window.
Units: ret as a fraction of price. Null rule: no row where a close of the path is
null or not above 0.
Source: López de Prado (2020), Machine Learning for Asset Managers, section 5.4.
"""

import math

from qf.errors import diagnostic
from qf.op import define

NO_HORIZON = diagnostic(
    "QF466",
    "trend_scan looks {window} bars ahead and no less than {shortest}",
    hint="make window at least as long as shortest",
)

USER = (
    "trend_scan(window: 2..10000 = 20, shortest: 2..10000 = 5, step: 1..1000 = 1,"
    " min_t: 0.0..1000.0 = 0.0, value: sign|t_value = sign)"
)
INPUTS = {"bar": "bar_id", "known_time": "feature_time"}  # where they differ from the bar's columns

op = define(
    "trend_scan(bar: int, known_time: int, close_ticks: int, path_quality: int,"
    " window: 2..10000, shortest: 2..10000, step: 1..1000, min_t: 0.0..1000.0 = 0.0,"
    " round_trip: 0.0..1.0 = 0.0, value: sign|t_value = sign) -> bar_id: int,"
    " feature_time: int, label, label_end: int, ret, barrier: int, cost, weight, quality: int",
    shape="emit",
    lookback=lambda window, **_: window,
    memory=lambda window, **_: 0,
    unit="1",
)
op.polars_missing("a label looks ahead; the definition over whole columns is its twin")
T_VALUE = 1
LEAST_REST = 1e-12  # of the variance, that a line leaves


def resolve(user, cost):
    """Return the kernel's parameters. Errors: QF466."""
    if user["window"] < user["shortest"]:
        raise NO_HORIZON(window=user["window"], shortest=user["shortest"])
    return {**user, "round_trip": cost}


def barriers(user, cost):
    """Return no barrier: the label is a direction."""
    return {}


def t_of(n, total, squares, product):
    """Return the t-value of the slope of n values against 0 … n-1.

    `total`, `squares` and `product` are the sums of value, value² and value · number.
    """
    steps = n * n * (n * n - 1.0) / 12.0
    spread = n * squares - total * total
    if spread <= 0.0:
        return 0.0
    r = (n * product - total * (n * (n - 1.0) / 2.0)) / math.sqrt(steps * spread)
    return r * math.sqrt((n - 2.0) / max(1.0 - r * r, LEAST_REST))


@op.definition
def definition(
    bar, known_time, close_ticks, path_quality, window, shortest, step, min_t, round_trip, value
):
    # Return the labels decided so far, in the order they were.
    rows = []
    for i in range(len(bar) - window):
        path = close_ticks[i : i + window + 1]
        if min(path) <= 0:
            continue
        found = []
        for h in range(shortest, window + 1, step):
            gaps = [price - path[0] for price in path[: h + 1]]
            product = sum(k * gap for k, gap in enumerate(gaps))
            t = t_of(h + 1.0, float(sum(gaps)), float(sum(g * g for g in gaps)), float(product))
            found.append((abs(t), -h, t))
        size, best, t = max(found)
        sign = ((t > 0) - (t < 0)) if size >= min_t else 0
        rows.append({
            "bar_id": bar[i], "feature_time": known_time[i],
            "label": t if value == "t_value" else float(sign), "label_end": known_time[i + window],
            "ret": path[-best] / path[0] - 1.0, "barrier": 0, "cost": round_trip, "weight": 1.0,
            "quality": path_quality[i + window],
        })  # fmt: skip
    return rows


@op.kernel
def kernel(
    bar, known_time, close_ticks, path_quality, lo, hi, olo, made, room, params,
    bar_id, feature_time, label, label_end, ret, barrier, cost, weight, quality,
):  # fmt: skip
    if hi - lo > room[0]:
        return hi - lo
    window, shortest, step = int(params[0]), int(params[1]), int(params[2])
    r = olo
    for end in range(lo, hi):
        i = end - window
        first = close_ticks[i]
        total, squares, product = 0.0, 0.0, 0.0  # of whole numbers: the sums are exact
        best, best_t, due = shortest, 0.0, shortest
        known = first > 0  # null before the history's start
        for h in range(1, window + 1):
            known = known and close_ticks[i + h] > 0
            gap = float(close_ticks[i + h] - first) if known else 0.0
            total += gap
            squares += gap * gap
            product += gap * h
            if h == due:
                due += step
                t = t_of(h + 1.0, total, squares, product)
                if h == shortest or abs(t) > abs(best_t):
                    best, best_t = h, t
        if not known:
            continue
        label[r] = best_t
        if params[5] != T_VALUE:
            label[r] = (best_t > 0.0) - (best_t < 0.0) if abs(best_t) >= params[3] else 0.0
        ret[r] = close_ticks[i + best] / first - 1.0
        bar_id[r], feature_time[r], label_end[r] = bar[i], known_time[i], known_time[end]
        barrier[r], cost[r], weight[r], quality[r] = 0, params[4], 1.0, path_quality[end]
        r += 1
    made[0] = r - olo
