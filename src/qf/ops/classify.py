"""classify(x, regime): the code of the state of a regime table that x is in, from 0.

    out[t] = k  where  lower[k] <= x[t] < upper[k]

The table is a name; its edges become parameters of step_value when the formula is compiled, each
instrument's own. Codes are places in the table; docs/regimes.md and the view regime_codes name
them. Null where x is. Unit: none. Source: definition; each table names its own.
"""

from qf.op import define
from qf.regime_table import names

op = define(
    f"classify(x, regime: {'|'.join(names())})",
    unit="1",
    example='classify(spread_bps, "spread_bps")',
)


@op.expand
def expand(regime):
    return regime.steps(range(len(regime.states)))
