"""latest(x, …): the newest row of another bar clock that is known at the decision clock's row.

    a = the last row of x's clock with x_row <= decision_row;  value = x[a], quality = x_quality[a]
    age_ns = decision_time − x_time[a]

x_row and decision_row are known_row of either clock: the tick row of the trade that made the bar
exist. A bar closed by the same trade is included, with age 0; a null row stays null, there is no
reaching back. Null rule: all is null before the first row, with quality `warmup`. Units: value as
x, age_ns in ns.
Source: definition.
"""

import math

from qf.op import define
from qf.schema import BIT, NULL_INT

WARMUP_BIT = BIT["warmup"]

op = define(
    "latest(x, x_quality: int, x_time: int, x_row: int, decision_row: int, decision_time: int)"
    " -> value, quality: int, feature_time: int, age_ns: int",
    shape="fold",
    lookback=lambda: 1,
    memory=lambda: 1,
    example="latest(x, quality, feature_time, known_row, decision_row, decision_time)",
)
op.polars_missing("it joins two clocks; join_asof over known_row is its test")


@op.definition
def definition(x, x_quality, x_time, x_row, decision_row, decision_time):
    known = [a for a in range(len(x)) if x_row[a] <= decision_row[-1]]
    if not known:
        return math.nan, WARMUP_BIT, NULL_INT, NULL_INT
    a = known[-1]
    return x[a], x_quality[a], x_time[a], decision_time[-1] - x_time[a]


def newest_known(x_row, a, hi, decision):
    """Return the last row from a on, before hi, that is known at a decision; row a is.

    How many follow nobody can foresee, so four are looked at without a branch.
    """
    passed = 4
    while passed == 4 and a + 4 < hi:
        one, two = x_row[a + 1] <= decision, x_row[a + 2] <= decision
        passed = 1 * one + two + (x_row[a + 3] <= decision) + (x_row[a + 4] <= decision)
        a += passed
    while a + 1 < hi and x_row[a + 1] <= decision:
        a += 1
    return a


@op.kernel
def kernel(
    x, x_quality, x_time, x_row, decision_row, decision_time, lo, hi, olo, ohi,
    value, quality, feature_time, age_ns,
):  # fmt: skip
    a = lo - 1  # the last row before this block was known before any trade of this block
    for o in range(olo, ohi):
        a = newest_known(x_row, a, hi, decision_row[o])
        if x_row[a] == NULL_INT:
            value[o], quality[o] = math.nan, WARMUP_BIT
            feature_time[o], age_ns[o] = NULL_INT, NULL_INT
        else:
            value[o], quality[o] = x[a], x_quality[a]
            feature_time[o], age_ns[o] = x_time[a], decision_time[o] - x_time[a]
