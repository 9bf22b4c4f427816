"""regime_factor(x, regime): the factor of the state of a regime table that x is in.

    out[t] = factor[k]  where  lower[k] <= x[t] < upper[k]

A size or a confidence is multiplied by it; the table says which. Null where x is. Unit: none.
Source: definition; each table names its own.
"""

from qf.op import define
from qf.regime_table import names

op = define(
    f"regime_factor(x, regime: {'|'.join(names())})",
    unit="1",
    example='regime_factor(spread_bps, "spread_bps")',
)


@op.expand
def expand(regime):
    return regime.steps([state.factor for state in regime.states])
