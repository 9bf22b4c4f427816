"""step_value(x, edge_1, edge_2, value_0, value_1, value_2): the value of the step that x stands on.

    out[t] = value_k,  k = count of edges with x[t] >= edge

Up to five edges and six values; an edge that is not given is no edge. Classifying by a regime table
becomes this. Null where x is. Unit: none.
Source: definition.
"""

import math

from qf.op import define

NO_EDGE = 1e300
EDGES = 5

op = define(
    "step_value(x,"
    " edge_1: -1e300..1e300 = 1e300, edge_2: -1e300..1e300 = 1e300,"
    " edge_3: -1e300..1e300 = 1e300, edge_4: -1e300..1e300 = 1e300,"
    " edge_5: -1e300..1e300 = 1e300,"
    " value_0: -1e300..1e300 = 0, value_1: -1e300..1e300 = 0, value_2: -1e300..1e300 = 0,"
    " value_3: -1e300..1e300 = 0, value_4: -1e300..1e300 = 0, value_5: -1e300..1e300 = 0)",
    unit="1",
    example="step_value(spread_ticks, 2.0, 5.0, value_0=1.0, value_1=0.7, value_2=0.4)",
)


@op.definition
def definition(x, **steps):
    if x[-1] != x[-1]:
        return math.nan
    edges = [steps[f"edge_{i}"] for i in range(1, EDGES + 1)]
    passed = sum(edge < NO_EDGE and x[-1] >= edge for edge in edges)
    return float(steps[f"value_{passed}"])


@op.polars
def polars(x, **steps):
    import polars as pl

    passed = pl.when(x.is_not_null()).then(0)
    for i in range(1, EDGES + 1):
        if steps[f"edge_{i}"] < NO_EDGE:
            passed = passed + (x >= steps[f"edge_{i}"]).cast(int)
    found = pl.when(passed == 0).then(float(steps["value_0"]))
    for i in range(1, EDGES + 1):
        found = found.when(passed == i).then(float(steps[f"value_{i}"]))
    return found


@op.kernel
def kernel(x, lo, hi, out, params):
    one = params[0] if params[0] < NO_EDGE else math.inf
    two = params[1] if params[1] < NO_EDGE else math.inf
    three = params[2] if params[2] < NO_EDGE else math.inf
    four = params[3] if params[3] < NO_EDGE else math.inf
    five = params[4] if params[4] < NO_EDGE else math.inf
    for t in range(lo, hi):
        value = x[t]
        passed = (1 if value >= one else 0) + (1 if value >= two else 0)
        passed += (1 if value >= three else 0) + (1 if value >= four else 0)
        passed += 1 if value >= five else 0
        out[t] = params[EDGES + passed] if value == value else math.nan
