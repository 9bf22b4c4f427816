"""constant(value): the same number on every row.

    out[t] = value

Never null. Unit: none.
A number that stands where a column is expected becomes this column, so that both engines divide
by it (Polars multiplies by the reciprocal of a literal).
Source: definition.
"""

from qf.op import define

op = define("constant(value: -1e308..1e308)", unit="1", example="constant(2.0)")


@op.definition
def definition(value):
    return value


@op.polars
def polars(value):
    import polars as pl

    # not pl.repeat: that stays a scalar inside, and Polars multiplies by its reciprocal
    return 0.0 * pl.int_range(pl.len()) + value


@op.kernel
def kernel(lo, hi, out, params):
    for t in range(lo, hi):
        out[t] = params[0]
