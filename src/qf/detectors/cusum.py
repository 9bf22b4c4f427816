"""cusum(x, arl0, shift): has the mean of x moved up or down? Two-sided CUSUM, by its false alarms.

    up[t] = max(0, up[t-1] + x[t] - k),  down[t] = max(0, down[t-1] - x[t] - k),  k = shift / 2
    score[t] = max(up, down) / h, negative where down is the larger;  alarm[t] = abs(score) >= 1

x is in deviations from its mean while all is well, `shift` the move worth finding. h is solved for
`arl0`, the mean number of rows between false alarms, x being independent and normal. Returns are
neither: their alarms come sooner, so give cusum_at a threshold of qf.run_lengths.threshold_on. (For
a smaller shift its threshold_for.) Both sums begin at 0 after an alarm and after a null.

Null where x is. Unit: none; a row of alarm is a condition.
Source: Page (1954), Biometrika 41(1/2), 100-115; threshold as in src/qf/cusum_limits.py.
"""

from qf.cusum_limits import cusum_of, limit_for, slide_cusum, words_for
from qf.op import MOMENT, define
from qf.run_lengths import threshold_for

op = define(
    "cusum(x, arl0: 20.0..1e6 = 1000.0, shift: 0.5..3.0 = 1.0) -> score, alarm",
    memory=lambda arl0, shift: 0,
    slots=lambda arl0, shift: 3 + words_for(arl0, 0.5 * shift),
    ints=lambda arl0, shift: 1,
    tolerance=MOMENT,
    unit="1, bool",
    example="cusum.alarm(ofi_0, 1000)",
)
op.polars_missing("sums that are cut off at 0 and start anew: a state machine")


@op.definition
def definition(x, arl0, shift):
    return cusum_of(x, 0.5 * shift, threshold_for(arl0, 0.5 * shift))


@op.kernel
def kernel(x, lo, hi, score, alarm, params, state, ints):
    slack = 0.5 * params[1]
    if ints[0] == 0:
        ints[0] = 1
        state[2] = limit_for(params[0], slack, state, 3)
    slide_cusum(x, lo, hi, slack, state[2], score, alarm, state)
