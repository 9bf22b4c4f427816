"""triple_barrier(bars, upper, lower, vertical_bars): which of three barriers the price meets first.

    path of bar i: high and low of bars i+1 … i+vertical_bars, and no bar known later than
    feature_time + vertical_ns;  touched: high >= entry · (1 + u), low <= entry · (1 − l)
    label = +1 upper, −1 lower, 0 vertical (`vertical_label: sign`: the sign of ret)
    ret = u, −l, or close of the path's last bar / entry − 1

u and l are `upper` and `lower` times 1, the volatility of bar i, or the round-trip cost, rounded to
1e-9 and compared in whole ticks; 0 switches a barrier off. entry `close` is the bar's last price;
`next_trade` the first trade after the bar became known, whose bar is then the path's first. Both
barriers inside one bar: `stop_first` takes the stop of the side (lower for long, upper for short),
`skip` writes no label. label_end is the feature_time of the bar that decided, so it is never
before feature_time; `barrier` is the one touched (+1, −1, 0). A row is made when it is decided,
in the order of label_end, then bar_id. Open labels are the int64 state: at most `vertical_bars`,
which is 4,096 where a label is bounded by seconds alone.
Units: ret, upper and lower as fractions of price. Null rule: a bar whose volatility is null or 0
(where that is the unit), or whose side is null or 0 (side `column`), gets no label.
Source: López de Prado (2018), Advances in Financial Machine Learning, sections 3.2-3.4.
"""

import math
from fractions import Fraction

from qf.errors import diagnostic
from qf.op import define

USER = (
    "triple_barrier(upper_barrier: 0.0..1000.0, lower_barrier: 0.0..1000.0,"
    " vertical_barrier: 0..65536 = 0, vertical_seconds: 0.0..604800.0 = 0.0,"
    " horizon: 0..65536 = 0, barrier_unit: fraction|volatility|cost = fraction,"
    " entry: close|next_trade|book = close, tie: stop_first|skip|book_replay = stop_first,"
    " side: long|short|column = long, vertical_label: zero|sign = zero)"
)
INPUTS = {"bar": "bar_id", "known_time": "feature_time"}  # where they differ from the bar's columns
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
NEEDS_BOOK = diagnostic(
    "QF462",
    "{option}: {value} needs the book inside each bar, and labels are made from bar rows",
    hint="choose one of: {choices}",
)

op = define(
    "triple_barrier(bar: int, known_time: int, known_row: int, first_row: int, close_row: int,"
    " open_ticks: int, second_ticks: int, high_ticks: int, low_ticks: int, close_ticks: int,"
    " volatility, position: int, upper: 0.0..1000.0, lower: 0.0..1000.0,"
    " unit: fraction|volatility|cost = fraction, round_trip: 0.0..1.0 = 0.0,"
    " vertical_bars: 1..65536 = 4096, vertical_ns: 0..604800000000000 = 0,"
    " entry: close|next_trade = close, tie: stop_first|skip = stop_first,"
    " side: long|short|column = long, vertical_label: zero|sign = zero) ->"
    " bar_id: int, feature_time: int, label, label_end: int, ret, barrier: int, cost, weight",
    shape="emit",
    lookback=lambda **_: 1,
    memory=lambda **_: 0,
    ints=lambda vertical_bars, **_: HEADER + FIELDS * 2 * (vertical_bars + 1),
    unit="1",
)
op.polars_missing("a label looks ahead; the definition over whole columns is its twin")

HEADER = 8
HEAD, TAIL, WAITING, LEAST_UPPER, MOST_LOWER, SKIPPED = 0, 1, 2, 3, 4, 5
FIELDS = 10
ID, TIME, KNOWN, START, ENTRY, UPPER, LOWER, UP, DOWN, SIDE = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
BILLION = 1_000_000_000
TOO_LATE = -1  # in place of an entry price: no trade came before the vertical barrier
WIDEST = 9 * BILLION  # wider barriers are never met; the product below stays within an int64
NEVER_UP, NEVER_DOWN = 2**63 - 1, -(2**63)
NEXT_TRADE, SKIP, SHORT, COLUMN, SIGN, VOLATILITY, COST = 1, 1, 1, 2, 1, 1, 2


def resolve(user, cost):
    """Return the kernel's parameters. Errors: QF460, QF461, QF462."""
    vertical = user["vertical_barrier"] or user["horizon"]
    if user["horizon"] and user["horizon"] != vertical:
        raise TWO_HORIZONS(horizon=user["horizon"], vertical=vertical)
    if not vertical and not user["vertical_seconds"]:
        raise NO_VERTICAL()
    if user["entry"] == "book":
        raise NEEDS_BOOK(option="entry", value="book", choices="close, next_trade")
    if user["tie"] == "book_replay":
        raise NEEDS_BOOK(option="tie", value="book_replay", choices="stop_first, skip")
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


@op.definition
def definition(
    bar, known_time, known_row, first_row, close_row, open_ticks, second_ticks, high_ticks,
    low_ticks, close_ticks, volatility, position, upper, lower, unit, round_trip, vertical_bars,
    vertical_ns, entry, tie, side, vertical_label,
):  # fmt: skip
    # Return the labels decided so far, in the order they were.
    rows = []
    for i in range(len(bar)):
        scale = {"fraction": 1.0, "cost": round_trip, "volatility": volatility[i]}[unit]
        view = {"long": 1, "short": -1, "column": position[i]}[side]
        if not scale > 0 or view not in (1, -1):
            continue
        up, down = (Fraction(math.floor(w * scale * 1e9 + 0.5), BILLION) for w in (upper, lower))
        price = close_ticks[i] if entry == "close" else None
        for j in range(i + 1, len(bar)):
            late = vertical_ns > 0 and known_time[j] > known_time[i] + vertical_ns
            if price is None and not late and close_row[j] > known_row[i]:
                price = open_ticks[j] if first_row[j] > known_row[i] else second_ticks[j]
            above = below = False
            if price is not None and not late:
                above = up > 0 and high_ticks[j] >= price * (1 + up)
                below = down > 0 and low_ticks[j] <= price * (1 - down)
            if above and below and tie == "skip":
                break
            if above and below:
                above, below = view < 0, view > 0
            if not (above or below or late or j == i + vertical_bars):
                continue
            if price is None:
                break
            met = 1 if above else -1 if below else 0
            last = close_ticks[j - 1 if late else j]
            ret = {1: float(up), -1: -float(down), 0: (last - price) / price}[met]
            sign = (ret > 0) - (ret < 0) if vertical_label == "sign" else 0
            rows.append({
                "bar_id": bar[i], "feature_time": known_time[i], "label": float(met or sign),
                "label_end": known_time[j], "ret": ret, "barrier": met, "cost": round_trip,
                "weight": 1.0, "decided": j,
            })  # fmt: skip
            break
    return sorted(rows, key=lambda row: (row.pop("decided"), row["bar_id"]))


def billionths(width, scale):
    """Return width · scale in whole billionths, at most WIDEST."""
    return int(min(math.floor(width * scale * 1e9 + 0.5), WIDEST))


def ticks_of(entry, part):
    """Return entry · part / 1e9 rounded up to a whole tick, within an int64 for entry < 2**60."""
    return entry // BILLION * part - (-(entry % BILLION * part) // BILLION)


def place_barriers(word, at, entry):
    """Write the entry price of the label at `at` and the ticks at which it is decided."""
    word[at + ENTRY] = entry
    up, down = word[at + UP], word[at + DOWN]
    word[at + UPPER] = entry + ticks_of(entry, up) if up > 0 else NEVER_UP
    word[at + LOWER] = entry - ticks_of(entry, down) if down > 0 else NEVER_DOWN
    word[LEAST_UPPER] = min(word[LEAST_UPPER], word[at + UPPER])
    word[MOST_LOWER] = max(word[MOST_LOWER], word[at + LOWER])


def move_label(word, at, to):
    """Move an open label to the front and let the barriers that decide every scan hold it."""
    if to != at:
        for k in range(FIELDS):
            word[to + k] = word[at + k]
    word[LEAST_UPPER] = min(word[LEAST_UPPER], word[to + UPPER])
    word[MOST_LOWER] = max(word[MOST_LOWER], word[to + LOWER])


def enter_waiting(word, first, last, time, vertical_ns, price, second):
    """Give the labels that wait for a trade the first one after their bar became known."""
    while word[WAITING] > 0:
        at = HEADER + FIELDS * (word[TAIL] - word[WAITING])
        if vertical_ns > 0 and time > word[at + TIME] + vertical_ns:
            word[at + ENTRY] = TOO_LATE
        elif last > word[at + KNOWN]:
            place_barriers(word, at, price if first > word[at + KNOWN] else second)
        else:
            break
        word[WAITING] -= 1


def append_label(word, capacity):
    """Return the place of a new label, moving the open ones to the front where there is none."""
    if word[TAIL] == capacity:
        shift = FIELDS * word[HEAD]
        for k in range(HEADER + shift, HEADER + FIELDS * word[TAIL]):
            word[k - shift] = word[k]
        word[TAIL] -= word[HEAD]
        word[HEAD] = 0
    word[TAIL] += 1
    return HEADER + FIELDS * (word[TAIL] - 1)


def open_label(word, capacity, known, up, down, view):
    """Append a label without entry price; `known` is its bar's id, time, known_row and number."""
    at = append_label(word, capacity)
    for k in range(4):
        word[at + k] = known[k]
    word[at + ENTRY] = 0
    word[at + UPPER], word[at + LOWER] = NEVER_UP, NEVER_DOWN
    word[at + UP], word[at + DOWN] = up, down
    word[at + SIDE] = view
    word[WAITING] += 1
    return at


@op.kernel
def kernel(
    bar, known_time, known_row, first_row, close_row, open_ticks, second_ticks, high_ticks,
    low_ticks, close_ticks, volatility, position, lo, hi, row, olo, made, room, params, ints,
    bar_id, feature_time, label, label_end, ret, barrier, cost, weight,
):  # fmt: skip
    wanted = ints[TAIL] - ints[HEAD] + hi - lo
    if wanted > room[0]:
        return wanted
    unit, side = int(params[2]), int(params[8])
    bars, vertical_ns = int(params[4]), int(params[5])
    scale = params[3] if unit == COST else 1.0
    up, down = billionths(params[0], scale), billionths(params[1], scale)
    r = olo
    for t in range(lo, hi):
        number, time = row + t - lo, known_time[t]
        high, low = high_ticks[t], low_ticks[t]
        if ints[WAITING] > 0:
            enter_waiting(
                ints, first_row[t], close_row[t], time, vertical_ns, open_ticks[t], second_ticks[t]
            )
        # Unless a barrier is met, only the oldest labels can be decided: by the vertical one.
        every = high >= ints[LEAST_UPPER] or low <= ints[MOST_LOWER]
        if every:
            ints[LEAST_UPPER], ints[MOST_LOWER] = NEVER_UP, NEVER_DOWN
        k = ints[HEAD]
        kept = k
        while k < ints[TAIL]:
            at = HEADER + FIELDS * k
            late = vertical_ns > 0 and time > ints[at + TIME] + vertical_ns
            due = late or number - ints[at + START] >= bars
            if not every and not due:
                break
            entry = ints[at + ENTRY]
            above = 1 if not late and high >= ints[at + UPPER] else 0
            below = 1 if not late and low <= ints[at + LOWER] else 0
            if above + below == 0 and not due:
                move_label(ints, at, HEADER + FIELDS * kept)
                kept += 1
            elif above + below == 2 and params[7] == SKIP:
                ints[SKIPPED] += 1
            elif entry > 0:
                met = above - below if above + below < 2 else -ints[at + SIDE]
                gain = ints[at + UP] / 1e9 if met > 0 else -(ints[at + DOWN] / 1e9)
                if met == 0:
                    gain = ((close_ticks[t - 1] if late else close_ticks[t]) - entry) / entry
                bar_id[r], feature_time[r] = ints[at + ID], ints[at + TIME]
                label[r], barrier[r] = met, met
                if met == 0 and params[9] == SIGN:
                    label[r] = (gain > 0.0) - (gain < 0.0)
                label_end[r], ret[r], cost[r], weight[r] = time, gain, params[3], 1.0
                r += 1
            elif entry == 0:
                ints[WAITING] -= 1
            k += 1
        if every:
            ints[TAIL] = kept
        else:
            ints[HEAD] = k
        scale = volatility[t] if unit == VOLATILITY else scale
        view = position[t] if side == COLUMN else -1 if side == SHORT else 1
        if scale > 0.0 and abs(view) == 1:
            if unit == VOLATILITY:
                up, down = billionths(params[0], scale), billionths(params[1], scale)
            known = (bar[t], time, known_row[t], number)
            at = open_label(ints, 2 * (bars + 1), known, up, down, view)
            if params[6] != NEXT_TRADE:
                ints[WAITING] -= 1
                place_barriers(ints, at, close_ticks[t])
    made[0] = r - olo
