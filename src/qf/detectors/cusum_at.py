"""cusum_at(x, slack, threshold): two-sided CUSUM with a threshold of one's own.

    up[t] = max(0, up[t-1] + x[t] - slack),  down[t] = max(0, down[t-1] - x[t] - slack)
    score[t] = max(up, down) / threshold, negative where down is the larger
    alarm[t] = abs(score) >= 1

Rows between false alarms, x independent standard normal: 9 at slack 0 and threshold 3; at slack 0.5
59, 168 and 465 at thresholds 3, 4 and 5. For AR(1) with 0.9 the last is 28. cusum is given the rows
and finds the threshold. Both sums begin at 0 after an alarm and after a null.

Null where x is. Unit: none; a row of alarm is a condition. x, slack and threshold share a unit.
Source: Page (1954), Biometrika 41(1/2), 100-115.
"""

from qf.cusum_limits import cusum_of, slide_cusum
from qf.op import MOMENT, define

op = define(
    "cusum_at(x, slack: 0.0..1e6 = 0.5, threshold: 1e-6..1e6 = 5.0) -> score, alarm",
    memory=lambda slack, threshold: 0,
    slots=lambda slack, threshold: 2,
    tolerance=MOMENT,
    unit="1, bool",
    example="cusum_at.alarm(ofi_0, 0.5, 5)",
)
op.polars_missing("sums that are cut off at 0 and start anew: a state machine")


@op.definition
def definition(x, slack, threshold):
    return cusum_of(x, slack, threshold)


@op.kernel
def kernel(x, lo, hi, score, alarm, params, state):
    slide_cusum(x, lo, hi, params[0], params[1], score, alarm, state)
