"""burst(x, window, baseline, limit, cooldown): is x far above its level, over short or long?

    z_w[t] = (mean of the last w rows - m) / (s / sqrt(w)),  w = window, 3 window, 9 window
    score[t] = max of the three z_w,  alarm[t] = score >= limit and none in the `cooldown` before

m and s are mean and deviation of the `baseline` rows that end before the longest window begins, so
a burst never lifts its own level. A short burst shows in the short window, a long weak one in the
long. s / sqrt(w) holds for independent rows; where they cluster, as volume does, raise the limit.

Null until 9 window + baseline rows exist and while a row of them is null; score is 0 where the
baseline does not move. Unit: none; alarm is a condition.
Source: Zhu, Shasha (2003), KDD, 336-345 (bursts over several windows); z is the definition.
"""

import math

from qf.missing import any_missing
from qf.moments import SHRUNK, centred
from qf.op import MOMENT, define
from qf.resumed import resumed

STEP, LONG = 3, 9  # the middle and the long window, in short windows

op = define(
    "burst(x, window: 1..2000, baseline: 10..60000, limit: 0.0..1e6 = 5.0,"
    " cooldown: 0..1000000 = 0) -> score, alarm",
    warmup=lambda window, baseline, **_: LONG * window + baseline - 1,
    lookback=lambda window, baseline, **_: LONG * window + baseline,
    memory=lambda window, baseline, limit, cooldown: 0 if cooldown else LONG * window + baseline,
    slots=lambda **_: 7,
    ints=lambda **_: 3,
    tolerance=MOMENT,
    unit="1, bool",
    example="burst.score(size, 1, 24)",
)
op.polars_missing("the cooldown is a state machine, and the score alone a formula of rolling means")


def score_of(rows, window, baseline):
    """Return the score of the last row; missing where a row of windows or baseline is."""
    level, late = rows[: -LONG * window], rows[-LONG * window :]
    if len(level) < baseline or any_missing(rows):
        return math.nan
    near = level[-1]
    square = math.fsum(gap * gap for gap in centred(level)) / (baseline - 1)
    if square == 0.0:
        return 0.0
    mean = math.fsum(value - near for value in level) / baseline
    zs = []
    for w in (window, STEP * window, LONG * window):
        gap = math.fsum(value - near for value in late[-w:]) / w - mean
        zs.append(gap / math.sqrt(square / w))
    return max(zs)


@op.definition
def definition(x, window, baseline, limit, cooldown):
    need = LONG * window + baseline

    def step(state, value):
        rows, since, _, _ = state
        rows, since = [*rows, value][-need:], since + 1
        score = score_of(rows, window, baseline)
        fires = score >= limit and since > cooldown
        return rows, 0 if fires else since, score, float(fires)

    start = ([], cooldown, math.nan, 0.0)  # rows, rows since the last alarm, score, alarm
    key = ("burst", window, baseline, limit, cooldown)
    _, _, score, alarm = resumed(key, x, start, step)
    return (score, alarm) if score == score else (math.nan, math.nan)


def sums_afresh(x, t, window, baseline, near, state):
    """Sum the windows that end at row t, and the baseline before them, about `near`.

    state: 0 near, 1..3 the windows, 4 the baseline, 5 its squares, 6 when too few of them are left.
    """
    state[0] = near
    total = 0.0
    for k in range(LONG * window):
        total += x[t - k] - near
        if k == window - 1:
            state[1] = total
        if k == STEP * window - 1:
            state[2] = total
    state[3] = total
    total, squares = 0.0, 0.0
    for k in range(LONG * window, LONG * window + baseline):
        gap = x[t - k] - near
        total += gap
        squares += gap * gap
    state[4], state[5], state[6] = total, squares, SHRUNK * squares


def slide_sums(x, t, window, baseline, state):
    """Move windows and baseline on to row t."""
    near = state[0]
    state[1] += (x[t] - near) - (x[t - window] - near)
    state[2] += (x[t] - near) - (x[t - STEP * window] - near)
    left = x[t - LONG * window] - near
    state[3] += (x[t] - near) - left
    old = x[t - LONG * window - baseline] - near
    state[4] += left - old
    state[5] += (left - old) * (left + old)


@op.kernel
def kernel(x, lo, hi, row, score, alarm, params, state, ints):
    window, baseline = int(params[0]), int(params[1])
    limit, cooldown = params[2], int(params[3])
    need = LONG * window + baseline
    seen, wait, filled = ints[0], ints[1], ints[2]
    for t in range(lo, hi):
        seen = seen + 1 if x[t] == x[t] else 0
        score[t] = alarm[t] = math.nan
        if wait > 0:
            wait -= 1
        if seen < need:
            filled = 0
            continue
        if filled == 0 or (row + t - lo) % need == 0:
            sums_afresh(x, t, window, baseline, x[t - LONG * window], state)
            filled = 1
        else:
            slide_sums(x, t, window, baseline, state)
        mean = state[4] / baseline
        spread = state[5] - state[4] * mean
        state[6] = max(state[6], SHRUNK * state[5])
        if not spread >= state[6]:
            sums_afresh(x, t, window, baseline, x[t - LONG * window], state)
            if state[5] - state[4] * (state[4] / baseline) < SHRUNK * state[5]:
                near = state[0] + state[4] / baseline
                sums_afresh(x, t, window, baseline, near, state)
            mean = state[4] / baseline
            spread = max(state[5] - state[4] * mean, 0.0)
        found = 0.0
        if spread > 0.0:
            s = math.sqrt(spread / (baseline - 1))
            found = (state[1] / window - mean) / s * math.sqrt(window)
            middle = (state[2] / (STEP * window) - mean) / s * math.sqrt(STEP * window)
            long = (state[3] / (LONG * window) - mean) / s * math.sqrt(LONG * window)
            found = max(found, middle, long)
        score[t] = found
        alarm[t] = 0.0
        if found >= limit and wait == 0:
            alarm[t] = 1.0
            wait = cooldown + 1
    ints[0], ints[1], ints[2] = seen, wait, filled
