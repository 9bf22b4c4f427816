"""Write docs/regimes.md from the library's regime tables."""

from __future__ import annotations

import math

from qf.project.feature_types import TypeBook
from qf.project.regime_files import library_tables
from qf.regime_table import PARAMETER, RegimeTable

HEAD = """# Regimes

A regime table is data: the states of one measure, their edges, and what each means for trading.
One table drives the feature, the gate and this page. A value belongs to the state with
lower <= value < upper; the states leave no gap. The code of a state is its place, from 0.

| function | value |
|---|---|
| `classify(x, "table")` | the code of the state |
| `regime_factor(x, "table")` | its factor: a size or a confidence is multiplied by it |
| `regime_safe(x, "table")` | whether new positions may be opened in it; a condition |

The name is resolved when the formula is compiled: the edges become parameters of `step_value`. So
an edited table is another plan, and `qf run` computes what reads it, and nothing else, again.
A missing value is in no state: all three are null, and `where(regime_safe(…), size, 0)` is too.

## A table of one's own

A file in a project's `.definitions/regimes/` adds a table, or replaces the library's of its name:

```yaml
# .definitions/regimes/funding.yml
name: funding
of: funding rate z-score
unit: "1"
factor_means: size of new positions
source: "definition"
states:
  - { name: paid, edges: [null, -3], factor: 0.5, safe_to_trade: true }
  - { name: normal, edges: [-3, 3], factor: 1.0, safe_to_trade: true }
  - { name: crowded, edges: [3, null], factor: 0.0, safe_to_trade: false }
```

`edges` are [lower, upper); null is an open end, and the first and last state have one. A table has
2 to 6 states. A state with factor 0 is not safe to trade in. Gaps, overlaps, closed ends and keys
that are not known are errors with their line.

A file without `states` gives instruments edges of their own, in ascending order, one less than
there are states, and factors if they differ too. Codes and states stay the table's. `venue` may be
left out; a row that names it goes first.

```yaml
# .definitions/regimes/spread_bps.yml
name: spread_bps
instruments:
  - { venue: binance_spot, symbol: DOGEUSDT, edges: [2, 8] }
  - { symbol: PEPEUSDT, edges: [10, 40], factors: [1.0, 0.6, 0.2] }
```

## Codes in the store

`qf run` makes the view `regime_codes` beside the features: regime, venue, symbol, code, state,
lower, upper, factor, safe_to_trade, meaning, source. Rows without a symbol are the table's own. The
view is in the database, not among the Parquet files.

```sql
SELECT f.feature_time, c.state, c.factor
FROM my_project_feature.features f
JOIN my_project_feature.regime_codes c ON c.code = f.value
WHERE f.feature_name = 'vpin_regime' AND c.regime = 'vpin_raw' AND c.symbol IS NULL
```

A code is stored as it is with `normalization: none`; a z-score of it is no code any more.
"""


def regimes_page() -> str:
    """Return docs/regimes.md."""
    tables = library_tables().values()
    return HEAD + "".join(map(_section, tables)) + _types()


def _section(table: RegimeTable) -> str:
    unit = "" if table.unit == "1" else f" ({table.unit})"
    lines = [
        f"\n## {table.name}\n",
        f"{table.description}\n",
        f"Of: {table.of}{unit}. The factor is for: {table.factor_means}. Source: {table.source}.\n",
        "| code | state | from | below | factor | safe to trade | meaning |",
        "|---|---|---|---|---|---|---|",
    ]
    for code, state in enumerate(table.states):
        safe = "yes" if state.safe_to_trade else "no"
        cells = (code, state.name, _edge(state.lower), _edge(state.upper), f"{state.factor:g}")
        lines.append("| " + " | ".join(map(str, (*cells, safe, state.meaning))) + " |")
    return "\n".join(lines) + "\n"


def _types() -> str:
    """Return the feature types that read a table, with the table they read by default."""
    book = TypeBook(None, [])
    lines = ["\n## Feature types\n", "| type | table | what it says |", "|---|---|---|"]
    for found in map(book.get, sorted(book.names())):
        named = [spec for spec in found.parameters if spec.name == PARAMETER] if found else []
        if found and named:
            first = found.description.split(". ")[0].rstrip(".")
            lines.append(f"| {found.name} | `{named[0].default}` | {first} |")
    return "\n".join(lines) + "\n"


def _edge(value: float) -> str:
    return f"{value:,.15g}" if math.isfinite(value) else ""
