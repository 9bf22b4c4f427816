"""executable_barrier(upper, lower, bars, size): what a bet of a size earns where it can be traded.

    entry: the first trade after bar i became known, at least `latency` later: the mean price of
           `size` walked through the five best asks (long) or bids (short) that this trade met
    trigger: the first later trade at or above entry (1 + u) or at or below entry (1 − l), or that
           bar i + vertical_bars is known;  exit: the first trade after it, `latency` later, walked
           through the other side
    ret = s (exit / entry − 1) − fee (1 + exit / entry),  s = +1 long, −1 short;  label = its sign

u and l are `upper` and `lower` times 1, the volatility of bar i, or the round-trip cost; 0 switches
one off. Unlike triple_barrier's, the fills are those that a market order of the size would have
had: late, across the spread, level by level. `barrier` is the one that triggered (+1 upper, −1
lower, 0 vertical); label_end is the feature_time of the first bar that holds the exit; rows come in
its order, then bar_id. Open labels are the state. `cost` is the project's round trip, to compare.
Units: ret, upper and lower as fractions of price, size in the instrument's size unit. Null rule:
where the five levels do not hold `size`, or there is no book, label, ret and barrier are null and
quality has `undefined`. No label: a bar whose side is null or 0, whose volatility (where that is
the unit) is null or 0, that is not entered before bar i + vertical_bars is closed, or whose exit is
not made by bar i + 2 · vertical_bars.
Source: López de Prado (2018), Advances in Financial Machine Learning, sections 3.2-3.4 (barriers);
Kissell, Glantz (2003), Optimal Trading Strategies (implementation shortfall).
"""

import math

from qf.labels.open_labels import (
    COLUMN,
    COST,
    NULL_LABEL,
    SHORT,
    UNDEFINED_BIT,
    VOLATILITY,
)
from qf.op import define
from qf.schema import NULL_INT

LEVELS = 5
SIDES = tuple(
    f"{side}_{what}_{level}"
    for side in ("bid", "ask")
    for level in range(LEVELS)
    for what in ("price", "size")
)
USER = (
    "executable_barrier(upper_barrier: 0.0..1000.0, lower_barrier: 0.0..1000.0,"
    " vertical_barrier: 1..4096, size: 1e-12..1e15, latency_ms: 0.0..600000.0 = 50.0,"
    " fee: 0.0..0.1 = 0.001, barrier_unit: fraction|volatility|cost = fraction,"
    " side: long|short|column = long)"
)
INPUTS = {"bar": "bar_id", "known_time": "feature_time", "bar_quality": "quality"}
TRADES = {
    "trade_price": "price",
    "trade_time": "processed_time",
    **{name: name for name in SIDES},
}
UNREAD = ("volatility", "position", *TRADES)

op = define(
    "executable_barrier(bar: int, known_time: int, known_row: int, close_row: int,"
    " bar_quality: int, volatility, position: int, trade_price, trade_time: int,"
    f" {', '.join(SIDES)},"
    " upper: 0.0..1000.0, lower: 0.0..1000.0, unit: fraction|volatility|cost = fraction,"
    " round_trip: 0.0..1.0 = 0.0, vertical_bars: 1..4096 = 64, side: long|short|column = long,"
    " size: 1e-12..1e15, latency_ns: 0..600000000000 = 0, fee: 0.0..0.1 = 0.0) ->"
    " bar_id: int, feature_time: int, label, label_end: int, ret, barrier: int, cost, weight,"
    " quality: int",
    shape="emit",
    memory=lambda **_: 0,
    slots=lambda vertical_bars, **_: FLOATS * (2 * vertical_bars + 2),
    ints=lambda vertical_bars, **_: 2 + FIELDS * (2 * vertical_bars + 2),
    unit="1",
)
op.polars_missing("a label looks ahead; the definition over whole columns is its twin")

# An open label: FIELDS words from 2 + FIELDS k on, FLOATS numbers from FLOATS k on. Word 0 counts
# them, word 1 is the next trade's row.
FIELDS = 9
ID, TIME, START, AFTER, DUE, PHASE, MET, BITS, SIDE = 0, 1, 2, 3, 4, 5, 6, 7, 8
FLOATS = 4
ENTRY, UPPER, LOWER, GAIN = 0, 1, 2, 3  # before the entry, UPPER and LOWER are the fractions
ENTERS, WATCHES, EXITS, DONE = 0, 1, 2, 3


def resolve(user, cost):
    """Return the kernel's parameters."""
    return {
        "upper": user["upper_barrier"],
        "lower": user["lower_barrier"],
        "unit": user["barrier_unit"],
        "round_trip": cost,
        "vertical_bars": user["vertical_barrier"],
        "latency_ns": round(user["latency_ms"] * 1e6),
        **{name: user[name] for name in ("side", "size", "fee")},
    }


def barriers(user, cost):
    """Return each horizontal barrier as a fraction of price, where that is known beforehand."""
    scale = {"fraction": 1.0, "cost": cost}.get(user["barrier_unit"])
    names = ("upper_barrier", "lower_barrier") if scale is not None else ()
    return {name: user[name] * (scale or 0.0) for name in names if user[name] > 0}


def trades(user):
    """Return which column of the tick clock an input reads."""
    return TRADES


def walked(size, levels):
    # Return the mean price of `size` through (price, size) levels, missing where they end before.
    left, paid = size, 0.0
    for price, there in levels:
        if not (price > 0.0 and there >= 0.0):
            return math.nan
        taken = min(left, there)
        left, paid = left - taken, paid + taken * price
        if left <= 0.0:
            return paid / size
    return math.nan


@op.definition
def definition(
    bar, known_time, known_row, close_row, bar_quality, volatility, position, trade_price,
    trade_time, *rest,
    upper, lower, unit, round_trip, vertical_bars, side, size, latency_ns, fee,
):  # fmt: skip
    # Return the labels decided so far, in the order they were.
    book = dict(zip(SIDES, rest, strict=True))

    def fill(row, way):  # of an order that buys (way 1) or sells
        name = "ask" if way > 0 else "bid"
        each = range(LEVELS)
        sizes = [(book[f"{name}_price_{k}"][row], book[f"{name}_size_{k}"][row]) for k in each]
        return walked(size, sizes)

    def first_row(after, due, found=lambda row: True):
        later = range(after + 1, len(trade_time))
        return next((row for row in later if trade_time[row] >= due and found(row)), None)

    rows = []
    for i in range(len(bar)):
        scale = {"fraction": 1.0, "cost": round_trip, "volatility": volatility[i]}[unit]
        view = {"long": 1, "short": -1, "column": position[i]}[side]
        if not scale > 0 or view not in (1, -1):
            continue
        limit = i + vertical_bars
        closed = close_row[limit] if limit < len(bar) else len(trade_time)
        enters = first_row(known_row[i], known_time[i] + latency_ns)
        if enters is None or enters > closed:
            continue
        entry, done, met, ret = fill(enters, view), enters, NULL_INT, math.nan
        if entry == entry:
            top = entry * (1.0 + upper * scale) if upper > 0 else math.inf
            bottom = entry * (1.0 - lower * scale) if lower > 0 else -math.inf
            hit = first_row(enters, 0, lambda row, t=top, b=bottom: not b < trade_price[row] < t)
            if hit is not None and hit <= closed:
                met, due = 1 if trade_price[hit] >= top else -1, trade_time[hit]
            elif limit < len(bar):
                hit, met, due = known_row[limit], 0, known_time[limit]
            else:
                continue
            done = first_row(hit, due + latency_ns)
            if done is None:
                continue
            fraction = fill(done, -view) / entry
            ret = view * (fraction - 1.0) - fee * (1.0 + fraction)
        j = next((j for j in range(i, len(bar)) if close_row[j] >= done), None)
        if j is None or j > i + 2 * vertical_bars:
            continue
        known = ret == ret
        bits = 0 if known else UNDEFINED_BIT
        for k in range(i, j + 1):
            bits |= bar_quality[k]
        rows.append({
            "bar_id": bar[i], "feature_time": known_time[i], "quality": bits,
            "label": float((ret > 0) - (ret < 0)) if known else math.nan,
            "label_end": known_time[j], "ret": ret, "barrier": met if known else NULL_INT,
            "cost": round_trip, "weight": 1.0, "decided": j,
        })  # fmt: skip
    return sorted(rows, key=lambda row: (row.pop("decided"), row["bar_id"]))


def take_level(left, paid, price, there):
    """Return what is left of a size after one level (nan: there is none), and what it cost."""
    if left <= 0.0:
        return left, paid
    if not (price > 0.0 and there >= 0.0):
        return math.nan, paid
    taken = min(left, there)
    return left - taken, paid + taken * price


def walk_book(size, p0, s0, p1, s1, p2, s2, p3, s3, p4, s4):
    """Return the mean price of a size through five levels, missing where they end before it."""
    left, paid = take_level(size, 0.0, p0, s0)
    left, paid = take_level(left, paid, p1, s1)
    left, paid = take_level(left, paid, p2, s2)
    left, paid = take_level(left, paid, p3, s3)
    left, paid = take_level(left, paid, p4, s4)
    return paid / size if left <= 0.0 else math.nan


def met_trade(state, ints, k, row, now, price, buys, sells, params):
    """Let label k meet a trade; `buys` and `sells` are what its size costs and brings there."""
    at, own = 2 + FIELDS * k, FLOATS * k
    phase, view = ints[at + PHASE], ints[at + SIDE]
    if phase == WATCHES:
        if price >= state[own + UPPER] or price <= state[own + LOWER]:
            ints[at + MET] = 1 if price >= state[own + UPPER] else -1
            ints[at + PHASE], ints[at + AFTER] = EXITS, row
            ints[at + DUE] = now + int(params[7])
    elif phase != DONE and row > ints[at + AFTER] and now >= ints[at + DUE]:
        if phase == ENTERS:
            entry = buys if view > 0 else sells
            up, down = state[own + UPPER], state[own + LOWER]
            state[own + ENTRY] = entry
            state[own + UPPER] = entry * (1.0 + up) if up > 0.0 else math.inf
            state[own + LOWER] = entry * (1.0 - down) if down > 0.0 else -math.inf
            ints[at + PHASE] = WATCHES if entry == entry else DONE
            ints[at + MET] = NULL_LABEL
        else:
            share = (sells if view > 0 else buys) / state[own + ENTRY]
            state[own + GAIN] = view * (share - 1.0) - params[8] * (1.0 + share)
            ints[at + MET] = ints[at + MET] if share == share else NULL_LABEL
            ints[at + PHASE] = DONE


def is_due(ints, now, row):
    """Say whether any open label trades at this trade."""
    for k in range(ints[0]):
        at = 2 + FIELDS * k
        phase = ints[at + PHASE]
        trades = phase in (ENTERS, EXITS)
        if trades and row > ints[at + AFTER] and now >= ints[at + DUE]:
            return True
    return False


def open_order(state, ints, number, bar, time, row, up, down, view, bits, latency):
    """Open the label of bar `number`, behind the others; it enters after trade `row`."""
    at, own = 2 + FIELDS * ints[0], FLOATS * ints[0]
    ints[0] += 1
    ints[at + ID], ints[at + TIME], ints[at + START], ints[at + AFTER] = bar, time, number, row
    ints[at + DUE], ints[at + PHASE], ints[at + MET] = time + latency, ENTERS, 0
    ints[at + BITS], ints[at + SIDE] = bits, view
    state[own + ENTRY], state[own + GAIN] = math.nan, math.nan
    state[own + UPPER], state[own + LOWER] = up, down


def grow_old(ints, k, number, bits, known_row, known_time, bars, latency):
    """Let label k see bar `number`; return whether it is kept, made (DONE) or given up (-1)."""
    at = 2 + FIELDS * k
    age, phase = number - ints[at + START], ints[at + PHASE]
    ints[at + BITS] |= bits
    if phase == DONE:
        return DONE
    if age >= 2 * bars or (age >= bars and phase == ENTERS):
        return -1
    if age >= bars and phase == WATCHES:
        ints[at + PHASE], ints[at + MET], ints[at + AFTER] = EXITS, 0, known_row
        ints[at + DUE] = known_time + latency
    return EXITS


def keep_order(state, ints, k, to):
    """Move label k forward to place `to`."""
    for field in range(FIELDS):
        ints[2 + FIELDS * to + field] = ints[2 + FIELDS * k + field]
    for number in range(FLOATS):
        state[FLOATS * to + number] = state[FLOATS * k + number]


@op.kernel
def kernel(
    bar, known_time, known_row, close_row, bar_quality, volatility, position, trade_price,
    trade_time, bid_price_0, bid_size_0, bid_price_1, bid_size_1, bid_price_2, bid_size_2,
    bid_price_3, bid_size_3, bid_price_4, bid_size_4, ask_price_0, ask_size_0, ask_price_1,
    ask_size_1, ask_price_2, ask_size_2, ask_price_3, ask_size_3, ask_price_4, ask_size_4, lo, hi,
    row, olo, made, room, slo, shi, srow, params, state, ints, bar_id, feature_time, label,
    label_end, ret, barrier, cost, weight, quality,
):  # fmt: skip
    if ints[0] + hi - lo > room[0]:
        return ints[0] + hi - lo
    unit, bars, latency, r = int(params[2]), int(params[4]), int(params[7]), olo
    for t in range(lo, hi + 1):
        stop = srow + shi - slo  # the last round takes the trades of the unfinished bar
        if t < hi:
            stop = close_row[t] + 1
        while ints[1] < stop:
            n, buys, sells = slo - srow + ints[1], math.nan, math.nan
            if is_due(ints, trade_time[n], ints[1]):
                buys = walk_book(
                    params[6], ask_price_0[n], ask_size_0[n], ask_price_1[n], ask_size_1[n],
                    ask_price_2[n], ask_size_2[n], ask_price_3[n], ask_size_3[n], ask_price_4[n],
                    ask_size_4[n],
                )  # fmt: skip
                sells = walk_book(
                    params[6], bid_price_0[n], bid_size_0[n], bid_price_1[n], bid_size_1[n],
                    bid_price_2[n], bid_size_2[n], bid_price_3[n], bid_size_3[n], bid_price_4[n],
                    bid_size_4[n],
                )  # fmt: skip
            for k in range(ints[0]):
                met_trade(
                    state, ints, k, ints[1], trade_time[n], trade_price[n], buys, sells, params
                )
            ints[1] += 1
        if t == hi:
            break
        number, kept = row + t - lo, 0
        for k in range(ints[0]):
            kind = grow_old(
                ints, k, number, bar_quality[t], known_row[t], known_time[t], bars, latency
            )
            at = 2 + FIELDS * k
            if kind == DONE:
                met, gain = ints[at + MET], state[FLOATS * k + GAIN]
                bar_id[r], feature_time[r] = ints[at + ID], ints[at + TIME]
                label_end[r], ret[r], barrier[r], quality[r] = (
                    known_time[t],
                    gain,
                    met,
                    ints[at + BITS],
                )
                label[r] = (gain > 0.0) - (gain < 0.0)
                if met == NULL_LABEL:
                    label[r], barrier[r] = math.nan, NULL_INT
                    quality[r] |= UNDEFINED_BIT
                cost[r], weight[r] = params[3], 1.0
                r += 1
            elif kind == EXITS:
                keep_order(state, ints, k, kept)
                kept += 1
        ints[0] = kept
        view = position[t] if params[5] == COLUMN else -1 if params[5] == SHORT else 1
        scale = volatility[t] if unit == VOLATILITY else params[3] if unit == COST else 1.0
        if scale > 0.0 and abs(view) == 1:
            up, down, bits = params[0] * scale, params[1] * scale, bar_quality[t]
            open_order(
                state, ints, number, bar[t], known_time[t], known_row[t], up, down, view, bits,
                latency,
            )  # fmt: skip
    made[0] = r - olo
