"""Write docs/language.md from the code: the grammar, the columns, and every op's own text."""

from __future__ import annotations

import inspect

from qf.language.arguments import call_text
from qf.language.columns import ColumnTable
from qf.language.context import functions
from qf.language.parse import MAX_DEPTH, MAX_NODES
from qf.language.tokens import MAX_BYTES
from qf.language.tree import BINARY, UNARY
from qf.op import Op

_HEAD = """# The formula language

A formula is one expression over the columns of one clock: `rolling_sum(buy_volume - sell_volume,
window)`. It is read by QuantFlow's own tokenizer and parser, computes nothing but ops, and cannot
look ahead: every op sees the past of its inputs only, and labels are not among the functions.

## Writing

- Numbers `1`, `0.5`, `1e-9`; `true`, `false`; `null` is the missing value.
- Names are columns of the formula's clock, its parameters, or its inputs; a dotted name says the
  table too: `cdm_trade_enriched.price`.
- Calls take arguments by position or by name: `rolling_sum(size, window=20)`. Columns come first,
  then parameters, which are numbers known before the first row (`10 * lag` is one).
- A text in quotes is a typed window, a duration or a choice.
- A function of several values (its call says `-> score, alarm`) is called with the one that is
  meant: `jump.score(mid, 20)`, `jump.alarm(mid, 20)`. The bare name is an error that lists them.
  Equal calls are one computation, whichever of their values are read.
- A formula has at most {bytes:,} bytes, {nodes} parts and {depth} levels of nesting.

## Operators

Loosest first; `**` groups to the right, comparisons do not chain.

| operator | op |
|---|---|
{operators}

## Windows

| written | means |
|---|---|
| `50` | rows of the formula's own clock |
| `"50 ticks"` | the same, and an error where the clock is not the ticks' |
| `"200 bars"` | the same, and an error where the clock is no bar clock |
| `"5s"`, `"500ms"`, `"1m"` | the last 5 s of processed_time: (t - 5 s, t] in tape order |

A duration selects the op's form over time: {timed}.

## Missing values

Missing is null in tables. Arithmetic and comparison with missing is missing; `and` and `or` are
three-valued; `where(null, x, y)` is missing; every result that is not finite (1/0, log of a
negative number) is missing. A rolling value is missing until its window is full and while a row
of the window is missing.

## Kinds and units

A condition (comparison, `and`, `or`, `not`, `is_null`) counts as 1 and 0 where a number is wanted;
a number is never a condition. Ids and times are whole numbers that float64 cannot hold: no formula
computes with them. Each column has a unit, and each op says its unit in terms of its inputs';
adding or comparing unlike units is a warning.

## Clocks

All names of a formula live on one clock. Two bridges lead to another: a bar aggregation
(`mode: tick_to_bar` with `bar_aggregation`) and a staleness contract.

"""


def reference_text() -> str:
    """Return docs/language.md."""
    known = functions()
    timed = sorted(f"`{op.name}` → `{op.window_form}`" for op in known.values() if op.window_form)
    operators = [
        f"| `{sign.strip()}`{'' if name in BINARY else ' (one operand)'} | `{name}` |"
        for name, (sign, _) in sorted({**BINARY, **UNARY}.items(), key=lambda item: item[1][1])
    ]
    head = _HEAD.format(
        bytes=MAX_BYTES,
        nodes=MAX_NODES,
        depth=MAX_DEPTH,
        operators="\n".join(operators),
        timed=", ".join(timed) or "none has one",
    )
    parts = [head, _columns("tick", ColumnTable.tick(20))]
    parts.append(_columns("bar", ColumnTable.bars("dollar_k_50000")))
    parts.append("## Functions\n\n| name | call | value | unit |\n|---|---|---|---|\n")
    parts.extend(_row(known[name]) for name in sorted(known))
    parts.extend(_section(known[name]) for name in sorted(known))
    return "".join(parts)


def _columns(title: str, table: ColumnTable) -> str:
    head = "| name | kind | unit | of the book |\n|---|---|---|---|"
    lines = [f"## Columns of the {title} clock\n\n{head}"]
    for column in table.columns.values():
        unit = {"id": "an id", "time": "ns (a time)"}.get(column.unit, column.unit)
        lines.append(f"| {column.name} | {column.kind} | {unit} | {'yes' if column.book else ''} |")
    for family in table.families:
        level = table.find(f"{family}_0")
        assert level is not None
        lines.append(f"| {family}_0, {family}_1 … | float | {level.unit} | yes |")
    for alias, name in table.aliases.items():
        lines.append(f"| {alias} | another name of {name} | | |")
    return "\n".join(lines) + "\n\n"


def _row(op: Op) -> str:
    first = _doc(op).split("\n")[0]
    does = first.partition(": ")[2] or first
    unit = ", ".join(_units(op))
    call = call_text(op).replace("|", r"\|")
    return f"| [{op.name}](#{op.name}) | `{call}` | {does.rstrip('.')} | {unit} |\n"


def _units(op: Op) -> list[str]:
    """Return the unit of each value, or one for all."""
    texts = [text.strip() for text in op.unit.split(",")]
    return ["condition" if text == "bool" else text for text in texts]


def _section(op: Op) -> str:
    lines = [f"\n### {op.name}\n\n    {call_text(op)}\n", _doc(op).strip(), ""]
    if op.example:
        lines.append(f"Example: `{op.example}`\n")
    return "\n".join(lines)


def _doc(op: Op) -> str:
    return inspect.cleandoc(op.doc)
