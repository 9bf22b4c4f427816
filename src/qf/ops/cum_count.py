"""cum_count(x): how many rows have had a value since the history began.

    n[t] = count of i in 0 .. t with x[i] not null

Never null. Unit: none (rows).
Source: definition.
"""

from qf.op import define

op = define("cum_count(x)", memory=lambda: 0, ints=lambda: 1, unit="1", example="cum_count(mid)")


@op.definition
def definition(x):
    return float(sum(value == value for value in x))


@op.polars
def polars(x):
    return x.cum_count().cast(float)


@op.kernel
def kernel(x, lo, hi, out, ints):
    count = ints[0]
    for t in range(lo, hi):
        if x[t] == x[t]:
            count += 1
        out[t] = float(count)
    ints[0] = count
