"""Compute every feature type with its defaults on one seeded market, through a project's program.

1. a project is written: the market, one bar clock, one feature per type that compiles;
2. its tape runs through its program, as in any run;
3. what comes back is each type's value on every bar, a trade's value that of the closing trade.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qf.engines.sources import open_tape
from qf.engines.symbol_plan import plan_symbol
from qf.errors import QuantflowError
from qf.language.columns import ColumnTable, Input
from qf.language.graph import Graph
from qf.program import Program
from qf.project import open_project
from qf.project.document import parse_document
from qf.project.feature_types import TypeBook, bind_parameters
from qf.project.graphs import compile_type
from qf.project.model import FeatureType
from qf.project.scaffold import draft_project, write_project

NAME = "gallery"
TRADES_PER_BAR = 19  # no usual window of trades is as many bars of these
CLOCK = f"tick_k_{TRADES_PER_BAR}"
MARKET = {
    "seed": 9,
    "minutes": 70,
    "intensity": 20,
    "daily_volatility": 0.1,
    "start": "2024-01-01T22:58:00Z",  # over three hours and midnight: some types count by them
    "faults": {"silence": 0, "burst": 8, "gap": 0, "trade_gap": 0, "duplicate": 0, "clock_step": 0},
}
# The types that stand for the inputs of a type over other features, by the input's name.
STAND_INS = {
    "signal": "ofi",
    "vpin": "vpin",
    "own_return": "log_returns",
    "leader_return": "rate_of_change",
    "rate": "funding_rate",
}
ELSE = "relative_volume"
BLOCK_ROWS = 1 << 17


@dataclass(frozen=True)
class Gallery:
    """The library's types, what each is with its defaults, and its values on the market's bars."""

    types: Mapping[str, FeatureType]
    graphs: Mapping[str, Graph]
    values: Mapping[str, np.ndarray]
    close: np.ndarray
    problems: Mapping[str, QuantflowError]  # type -> why it does not compile


def library_types() -> tuple[dict[str, FeatureType], dict[str, QuantflowError]]:
    """Return the library's feature types by name, and what is wrong with the others' files."""
    problems: list[QuantflowError] = []
    book = TypeBook(None, problems)
    types, wrong = {}, {}
    for name in book.names():
        before = len(problems)
        found = book.get(name)
        if found is None:
            wrong[name] = problems[before]
        else:
            types[name] = found
    return types, wrong


def graph_of(found: FeatureType) -> Graph:
    """Return a type's graph with its defaults, on trades or on bars. Errors: QF1xx, QF233."""
    params = bind_parameters(found, {}, parse_document("{}", found.name), ())
    table = ColumnTable.tick()
    if found.mode == "bar" or found.placeholders:
        table = ColumnTable.bars(CLOCK, ("bars",))
    inputs = {name: Input(name, "float", "any", table.clock) for name in found.placeholders}
    return compile_type(found, params, table, inputs)


def compute(folder: Path) -> Gallery:
    """Return the gallery; `folder` takes the project and its tape, and may go afterwards."""
    types, problems = library_types()
    graphs = {}
    for name, found in types.items():
        try:
            graphs[name] = graph_of(found)
        except QuantflowError as error:
            problems[name] = error
    chosen = {name: types[name] for name in graphs}
    values = _run(_write(folder / NAME, chosen.values()))
    close = values.pop("close")
    return Gallery(types, graphs, values, close, problems)


def _write(folder: Path, types: Iterable[FeatureType]) -> Path:
    """Write a project with one feature per type and return its folder."""
    draft = draft_project(NAME, "blank")
    write_project(folder, draft)
    definitions = folder / ".definitions"
    provider = {"name": "simulated_market", "kind": "simulated", "venue": "binance_usdm", **MARKET}
    _put(definitions / "feed_providers" / "simulated_market.yml", provider)
    chosen: dict[str, object] = {"name": NAME, "mode": "tick_to_bar"}
    for found in types:
        rows = chosen.setdefault(f"{found.dimension}_features", [])
        assert isinstance(rows, list)
        rows.append(
            {
                "name": found.name,
                "type": found.name,
                "inputs": [STAND_INS.get(name, ELSE) for name in found.placeholders],
                "bar_aggregation": "last",
            }
        )
    _put(definitions / "features" / f"{NAME}.yml", chosen)
    _put(
        folder / "quantflow_project.yml",
        {
            "name": NAME,
            "version": "1.0.0",
            "feed_providers": ["simulated_market"],
            "symbols": ["BTCUSDT"],
            "state_engine": {"bars": [{"type": "tick", "count": TRADES_PER_BAR}]},
            "feature_engine": {"features": [{"name": NAME, "type": NAME, "bar": CLOCK}]},
        },
    )
    return folder


def _put(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")


def _run(folder: Path) -> dict[str, np.ndarray]:
    """Return the values of every feature on the bars, and `close`, the bars' last price."""
    project = open_project(folder)
    tape = open_tape(project, project.symbols[0])
    planned = plan_symbol(project, tape.instrument, tape.continuity, {"features"})
    planned.plan.read("close", planned.state.bars[CLOCK]["close"])
    program = Program(planned.plan)
    parts = [program.push(block)[CLOCK] for block in tape.blocks(BLOCK_ROWS)]
    features = project.feature_sets[0].features
    names = {feature.name: f"{NAME}.{feature.name}.value" for feature in features}
    names["close"] = "close"
    return {
        name: np.concatenate([part[read] for part in parts]).astype(np.float64)
        for name, read in names.items()
    }
