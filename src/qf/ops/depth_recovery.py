"""depth_recovery(x, window, drop, patience): how fast depth comes back after it was taken.

    shortfall[t] = 1 - x[t] / b[t-1],  b = exponential mean of x, 2 / (window + 1) on the newest
    half_life = seconds from an episode's lowest row until half of what was missing there is back

An episode begins where more than the share `drop` is missing; a lower row begins it anew. It ends
where the half is back and less than half of `drop` is missing, or when `patience` is over: where
the half is not back by then, half_life is `patience`, for it takes at least so long. b stands still
while an episode lasts; the half is crossed on the straight line between two rows. half_life is the
last one measured and stays until the next.

Both are null until `window` rows had values, half_life until one is measured; both where x is null,
which ends an episode without a measure. Unit: half_life in s, shortfall a share (1).
Source: Large (2007), Journal of Financial Markets 10(1), 1-25 (the half-life of resilience).
"""

import math

from qf.op import SUM, define

op = define(
    "depth_recovery(x, time: time, window: 2..100000 = 200, drop: 0.01..0.99 = 0.3,"
    " patience: 10ms..1h = 60s) -> half_life, shortfall",
    warmup=lambda window, drop, patience: window,
    memory=lambda window, drop, patience: 0,
    slots=lambda window, drop, patience: 4,
    ints=lambda window, drop, patience: 5,
    tolerance=SUM,
    unit="s, 1",
    example='depth_recovery.half_life(bid_depth + ask_depth, 200, 0.3, "10s")',
)
op.polars_missing("episodes begin and end by what happened in them; the definition is its twin")


@op.definition
def definition(x, time, window, drop, patience):
    normal, seen, measured, shortfall = 0.0, 0, math.nan, math.nan
    lowest = since = None  # of the episode: what was missing at its lowest row, and its time
    is_open = False  # whether the half is still to come
    for t, value in enumerate(x):
        shortfall = math.nan
        if value != value:
            lowest = None
            continue
        gap = normal - value
        if seen >= window and normal > 0.0:
            shortfall = gap / normal
        if lowest is None:
            if seen >= window and normal > 0.0 and gap > drop * normal:
                lowest, since, is_open = gap, time[t], True
        elif gap > lowest:
            lowest, since, is_open = gap, time[t], True
        else:
            half = 0.5 * lowest
            if is_open and gap <= half:
                before = normal - x[t - 1]
                share = (before - half) / (before - gap)
                measured = ((time[t - 1] - since) + share * (time[t] - time[t - 1])) / 1e9
                is_open = False
            if not is_open and gap <= 0.5 * drop * normal:
                lowest = None
            elif time[t] - since > patience:
                measured = patience / 1e9 if is_open else measured
                lowest, normal = None, value
        if lowest is None:
            normal = value if seen == 0 else normal + 2.0 / (window + 1.0) * (value - normal)
            seen += 1
    if x[-1] != x[-1]:
        return math.nan, math.nan
    return measured, shortfall


@op.kernel
def kernel(x, time, lo, hi, half_life, shortfall, params, state, ints):
    window, drop, patience = int(params[0]), params[1], int(params[2])
    weight = 2.0 / (window + 1.0)
    normal, lowest, before, measured = state[0], state[1], state[2], state[3]
    # inside: 0 no episode, 1 the half is still to come, 2 it has come
    seen, inside, since, time_before, has_one = ints[0], ints[1], ints[2], ints[3], ints[4]
    for t in range(lo, hi):
        value = x[t]
        half_life[t], shortfall[t] = math.nan, math.nan
        if value != value:
            inside = 0
            continue
        gap = normal - value
        ready = seen >= window and normal > 0.0
        if ready:
            shortfall[t] = gap / normal
        if inside == 0:
            if ready and gap > drop * normal:
                lowest, since, inside = gap, time[t], 1
        elif gap > lowest:
            lowest, since, inside = gap, time[t], 1
        else:
            half = 0.5 * lowest
            if inside == 1 and gap <= half:
                share = (before - half) / (before - gap)
                measured = ((time_before - since) + share * (time[t] - time_before)) / 1e9
                inside, has_one = 2, 1
            if inside == 2 and gap <= 0.5 * drop * normal:
                inside = 0
            elif time[t] - since > patience:
                if inside == 1:
                    measured, has_one = patience / 1e9, 1
                inside, normal = 0, value
        before, time_before = gap, time[t]
        if inside == 0:
            normal = value if seen == 0 else normal + weight * (value - normal)
            seen += 1
        if has_one == 1:
            half_life[t] = measured
    state[0], state[1], state[2], state[3] = normal, lowest, before, measured
    ints[0], ints[1], ints[2], ints[3], ints[4] = seen, inside, since, time_before, has_one
