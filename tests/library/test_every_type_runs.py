"""Every feature type of the library compiles with its defaults, reads what it says, has values."""

from __future__ import annotations

import numpy as np
import pytest

from qf.errors import QuantflowError
from qf.language.columns import ColumnTable, Input
from qf.lower.formula import program_of
from qf.project.document import parse_document
from qf.project.feature_types import TypeBook, bind_parameters
from qf.project.graphs import compile_type

PROBLEMS: list[QuantflowError] = []
BOOK = TypeBook(None, PROBLEMS)
TYPES = [found for found in map(BOOK.get, BOOK.names()) if found is not None]
ROWS = 1_500


def graph_of(found):
    """Return the type's graph with its defaults, on trades or on bars."""
    params = bind_parameters(found, {}, parse_document("{}", found.name), ())
    if found.mode == "tick":
        return compile_type(found, params, ColumnTable.tick(5), {})
    inputs = {name: Input(name, "float", "any", "dollar_k_1") for name in found.placeholders}
    return compile_type(found, params, ColumnTable.bars("dollar_k_1", ("bars",)), inputs)


def column(name, draw):
    """Return a plausible column: prices near 100 with open and close inside the range."""
    noise = np.random.default_rng(1).normal(0.0, 0.1, ROWS).cumsum() + 100.0
    moved = {"high": 0.3, "low": -0.3, "close": 0.1, "spread": -99.0}
    if name in ("open", "price", "mid", "weighted_mid", "vwap", *moved):
        return noise + moved.get(name, 0.0)
    return draw.integers(1, 9, ROWS) if name.endswith("_ticks") else draw.lognormal(0.0, 1.0, ROWS)


@pytest.mark.parametrize("found", TYPES, ids=lambda found: found.name)
def test_a_type_reads_what_it_says_and_has_values(found):
    assert PROBLEMS == []
    graph = graph_of(found)
    said = {name.rpartition(".")[2] for name in found.required_inputs}
    families = {name.rpartition("_")[0] for name in graph.columns}
    assert set(graph.columns) <= said | {n for n in graph.columns if families & said}
    program, names = program_of({"value": graph})
    draw = np.random.default_rng(2)
    made = program.push({name: column(name, draw) for name in names})[graph.clock]["value"]
    assert np.isnan(made[: graph.nodes[-1].warmup]).all()
    assert np.isfinite(made[graph.nodes[-1].warmup + 1 :]).mean() > 0.4
