"""volume(threshold): the bar closes with the trade that brings its volume to the threshold.

    closes when sum of size since the last close >= threshold

The crossing trade belongs to the bar it closes. What it brings beyond the threshold is forgotten
(`overflow: drop`), counts for the next bar (`carry`: one threshold is taken off per close), or is
split off: `split` treats a trade of n lots as n trades of one lot, so a large trade may close
several bars. `reset: day` closes before the first trade of a new UTC day (processed_time) and
forgets what was carried. Unit of threshold: the symbol's size unit (base currency, or contracts).
Null rule: none, the inputs are never null.
Source: López de Prado (2018), Advances in Financial Machine Learning, section 2.3.1; splitting as
in Easley, López de Prado, O'Hara (2012), Review of Financial Studies 25(5), section 1.
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
)
from qf.clock import DAY_NS
from qf.op import define

USER = "volume(threshold: 1e-12..1e15, overflow: drop|carry|split = drop, reset: never|day = never)"
CLOCK_NAME = "volume_k_{threshold}"

op = define(
    "volume(size_lots: int, processed_time: int, threshold_lots: 1..9007199254740992,"
    " overflow: drop|carry|split = drop, reset: never|day = never) -> close: int",
    ints=lambda threshold_lots, overflow, reset: 3,
    memory=lambda threshold_lots, overflow, reset: 0,
    unit="1",
    example="volume(size_lots, processed_time, 100)",
)
op.polars_missing("a bar rule is a state machine over trades; the fold's partition law is its twin")


def scale(user, units):
    """Return the kernel's parameters: the fewest lots that reach the threshold."""
    options = {"overflow": user["overflow"], "reset": user["reset"]}
    return {"threshold_lots": units.lots(user["threshold"]), **options}


def fold_options(parameters):
    """Return what the fold must know to divide a trade as the rule does."""
    if parameters["overflow"] != "split":
        return {}
    return {"split": "volume", "threshold_units": parameters["threshold_lots"]}


@op.definition
def definition(size_lots, processed_time, threshold_lots, overflow, reset):
    filled, has_members, code = 0, False, 0
    for at, (lots, time) in enumerate(zip(size_lots, processed_time, strict=True)):
        code = 0
        new_day = at > 0 and time // DAY_NS != processed_time[at - 1] // DAY_NS
        if reset == "day" and new_day:
            code = CLOSES_BEFORE if has_members else 0
            filled, has_members = 0, False
        has_members = True
        closes = 0
        for piece in [1] * lots if overflow == "split" else [lots]:
            filled += piece
            has_members = True
            if filled >= threshold_lots:
                closes += 1
                has_members = False
                filled = filled - threshold_lots if overflow == "carry" else 0
        if closes:
            code += CLOSES_WITH + (min(closes - 1, MOST_PARTS) << PARTS_SHIFT)
    return code


@op.kernel
def kernel(size_lots, processed_time, lo, hi, close, params, ints):
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
            lots = size_lots[t]
            members = 1
            if lots < threshold - filled:
                filled += lots
                close[t] = code
                code = 0
                t += 1
                continue
            code |= CLOSES_WITH
            rest = lots - (threshold - filled)
            filled = 0
            members = 0
            if overflow == CARRY:
                filled = rest
            elif overflow != DROP:
                code |= min(rest // threshold, MOST_PARTS) << PARTS_SHIFT
                filled = rest % threshold
                members = 1 if filled > 0 else 0
            close[t] = code
            code = 0
            t += 1
    ints[0] = filled
    ints[1] = members
    ints[2] = day_end
