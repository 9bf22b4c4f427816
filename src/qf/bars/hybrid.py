"""hybrid(volume, max_seconds): the bar closes at a volume, or before it has lasted too long.

    closes with the trade that brings the size since the last close to `volume`;
    closes before a trade with event_time - open_time >= max_seconds, which opens the next bar

`overflow` and `reset` are those of volume; a close by time forgets what was carried. Units: volume
in the symbol's size unit (base currency, or contracts), max_seconds in s on event_time.
Null rule: none, the inputs are never null.
Source: López de Prado (2018), Advances in Financial Machine Learning, section 2.3.1 (volume and
time bars); the older of the two decides.
"""

from qf.bar_clock import (
    CARRY,
    CLOSES_BEFORE,
    CLOSES_WITH,
    DROP,
    FOREVER,
    MOST_PARTS,
    PARTS_SHIFT,
    clear_codes,
    exact,
)
from qf.clock import DAY_NS, SECOND_NS
from qf.op import define

USER = (
    "hybrid(volume: 1e-12..1e15, max_seconds: 0.001..604800.0,"
    " overflow: drop|carry|split = drop, reset: never|day = never)"
)
CLOCK_NAME = "hybrid_k_{volume}_s_{max_seconds}"

op = define(
    "hybrid(size_lots: int, event_time: int, processed_time: int,"
    " threshold_lots: 1..9007199254740992, max_ns: 1000000..604800000000000,"
    " overflow: drop|carry|split = drop, reset: never|day = never) -> close: int",
    ints=lambda threshold_lots, max_ns, overflow, reset: 4,
    memory=lambda threshold_lots, max_ns, overflow, reset: 0,
    unit="1",
    example="hybrid(size_lots, event_time, processed_time, 100, 300000000000)",
)
op.polars_missing("a bar rule is a state machine over trades; the fold's partition law is its twin")


def scale(user, units):
    """Return the kernel's parameters: whole lots and whole nanoseconds."""
    return {
        "threshold_lots": units.lots(user["volume"]),
        "max_ns": int(exact(user["max_seconds"]) * SECOND_NS),
        "overflow": user["overflow"],
        "reset": user["reset"],
    }


def fold_options(parameters):
    """Return what the fold must know to divide a trade as the rule does."""
    if parameters["overflow"] != "split":
        return {}
    return {"split": "volume", "threshold_units": parameters["threshold_lots"]}


@op.definition
def definition(size_lots, event_time, processed_time, threshold_lots, max_ns, overflow, reset):
    filled, opened, code = 0, None, 0  # opened: event_time of the open bar's first trade
    rows = zip(size_lots, event_time, processed_time, strict=True)
    for at, (lots, happened, time) in enumerate(rows):
        code = 0
        new_day = at > 0 and time // DAY_NS != processed_time[at - 1] // DAY_NS
        too_old = opened is not None and happened - opened >= max_ns
        if too_old or (reset == "day" and new_day):
            code = CLOSES_BEFORE if opened is not None else 0
            filled, opened = 0, None
        closes = 0
        for piece in [1] * lots if overflow == "split" else [lots]:
            opened = happened if opened is None else opened
            filled += piece
            if filled >= threshold_lots:
                closes += 1
                opened = None
                filled = filled - threshold_lots if overflow == "carry" else 0
        if closes:
            code += CLOSES_WITH + (min(closes - 1, MOST_PARTS) << PARTS_SHIFT)
    return code


@op.kernel
def kernel(size_lots, event_time, processed_time, lo, hi, close, params, ints):
    threshold = int(params[0])
    max_ns = int(params[1])
    overflow = int(params[2])
    filled = ints[0]
    members = ints[1]
    opened = ints[2]
    day_end = ints[3] if params[3] == 1.0 else FOREVER
    clear_codes(close, lo, hi)
    for t in range(lo, hi):
        lots = size_lots[t]
        is_quiet = lots < threshold - filled and processed_time[t] < day_end
        if is_quiet and members > 0 and event_time[t] - opened < max_ns:
            filled += lots
            continue
        code = 0
        new_day = processed_time[t] >= day_end
        if new_day:
            day_end = (processed_time[t] // DAY_NS + 1) * DAY_NS
        if new_day or (members > 0 and event_time[t] - opened >= max_ns):
            if members > 0:
                code = CLOSES_BEFORE
            filled = 0
            members = 0
        if members == 0:
            opened = event_time[t]
        members = 1
        if lots < threshold - filled:
            filled += lots
        else:
            code |= CLOSES_WITH
            rest = lots - (threshold - filled)
            filled = 0
            members = 0
            if overflow == CARRY:
                filled = rest
            elif overflow != DROP:
                code |= min(rest // threshold, MOST_PARTS) << PARTS_SHIFT
                filled = rest % threshold
                if filled > 0:
                    members = 1
                    opened = event_time[t]
        close[t] = code
    ints[0] = filled
    ints[1] = members
    ints[2] = opened
    ints[3] = day_end
