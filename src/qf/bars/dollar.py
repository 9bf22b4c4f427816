"""dollar(threshold): the bar closes with the trade that brings its traded value to the threshold.

    closes when sum of price · size since the last close >= threshold

The crossing trade belongs to the bar it closes. What it brings beyond the threshold is forgotten
(`overflow: drop`), counts for the next bar (`carry`: one threshold is taken off per close), or is
split off: `split` treats a trade of n lots as n trades of one lot at its price, so a large trade
may close several bars, and each is worth less than one lot more than the threshold. `reset: day`
closes before the first trade of a new UTC day (processed_time) and forgets what was carried.
Unit of threshold: the quote currency (COIN-M: USD). Null rule: a value that did not fit an int64
is larger than any threshold: it closes the bar and carries nothing.
Source: López de Prado (2018), Advances in Financial Machine Learning, section 2.3.1.
"""

from qf.bar_clock import (
    CARRY,
    CLOSES_BEFORE,
    CLOSES_WITH,
    DROP,
    FOREVER,
    MOST_PARTS,
    PARTS_SHIFT,
    day_stop,
    lots_worth,
)
from qf.clock import DAY_NS
from qf.op import define

USER = "dollar(threshold: 1e-12..1e15, overflow: drop|carry|split = drop, reset: never|day = never)"
CLOCK_NAME = "dollar_k_{threshold}"

op = define(
    "dollar(value_units: int, size_lots: int, processed_time: int,"
    " threshold_units: 1..9007199254740992, overflow: drop|carry|split = drop,"
    " reset: never|day = never) -> close: int",
    ints=lambda threshold_units, overflow, reset: 3,
    memory=lambda threshold_units, overflow, reset: 0,
    unit="1",
    example="dollar(value_units, size_lots, processed_time, 50000)",
)
op.polars_missing("a bar rule is a state machine over trades; the fold's partition law is its twin")


def scale(user, units):
    """Return the kernel's parameters: the fewest value units that reach the threshold."""
    options = {"overflow": user["overflow"], "reset": user["reset"]}
    return {"threshold_units": units.values(user["threshold"]), **options}


def fold_options(parameters):
    """Return what the fold must know to divide a trade as the rule does."""
    if parameters["overflow"] != "split":
        return {}
    return {"split": "value", "threshold_units": parameters["threshold_units"]}


@op.definition
def definition(value_units, size_lots, processed_time, threshold_units, overflow, reset):
    filled, has_members, code = 0, False, 0
    rows = zip(value_units, size_lots, processed_time, strict=True)
    for at, (value, lots, time) in enumerate(rows):
        code = 0
        new_day = at > 0 and time // DAY_NS != processed_time[at - 1] // DAY_NS
        if reset == "day" and new_day:
            code = CLOSES_BEFORE if has_members else 0
            filled, has_members = 0, False
        pieces = [value // lots] * lots if overflow == "split" and value >= 0 else [value]
        closes = 0
        for piece in pieces:
            filled += piece
            has_members = True
            if filled >= threshold_units or piece < 0:
                closes += 1
                has_members = False
                filled = filled - threshold_units if overflow == "carry" and piece >= 0 else 0
        if closes:
            code += CLOSES_WITH + (min(closes - 1, MOST_PARTS) << PARTS_SHIFT)
    return code


@op.kernel
def kernel(value_units, size_lots, processed_time, lo, hi, close, params, ints):
    threshold = int(params[0])
    overflow = int(params[1])
    filled = ints[0]
    members = ints[1]
    day_end = ints[2] if params[2] == 1.0 else FOREVER
    t = lo
    while t < hi:
        code = 0
        if processed_time[t] >= day_end:
            code = CLOSES_BEFORE if members > 0 else 0
            filled = 0
            day_end = (processed_time[t] // DAY_NS + 1) * DAY_NS
        stop = day_stop(processed_time, t, hi, day_end)
        while t < stop:
            value = value_units[t]
            need = threshold - filled
            members = 1
            if 0 <= value < need:
                filled += value
                close[t] = code
                code = 0
                t += 1
                continue
            code |= CLOSES_WITH
            filled = 0
            members = 0
            if value < 0 or overflow == DROP:
                pass
            elif overflow == CARRY:
                filled = value - need
            else:
                lots = size_lots[t]
                per_lot = value // lots
                rest = lots - lots_worth(need, per_lot, lots)
                each = lots_worth(threshold, per_lot, lots)
                code |= min(rest // each, MOST_PARTS) << PARTS_SHIFT
                left = rest % each
                if left > 0:
                    filled = left * per_lot + (value - lots * per_lot)
                    members = 1
            close[t] = code
            code = 0
            t += 1
    ints[0] = filled
    ints[1] = members
    ints[2] = day_end
