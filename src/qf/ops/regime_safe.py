"""regime_safe(x, regime): whether new positions may be opened in the state that x is in.

    out[t] = safe_to_trade[k]  where  lower[k] <= x[t] < upper[k]

Null where x is: an unknown state opens no gate. Unit: a condition.
Source: definition; each table names its own.
"""

from qf.op import define
from qf.regime_table import names

op = define(
    f"regime_safe(x, regime: {'|'.join(names())})",
    unit="bool",
    example='where(regime_safe(spread_bps, "spread_bps"), size, 0.0)',
)


@op.expand
def expand(regime):
    return regime.steps([float(state.safe_to_trade) for state in regime.states]) + " > 0.5"
