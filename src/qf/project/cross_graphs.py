"""Compile a cross set's formulas as one symbol reads them.

A bare name is the reading symbol's own feature, `ETHUSDT.name` another symbol's; its own name
before the dot means its own. Where a symbol's name is no word (`BTC-USD`), every other sign is
written `_`, and a leading digit gets one before it: `BTC_USD.name`, `_1INCHUSDT.name`.
"""

from __future__ import annotations

import re

from qf.errors import QuantflowError, diagnostic, nearest
from qf.language.columns import ColumnInfo, ColumnTable
from qf.language.compile import compile_formula
from qf.language.graph import Graph
from qf.project.cross_model import MARKS, CrossFeature, CrossSet
from qf.project.model import FeatureSet

NO_FEATURE_THERE = diagnostic(
    "QF287",
    "cross feature {name} reads {given!r}: {of} has no such feature, or there is no such symbol",
    hint="write the name of a feature of {of}, or SYMBOL.name; the symbols are: {known}",
)


def cross_graphs(cross: CrossSet, symbol: str) -> dict[str, Graph]:
    """Return each feature's graph for one reading symbol.

    Errors: QF1xx, QF4xx at the formula's place, QF287.
    """
    own = _table(cross.of, symbol, cross.bar, own=True)
    others = {each: _table(cross.of, each, cross.bar) for each in cross.universe if each != symbol}
    members = tuple(None if each == symbol else others[each] for each in cross.universe)
    home = ColumnTable(own.clock, own.tables, own.columns, members=members)
    graphs = {}
    for feature in cross.features:
        inputs = {
            placeholder: _input(cross, feature, text, (home, *others.values()))
            for placeholder, text in feature.bindings.items()
        }
        try:
            graphs[feature.name] = compile_formula(
                feature.formula,
                table=home,
                params=dict(feature.params),
                inputs=inputs,
                known=tuple(others.values()),
            )
        except QuantflowError as error:
            raise feature.formula_place.at(error) from None
    return graphs


def word_of(symbol: str) -> str:
    """Return what a formula writes for a symbol whose name is no word."""
    word = re.sub(r"\W", "_", symbol, flags=re.ASCII)
    return f"_{word}" if word[:1].isdigit() else word


def column_name(symbol: str, feature: str) -> str:
    """Return the name of another symbol's column."""
    return f"{symbol}.{feature}"


def _table(of: FeatureSet, symbol: str, bar: str, own: bool = False) -> ColumnTable:
    """Return a symbol's features as columns of the reading symbol's clock."""
    columns = {
        feature.name: ColumnInfo(
            feature.name if own else column_name(symbol, feature.name), "float", "any", bar
        )
        for feature in of.features
    }
    for name, unit in MARKS.items():
        shown = name if own else column_name(symbol, name)
        columns.setdefault(name, ColumnInfo(shown, "float", unit, bar))
    return ColumnTable(bar, tuple(dict.fromkeys((symbol, word_of(symbol)))), columns)


def _input(
    cross: CrossSet, feature: CrossFeature, text: str, tables: tuple[ColumnTable, ...]
) -> ColumnInfo:
    """Return the column that a placeholder is bound to. Errors: QF287."""
    symbol, _, name = text.rpartition(".")
    for table in tables if symbol else tables[:1]:
        column = table.find(name)
        if column is not None and (not symbol or symbol in table.tables):
            return column
    names = [each.name for each in cross.of.features]
    raise NO_FEATURE_THERE(
        name=feature.name,
        given=text,
        of=cross.of.name,
        known=", ".join(cross.universe),
        near=nearest(name, names),
        place=feature.place,
    )
