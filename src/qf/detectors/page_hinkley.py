"""page_hinkley(x, slack, threshold, rows): has the mean of x moved since the last alarm?

    up = sum of (x - mean - slack),  down = sum of (x - mean + slack), mean of the rows so far
    score[t] = (up - min up) / threshold, or -(max down - down) / threshold if that is the larger
    alarm[t] = abs(score) >= 1 and at least `rows` rows since the last alarm

Mean, sums and extremes begin anew after an alarm and after a null. Unlike cusum it learns the mean
by itself. Slack and threshold are in the unit of x.

Null where x is. Unit: none; a row of alarm is a condition.
Source: Page (1954), Biometrika 41(1/2), 100-115; Hinkley (1971), Biometrika 58(3), 509-523, in the
form of Mouss et al. (2004), 5th Asian Control Conference, on both sides.
"""

import math

from qf.op import MOMENT, define

op = define(
    "page_hinkley(x, slack: 0.0..1e6 = 0.005, threshold: 1e-9..1e9 = 50.0, rows: 1..1000000 = 30)"
    " -> score, alarm",
    memory=lambda slack, threshold, rows: 0,
    slots=lambda slack, threshold, rows: 5,
    ints=lambda slack, threshold, rows: 1,
    tolerance=MOMENT,
    unit="1, bool",
    example="page_hinkley.alarm(spread_bps, 0.05, 20)",
)
op.polars_missing("sums that start anew at each alarm: a state machine")


@op.definition
def definition(x, slack, threshold, rows):
    since, found, fires = [], math.nan, False
    up = down = low = high = mean = 0.0
    for value in x:
        if value != value or fires:
            since, up, down, low, high, mean = [], 0.0, 0.0, 0.0, 0.0, 0.0
        found, fires = math.nan, False
        if value != value:
            continue
        since.append(value)
        mean += (value - mean) / len(since)
        up, down = up + (value - mean - slack), down + (value - mean + slack)
        low, high = min(low, up), max(high, down)
        found = up - low if up - low >= high - down else down - high
        found /= threshold
        fires = abs(found) >= 1.0 and len(since) >= rows
    return (found, float(fires)) if found == found else (math.nan, math.nan)


@op.kernel
def kernel(x, lo, hi, score, alarm, params, state, ints):
    slack, threshold, rows = params[0], params[1], int(params[2])
    up, down, low, high, mean = state[0], state[1], state[2], state[3], state[4]
    count = ints[0]
    for t in range(lo, hi):
        count += 1
        mean += (x[t] - mean) / count
        up += x[t] - mean - slack
        down += x[t] - mean + slack
        low, high = min(low, up), max(high, down)
        found = up - low if up - low >= high - down else down - high
        found /= threshold
        fires = (found >= 1.0 or found <= -1.0) and count >= rows
        score[t] = found
        alarm[t] = 1.0 if fires else 0.0
        missing = x[t] != x[t]
        if missing:
            score[t] = math.nan
            alarm[t] = math.nan
        if fires or missing:
            up, down, low, high, mean = 0.0, 0.0, 0.0, 0.0, 0.0
            count = 0
    state[0], state[1], state[2], state[3], state[4] = up, down, low, high, mean
    ints[0] = count
