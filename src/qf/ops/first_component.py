"""first_component(a, b, c, d, e, f, g, h, i, j, rows): ten columns as one, by their main direction.

    y[t] = w_1 a[t] + … + w_10 j[t],   |w_1| + … + |w_10| = 1,   w_1 + … + w_10 >= 0
    w = the first eigenvector of the covariance of the last whole stretch of `rows` rows before t

Stretches begin at absolute rows that divide by `rows`, so no weight knows the row it is used on.
Unused columns are given as 0 and weigh nothing. Rows with a null are left out of a stretch; one
that has fewer than half its rows, or none that moves, has no weights. Null until there are weights,
and where a column is. Unit: the unit of the columns.
Source: Cont, Cucuringu and Zhang (2023), Quantitative Finance 23(10), 1373-1393, eq. (4)-(5).
"""

import math

from qf.components import SIZE, add_products, weights_from, weights_of
from qf.missing import finite
from qf.op import MOMENT, define

NEAR = SIZE  # state: 0.. weights, NEAR.. references, GAPS.. sums and a row, MATRIX.., SPARE..
SUMS = NEAR + SIZE
GAPS = SUMS + SIZE
MATRIX = GAPS + SIZE
SPARE = MATRIX + SIZE * SIZE
WORDS = SPARE + SIZE * SIZE

op = define(
    "first_component(a, b, c, d, e, f, g, h, i, j, rows: 20..100000)",
    warmup=lambda rows: rows,
    memory=lambda rows: 2 * rows,
    slots=lambda rows: WORDS,
    ints=lambda rows: 3,
    tolerance=MOMENT,
    unit="a",
    example="first_component(ofi_0, ofi_1, ofi_2, 0, 0, 0, 0, 0, 0, 0, 1000)",
)
op.polars_missing("an eigenvector has no Polars expression; the definition is its twin")


@op.definition
def definition(a, b, c, d, e, f, g, h, i, j, rows):
    table = list(zip(a, b, c, d, e, f, g, h, i, j, strict=True))
    end = (len(table) - 1) // rows * rows
    stretch = [row for row in table[end - rows : end] if all(v == v for v in row)]
    if end == 0 or 2 * len(stretch) < rows:
        return math.nan
    weights = weights_of(tuple(stretch))
    if weights is None:
        return math.nan
    return math.fsum(weight * value for weight, value in zip(weights, table[-1], strict=True))


def take(state, ints):
    """Add the row in state[GAPS..] to the stretch's sums, about its first known row."""
    if ints[0] == 0:
        for k in range(SIZE):
            state[NEAR + k] = state[GAPS + k]
    ints[0] += 1
    for k in range(SIZE):
        state[GAPS + k] -= state[NEAR + k]
        state[SUMS + k] += state[GAPS + k]
    add_products(state, MATRIX, state, GAPS)


def close_stretch(state, ints, rows):
    """Make weights of the stretch and empty it."""
    known = ints[0]
    for one in range(SIZE):
        for other in range(SIZE):
            mean = state[SUMS + one] * state[SUMS + other] / max(known, 1)
            state[MATRIX + SIZE * one + other] -= mean
    enough = 2 * known >= rows
    ints[1] = 1 if enough and weights_from(state, MATRIX, SPARE) else 0
    for k in range(SUMS, WORDS):
        state[k] = 0.0
    ints[0] = 0


@op.kernel
def kernel(a, b, c, d, e, f, g, h, i, j, lo, hi, row, out, params, state, ints):
    rows = int(params[0])
    phase = row % rows
    for t in range(lo, hi):
        if phase == 0 and row + t - lo > 0:
            close_stretch(state, ints, rows)
        phase = phase + 1 if phase + 1 < rows else 0
        state[GAPS], state[GAPS + 1], state[GAPS + 2] = a[t], b[t], c[t]
        state[GAPS + 3], state[GAPS + 4], state[GAPS + 5] = d[t], e[t], f[t]
        state[GAPS + 6], state[GAPS + 7] = g[t], h[t]
        state[GAPS + 8], state[GAPS + 9] = i[t], j[t]
        total, seen = 0.0, 0.0
        for k in range(SIZE):
            total += state[k] * state[GAPS + k]
            seen += state[GAPS + k]
        out[t] = finite(total) if ints[1] == 1 else math.nan
        if seen - seen == 0.0:
            take(state, ints)
