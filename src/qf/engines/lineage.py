"""Where a stored column comes from: its meaning, the ops that make it down to the tape, its run.

1. the table's definition says what the column means
2. the part that fills it says which column of which clock is written there; the plan says which
   instruction made that column, from which columns, and so on down to the fields of the tape
3. qf_runs says which runs wrote the rows, of which definitions, code and input
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from qf.clock import format_time
from qf.engines.cross_lineage import explain_cross_column
from qf.engines.meaning import meaning_of
from qf.engines.parts import RAW_TABLES, Part, parts_of, root_name
from qf.engines.sources import instrument_of, providers_of
from qf.engines.symbol_plan import AGE, SymbolPlan, plan_symbol
from qf.errors import QuantflowError, diagnostic, nearest
from qf.feeds.venue import find_venue
from qf.pieces import Names
from qf.plan import Column, Instruction, Plan
from qf.project.model import Project
from qf.schema_records import PART_COLUMNS, RECORDS
from qf.schema_tables import TABLES, Table
from qf.store.read import Reader

NO_TABLE = diagnostic("QF531", "the project makes no table {name!r}", hint="it makes: {known}")
NO_SYMBOL = diagnostic("QF533", "the project names no symbol, so no table has a column to explain")

DEEPEST = 24  # levels of the chain that are shown
Producer = Mapping[tuple[int, int], tuple[Instruction, str]]


def is_table(project: Project, name: str) -> bool:
    """Say whether a word before a dot can be meant as a table."""
    return name.startswith(("cdm_", "feature_vectors_", "qf_")) or name in TABLES


def explain_column(project: Project, table: str, column: str) -> str:
    """Return where a column comes from, in lines. Errors: QF531-QF533 and those of the plan."""
    if not project.symbols:
        raise NO_SYMBOL()
    for cross in project.cross_sets:
        if cross.table == table:
            return "\n".join([*explain_cross_column(cross, column), *_runs(project, table)])
    symbol = project.symbols[0]
    venue = find_venue(providers_of(project, symbol)[0].venue)
    groups = project.tables | set(RAW_TABLES)
    planned = plan_symbol(project, instrument_of(project, symbol), venue.CONTINUITY, groups)
    names = Names(planned.plan, root_name(project, 0))
    engine = project.engine.historical_feature
    parts = [p for p in parts_of(project, planned, names, groups, engine) if p.table]
    found = _table(project, parts, table)
    lines = meaning_of(found, column)
    for part in (part for part in parts if part.table and part.table.name == table):
        lines += _part(project, planned, part, column)
    lines += _runs(project, table)
    return "\n".join(lines)


def _table(project: Project, parts: list[Part], name: str) -> Table:
    tables = {part.table.name: part.table for part in parts if part.table}
    tables |= {each: TABLES[each] for each in ("instruments", "qf_runs")}
    if name not in tables:
        known = sorted([*tables, *(cross.table for cross in project.cross_sets)])
        raise NO_TABLE(name=name, known=", ".join(known), near=nearest(name, known))
    return tables[name]


def _part(project: Project, planned: SymbolPlan, part: Part, column: str) -> Iterator[str]:
    """Yield what one part says of a column."""
    named = [part.constants[name] for name in PART_COLUMNS if name in part.constants]
    if column in part.constants:
        yield f"  {' '.join(named) or part.source or 'all rows'}: the same text in every row"
        return
    yield f"\n  {' '.join(named) or 'all rows'} (made by: {part.maker}, part {part.key})"
    feature = part.constants.get("feature_name", "")
    if feature:
        each = project.feature_set(part.constants["feature_set"]).feature(feature)
        yield f"    formula: {' '.join(each.formula.split())}"
    if part.maker == "tape":
        yield f"    copied from the tape's {part.source}, as the venue published it"
        return
    read = _read_name(part, column)
    columns = {name: each for found in part.reads.values() for name, each in found}
    wanted = [name for name in columns if name == read or _is_level(name, read)]
    if not wanted:
        yield "    computed while writing, from the row's other columns"
        return
    producers = producers_of(planned)
    if len(wanted) > 1:
        yield f"    a list of {len(wanted)} levels; the first of them:"
    yield from _chain(planned.plan, producers, [columns[wanted[0]]], 2, set())


def _read_name(part: Part, column: str) -> str:
    assert part.route is not None
    if column.endswith("_age_ms") and part.group == "vectors":
        return part.route.columns.get(column.removesuffix("_age_ms") + AGE, "")
    return part.route.columns.get(column, column)


def _is_level(name: str, read: str) -> bool:
    head, _, level = name.rpartition("_")
    return head == read and level.isdigit()


def producers_of(planned: SymbolPlan) -> Producer:
    """Return, by column, the instruction that writes it and the column's name on its clock."""
    state, found = planned.state, dict[tuple[int, int], tuple[Instruction, str]]()
    clocks = (state.tick, state.prints, state.book, state.snapshot, *state.bars.values())
    known = {(c.clock, c.place): name for columns in clocks for name, c in columns.items()}
    for each in planned.plan.instructions:
        outputs = each.op.signature.outputs
        for output, first, width in zip(outputs, each.outputs, each.widths, strict=True):
            for k in range(width):
                own = output.name if width == 1 else f"{output.name}[{k}]"
                where = (first.clock, first.place + k)
                found[where] = (each, known.get(where, own))
    return found


def _chain(
    plan: Plan, producers: Producer, columns: Sequence[Column], depth: int, seen: set[int]
) -> Iterator[str]:
    """Yield one line per instruction that makes the columns, what it reads below it, each once."""
    together: dict[int, tuple[Instruction, list[str]]] = {}
    indent, fed = "  " * depth, {(c.clock, c.place): name for name, c in plan.feeds}
    fields = [fed[c.clock, c.place] for c in columns if (c.clock, c.place) in fed]
    if fields:
        # An op that takes the tape's first column walks all of them.
        shown = list(fed.values()) if fields == [plan.feeds[0][0]] else fields
        yield f"{indent}the tape's {', '.join(shown)}"
    for column in columns:
        if (column.clock, column.place) in producers:
            each, output = producers[column.clock, column.place]
            names = together.setdefault(id(each), (each, []))[1]
            if output not in names:
                names.append(output)
    for key, (each, names) in together.items():
        shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        clock = plan.clocks[each.outputs[0].clock]
        line = f"{indent}{shown} = {each.op.family}.{each.op.name}({_parameters(each)}) on {clock}"
        if key in seen or depth > DEEPEST:
            yield f"{line} (as above)" if key in seen else f"{line} …"
            continue
        seen.add(key)
        yield line
        yield from _chain(plan, producers, each.inputs, depth + 1, seen)


def _parameters(each: Instruction) -> str:
    shown = []
    for parameter, value in zip(each.op.signature.parameters, each.parameters, strict=True):
        text = f"{value:g}"
        if parameter.kind == "choice":
            text = parameter.choices[int(value)]
        shown.append(f"{parameter.name}={text}")
    more = f", … {len(shown) - 8} more" if len(shown) > 8 else ""
    return ", ".join(shown[:8]) + more


def _runs(project: Project, table: str) -> list[str]:
    """Return the runs that wrote the rows there are, the newest first."""
    reader = Reader(project.paths.database, project.name, project.paths.parquet)
    try:
        frame = reader.frame("qf_runs", where={"table_name": table})
    except QuantflowError as error:
        if error.code in ("QF601", "QF605"):
            return ["", "  no run has written it yet"]
        raise
    if table in RECORDS or frame.is_empty():
        return ["", "  no run has written it yet"]
    lines = ["", "  written by:"]
    rows = frame.sort("run_number", descending=True).to_dicts()
    times = frame.sort("run_number", descending=True).select("last_event").to_series().to_physical()
    for row, last in list(zip(rows, times.to_list(), strict=True))[:12]:
        part = " ".join(row[name] for name in PART_COLUMNS if row[name])
        upto = f", events up to {format_time(last)}" if last is not None else ""
        lines.append(
            f"    run {row['run_number']} ({row['run_id']}): {row['row_count']:,} rows of "
            f"{row['symbol']} {part}".rstrip()
            + f"{upto}; part {row['part_hash']}, plan {_short(row)}, input {row['input_hash']}"
        )
    if len(rows) > 12:
        lines.append(f"    and {len(rows) - 12} more in qf_runs")
    return lines


def _short(row: Mapping[str, Any]) -> str:
    hashes = str(row["plan_hash"]).split(",")
    return hashes[0] if len(hashes) == 1 else f"{hashes[0]} and {len(hashes) - 1} more"
