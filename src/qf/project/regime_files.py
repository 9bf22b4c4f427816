"""Read regime tables: the library's and the project's own, by name; a project's own table wins.

A project's file of a library name that has no `states` only adds instruments to the library's
table. What is checked: the states leave no gap and do not overlap, their names differ, a state with
factor 0 is not safe to trade in, and an instrument has one edge less than there are states.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from qf.errors import Place, QuantflowError, diagnostic, nearest
from qf.project.document import Document, read_document
from qf.project.feature_types import TYPE_TWICE, WRONG_FILE, definition_files
from qf.project.structs.regime_file import InstrumentRow, RegimeFile, StateRow
from qf.project.validate import try_validate
from qf.regime_table import FOLDER, MOST_STATES, Override, RegimeTable, State, names

STATE_GAP = diagnostic(
    "QF253",
    "regime table {table}: {low} <= value < {high} is in no state",
    hint="let {after} begin at {low}, or {before} end at {high}",
)
STATE_OVERLAP = diagnostic(
    "QF254",
    "regime table {table}: {low} <= value < {high} is in two states, {before} and {after}",
    hint="let {after} begin where {before} ends: edges are [lower, upper)",
)
STATE_EMPTY = diagnostic(
    "QF255",
    "regime table {table}: state {state} holds nothing, its edges are [{low}, {high})",
    hint="the lower edge comes first and belongs to the state, the upper one does not",
)
OPEN_END = diagnostic(
    "QF256",
    "regime table {table}: values {where} {edge} are in no state",
    hint="leave the {end} edge of {state} open: null",
)
STATE_COUNT = diagnostic(
    "QF257", "regime table {table} has {count} states, it may have 2 to {most}"
)
STATE_TWICE = diagnostic("QF258", "regime table {table}: {what} {name!r} is named twice")
UNSAFE_FACTOR = diagnostic(
    "QF259",
    "regime table {table}: state {state} has factor 0 and is safe to trade",
    hint="say safe_to_trade: false, or give it a factor",
)
EDGE_COUNT = diagnostic(
    "QF263",
    "regime table {table}: {symbol} has {count} {what}, the table has {wanted}",
    hint="{what} go with the states {states}, in this order",
)
EDGE_ORDER = diagnostic(
    "QF264", "regime table {table}: the edges of {symbol} must grow, {edge} follows {before}"
)
EDGE_NUMBER = diagnostic(
    "QF265", "regime table {table}: {value} is no edge", hint="an open end is null"
)
NO_STATES = diagnostic(
    "QF266",
    "regime table {table} has no states, and the library has no table of that name",
    hint="list its states; the library has: {known}",
)


class RegimeBook(Mapping[str, RegimeTable]):
    """Every table that formulas may name: a project's own, else the library's.

    A library file is read when its table is first asked for.
    """

    def __init__(self, own: Mapping[str, RegimeTable]) -> None:
        self.own = dict(own)

    def __getitem__(self, name: str) -> RegimeTable:
        """Return a table. Errors: KeyError; QF2xx of a broken installation."""
        if name in self.own:
            return self.own[name]
        if name not in names():
            raise KeyError(name)
        return _library_table(name)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*names(), *self.own}))

    def __len__(self) -> int:
        return len({*names(), *self.own})


LIBRARY = RegimeBook({})


def library_tables() -> Mapping[str, RegimeTable]:
    """Return the tables that come with the library."""
    return LIBRARY


@cache
def _library_table(name: str) -> RegimeTable:
    problems: list[QuantflowError] = []
    path = FOLDER / f"{name}.yml"
    source = f"qf/library/regimes/{path.name}"
    table = _read(path, source, {}, problems)
    if table is not None and table.name != name:
        problems.append(WRONG_FILE(path=source, name=table.name))
    if problems or table is None:
        raise problems[0]
    return table


def read_regimes(
    folder: Path | None, problems: list[QuantflowError]
) -> tuple[RegimeBook, list[Path]]:
    """Return every table that the project's formulas may name, and the project's own files.

    What is wrong goes to the problems. Errors (collected): QF253-QF266 and those of reading.
    """
    own: dict[str, RegimeTable] = {}
    files = definition_files(folder, "regimes")
    for path in files:
        source = path.relative_to(folder).as_posix() if folder else path.name
        table = _read(path, source, LIBRARY, problems)
        if table is None:
            continue
        if table.name in own:
            first = own[table.name].file
            problems.append(
                TYPE_TWICE(what="regime table", name=table.name, first=first, second=source)
            )
            continue
        own[table.name] = table
    return RegimeBook(own), files


def regime_notes(book: RegimeBook, symbols: Sequence[str]) -> list[str]:
    """Return what a user should know: tables in place of the library's, rows of no symbol."""
    notes = []
    for name, table in book.own.items():
        if name in LIBRARY and table.states is not LIBRARY[name].states:
            notes.append(
                f"regime table {name} is the project's own ({table.file}), "
                "not the library's of that name"
            )
        others = sorted({row.symbol for row in table.instruments} - set(symbols))
        if others:
            notes.append(
                f"regime table {name} has edges for {', '.join(others)} ({table.file}), "
                "which the project does not name"
            )
    return notes


def _read(
    path: Path, source: str, library: Mapping[str, RegimeTable], problems: list[QuantflowError]
) -> RegimeTable | None:
    try:
        document = read_document(path, source)
    except QuantflowError as error:
        problems.append(error)
        return None
    row, errors = try_validate(RegimeFile, document, "a regime table")
    if row is not None:
        errors = list(_check(row, document, library))
    problems.extend(errors)
    return None if row is None or errors else _build(row, source, library)


def _build(row: RegimeFile, source: str, library: Mapping[str, RegimeTable]) -> RegimeTable:
    """Return the table of a checked file."""
    if row.states:
        states = tuple(
            State(each.name, *_bounds(each), float(each.factor), each.safe_to_trade, each.meaning)
            for each in row.states
        )
        table = RegimeTable(
            name=row.name,
            description=_line(row.description),
            of=_line(row.of),
            unit=row.unit,
            factor_means=_line(row.factor_means),
            source=_line(row.source),
            states=states,
            file=source,
        )
    else:
        table = replace(library[row.name], file=source)
    return replace(table, instruments=tuple(_override(each, table) for each in row.instruments))


def _override(row: InstrumentRow, table: RegimeTable) -> Override:
    factors = row.factors if row.factors is not None else [s.factor for s in table.states]
    return Override(
        row.venue or "", row.symbol, tuple(map(float, row.edges)), tuple(map(float, factors))
    )


def _bounds(row: StateRow) -> tuple[float, float]:
    lower, upper = row.edges
    return (
        -math.inf if lower is None else float(lower),
        math.inf if upper is None else float(upper),
    )


def _check(
    row: RegimeFile, document: Document, library: Mapping[str, RegimeTable]
) -> Iterator[QuantflowError]:
    """Yield what is wrong with a file that has the right shape."""
    if not row.states and row.name not in library:
        yield NO_STATES(
            table=row.name,
            known=", ".join(library),
            near=nearest(row.name, library),
            place=document.place(("name",)),
        )
        return
    bad = list(_bad_numbers(row, document))
    if bad:
        yield from bad
        return
    if row.states:
        yield from _check_states(row, document)
    states = row.states or library[row.name].states
    seen: set[tuple[str | None, str]] = set()
    for number, each in enumerate(row.instruments):
        place = document.place(("instruments", number, "symbol"))
        if (each.venue, each.symbol) in seen:
            yield STATE_TWICE(table=row.name, what="instrument", name=each.symbol, place=place)
        seen.add((each.venue, each.symbol))
        yield from _check_instrument(row.name, each, [s.name for s in states], (document, number))
        for state, factor in zip(states, each.factors or (), strict=False):
            if factor == 0 and state.safe_to_trade:
                place = document.place(("instruments", number, "factors"))
                yield UNSAFE_FACTOR(table=row.name, state=state.name, place=place)


def _bad_numbers(row: RegimeFile, document: Document) -> Iterator[QuantflowError]:
    """Yield the edges that are infinite or not a number."""
    given = [
        (("states", i, "edges", k), edge)
        for i, state in enumerate(row.states)
        for k, edge in enumerate(state.edges)
    ]
    given += [
        (("instruments", i, "edges", k), edge)
        for i, each in enumerate(row.instruments)
        for k, edge in enumerate(each.edges)
    ]
    for path, edge in given:
        if edge is not None and not abs(edge) < 1e300:
            yield EDGE_NUMBER(table=row.name, value=edge, place=document.place(path))


def _check_states(row: RegimeFile, document: Document) -> Iterator[QuantflowError]:
    count = len(row.states)
    if not 2 <= count <= MOST_STATES:
        place = document.place(("states",), key=True)
        yield STATE_COUNT(table=row.name, count=count, most=MOST_STATES, place=place)
    seen: set[str] = set()
    for number, state in enumerate(row.states):
        if state.name in seen:
            place = document.place(("states", number, "name"))
            yield STATE_TWICE(table=row.name, what="state", name=state.name, place=place)
        seen.add(state.name)
        low, high = _bounds(state)
        place = document.place(("states", number, "edges"))
        if not low < high:
            yield STATE_EMPTY(
                table=row.name, state=state.name, low=_say(low), high=_say(high), place=place
            )
            return
        if state.factor == 0 and state.safe_to_trade:
            place = document.place(("states", number, "safe_to_trade"))
            yield UNSAFE_FACTOR(table=row.name, state=state.name, place=place)
    yield from _check_edges(row, document)


def _check_edges(row: RegimeFile, document: Document) -> Iterator[QuantflowError]:
    """Yield gaps, overlaps and closed ends."""
    first, last = row.states[0], row.states[-1]
    if _bounds(first)[0] != -math.inf:
        yield OPEN_END(
            table=row.name,
            where="below",
            edge=_say(_bounds(first)[0]),
            end="lower",
            state=first.name,
            place=document.place(("states", 0, "edges", 0)),
        )
    for number in range(1, len(row.states)):
        before, after = row.states[number - 1], row.states[number]
        end, begin = _bounds(before)[1], _bounds(after)[0]
        if end == begin:
            continue
        told = {"table": row.name, "before": before.name, "after": after.name}
        low, high = sorted((end, begin))
        kind = STATE_GAP if end < begin else STATE_OVERLAP
        place = document.place(("states", number, "edges", 0))
        yield kind(**told, low=_say(low), high=_say(high), place=place)
    if _bounds(last)[1] != math.inf:
        number = len(row.states) - 1
        yield OPEN_END(
            table=row.name,
            where="from",
            edge=_say(_bounds(last)[1]),
            end="upper",
            state=last.name,
            place=document.place(("states", number, "edges", 1)),
        )


def _check_instrument(
    table: str, row: InstrumentRow, states: Sequence[str], at: tuple[Document, int]
) -> Iterator[QuantflowError]:
    document, number = at
    wanted = {"edges": (row.edges, len(states) - 1), "factors": (row.factors, len(states))}
    for what, (given, count) in wanted.items():
        if given is not None and len(given) != count:
            yield EDGE_COUNT(
                table=table,
                symbol=row.symbol,
                count=len(given),
                what=what,
                wanted=count,
                states=", ".join(states),
                place=document.place(("instruments", number, what)),
            )
    for k in range(1, len(row.edges)):
        if not row.edges[k - 1] < row.edges[k]:
            place: Place = document.place(("instruments", number, "edges", k))
            yield EDGE_ORDER(
                table=table,
                symbol=row.symbol,
                edge=_say(row.edges[k]),
                before=_say(row.edges[k - 1]),
                place=place,
            )


def _say(edge: float) -> str:
    return f"{edge:.15g}"


def _line(text: str) -> str:
    return " ".join(text.split())
