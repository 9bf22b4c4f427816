"""last(x, first_row, close_row): the value at the bar's closing trade.

    y = x[close_row]

Null where that value is null: `last` never reaches back. Unit: the unit of x.
Source: definition.
"""

from qf.op import define

op = define(
    "last(x, first_row: int, close_row: int)",
    shape="fold",
    lookback=lambda: 1,
    memory=lambda: 1,
    example="last(x, first_row, close_row)",
)


@op.definition
def definition(x, first_row, close_row):
    return x[close_row[-1]]


@op.polars
def polars(x):
    return x.last()


@op.kernel
def kernel(x, close_row, lo, row, olo, ohi, out):
    for o in range(olo, ohi):
        out[o] = x[close_row[o] - row + lo]
