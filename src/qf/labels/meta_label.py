"""meta_label(take, stop, bars): whether a bet on a side would have paid, after its costs.

    path of bar i: high and low of bars i+1 … i+vertical_bars; entry: close of bar i, side s = ±1
    ret = +take where the price moves `take` in the side's favour first, −stop where `stop` against
          it, else s (close of the path's last bar / entry − 1);  label = 1 where ret > cost, else 0

A first model says the side (`side: column` reads the formula of +1 and −1 under inputs), a second
one learns this label: whether to act, and by its probability with which size. take and stop are
`take` and `stop` times 1, the volatility of bar i, or the round-trip cost, rounded to 1e-9 and
compared in whole ticks; 0 switches one off. Both inside one bar count as the stop. `barrier` is +1
(take), −1 (stop) or 0 (vertical); label_end is the feature_time of the bar that decided; rows come
in the order of label_end, then bar_id. Open labels are the int64 state.
Units: ret, take and stop as fractions of price, ret in the side's favour. Null rule: no row for a
bar whose side is null or 0, whose close is not above 0, or whose volatility (where that is the
unit) is null or 0.
Source: López de Prado (2018), Advances in Financial Machine Learning, sections 3.6-3.8.
"""

import math
from fractions import Fraction

from qf.labels.open_labels import (
    BILLION,
    COLUMN,
    COST,
    SHORT,
    VOLATILITY,
    billionths,
    lower_of,
    upper_of,
)
from qf.op import define

USER = (
    "meta_label(take_barrier: 0.0..1000.0, stop_barrier: 0.0..1000.0,"
    " vertical_barrier: 1..65536, barrier_unit: fraction|volatility|cost = fraction,"
    " side: column|long|short = column)"
)
INPUTS = {"bar": "bar_id", "known_time": "feature_time", "bar_quality": "quality"}
UNREAD = ("volatility", "position")
FIELDS = 10
ID, TIME, START, ENTRY, UPPER, LOWER, TAKE, STOP, SIDE, BITS = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9

op = define(
    "meta_label(bar: int, known_time: int, high_ticks: int, low_ticks: int, close_ticks: int,"
    " bar_quality: int, volatility, position: int, take: 0.0..1000.0, stop: 0.0..1000.0,"
    " unit: fraction|volatility|cost = fraction, round_trip: 0.0..1.0 = 0.0,"
    " vertical_bars: 1..65536 = 4096, side: long|short|column = column) ->"
    " bar_id: int, feature_time: int, label, label_end: int, ret, barrier: int, cost, weight,"
    " quality: int",
    shape="emit",
    memory=lambda **_: 0,
    ints=lambda vertical_bars, **_: 1 + FIELDS * (vertical_bars + 1),
    unit="1",
)
op.polars_missing("a label looks ahead; the definition over whole columns is its twin")


def resolve(user, cost):
    """Return the kernel's parameters."""
    return {
        "take": user["take_barrier"],
        "stop": user["stop_barrier"],
        "unit": user["barrier_unit"],
        "round_trip": cost,
        "vertical_bars": user["vertical_barrier"],
        "side": user["side"],
    }


def barriers(user, cost):
    """Return each horizontal barrier as a fraction of price, where that is known beforehand."""
    scale = {"fraction": 1.0, "cost": cost}.get(user["barrier_unit"])
    names = ("take_barrier", "stop_barrier") if scale is not None else ()
    return {name: user[name] * (scale or 0.0) for name in names if user[name] > 0}


@op.definition
def definition(
    bar, known_time, high_ticks, low_ticks, close_ticks, bar_quality, volatility, position, take,
    stop, unit, round_trip, vertical_bars, side,
):  # fmt: skip
    # Return the labels decided so far, in the order they were.
    rows = []
    for i in range(len(bar)):
        scale = {"fraction": 1.0, "cost": round_trip, "volatility": volatility[i]}[unit]
        view = {"long": 1, "short": -1, "column": position[i]}[side]
        entry = close_ticks[i]
        if not scale > 0 or view not in (1, -1) or entry <= 0:
            continue
        won, lost = (Fraction(math.floor(w * scale * 1e9 + 0.5), BILLION) for w in (take, stop))
        for j in range(i + 1, min(len(bar), i + vertical_bars + 1)):
            best, worst = (high_ticks[j], low_ticks[j])[::view]
            takes = won > 0 and view * (best - entry) >= entry * won
            stops = lost > 0 and view * (entry - worst) >= entry * lost
            if not takes and not stops and j < i + vertical_bars:
                continue
            met = -1 if stops else 1 if takes else 0
            ret = {1: float(won), -1: -float(lost), 0: view * (close_ticks[j] - entry) / entry}[met]
            bits = 0
            for k in range(i, j + 1):
                bits |= bar_quality[k]
            rows.append({
                "bar_id": bar[i], "feature_time": known_time[i], "quality": bits,
                "label": float(ret > round_trip), "label_end": known_time[j], "ret": ret,
                "barrier": met, "cost": round_trip, "weight": 1.0, "decided": j,
            })  # fmt: skip
            break
    return sorted(rows, key=lambda row: (row.pop("decided"), row["bar_id"]))


def open_bet(ints, number, bar, time, entry, view, up, down, bits):
    """Open the label of bar `number` behind the others; `up` and `down` are take and stop."""
    at = 1 + FIELDS * ints[0]
    ints[0] += 1
    ints[at + ID], ints[at + TIME], ints[at + START], ints[at + ENTRY] = bar, time, number, entry
    ints[at + TAKE], ints[at + STOP], ints[at + SIDE], ints[at + BITS] = up, down, view, bits
    ints[at + UPPER] = upper_of(entry, up if view > 0 else down)
    ints[at + LOWER] = lower_of(entry, down if view > 0 else up)


def result_of(ints, at, high, low, last):
    """Return the barrier that a bar meets, 0 where none, and the return by it or by its close."""
    view, entry = ints[at + SIDE], ints[at + ENTRY]
    above, below = high >= ints[at + UPPER], low <= ints[at + LOWER]
    stops, takes = (below, above) if view > 0 else (above, below)
    if stops:
        return -1, -ints[at + STOP] / BILLION
    if takes:
        return 1, ints[at + TAKE] / BILLION
    return 0, view * (last - entry) / entry


@op.kernel
def kernel(
    bar, known_time, high_ticks, low_ticks, close_ticks, bar_quality, volatility, position, lo, hi,
    row, olo, made, room, params, ints, bar_id, feature_time, label, label_end, ret, barrier, cost,
    weight, quality,
):  # fmt: skip
    if ints[0] + hi - lo > room[0]:
        return ints[0] + hi - lo
    unit, bars, r = int(params[2]), int(params[4]), olo
    for t in range(lo, hi):
        number, kept = row + t - lo, 0
        for k in range(ints[0]):
            at, to = 1 + FIELDS * k, 1 + FIELDS * kept
            ints[at + BITS] |= bar_quality[t]
            met, gain = result_of(ints, at, high_ticks[t], low_ticks[t], close_ticks[t])
            if met == 0 and number - ints[at + START] < bars:
                for field in range(FIELDS):
                    ints[to + field] = ints[at + field]
                kept += 1
                continue
            bar_id[r], feature_time[r], label_end[r] = ints[at + ID], ints[at + TIME], known_time[t]
            label[r], ret[r], barrier[r] = 1.0 if gain > params[3] else 0.0, gain, met
            cost[r], weight[r], quality[r] = params[3], 1.0, ints[at + BITS]
            r += 1
        ints[0] = kept
        view = position[t] if params[5] == COLUMN else -1 if params[5] == SHORT else 1
        scale = volatility[t] if unit == VOLATILITY else params[3] if unit == COST else 1.0
        if scale > 0.0 and abs(view) == 1 and close_ticks[t] > 0:
            up, down = billionths(params[0], scale), billionths(params[1], scale)
            bits, entry = bar_quality[t], close_ticks[t]
            open_bet(ints, number, bar[t], known_time[t], entry, view, up, down, bits)
    made[0] = r - olo
