"""What the laws are tried on: every op, with several legal parameter sets, on every market."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qf.errors import QuantflowError
from qf.op import Op, family
from qf.schema import NULL_INT
from qf.signature import Parameter
from qf.testing.market import columns as market_columns

ROWS = 230
TIME_GRID_NS = 50_000_000
ROW_COLUMN = "_row"  # what an op without inputs is fed, so that there are rows
SMALL = 24  # the largest window tried: several windows fit in a table, so re-anchoring is seen

# Which columns of the market stand in for generic float inputs, in order.
_ROLES = {
    "free": ("x", "y", "z"),
    "price": ("mid", "weighted_mid", "spread"),
    "flow": ("size", "ofi_0", "buy_volume"),
    "almost": ("x", "y", "z"),  # equal but for what two ways to compute them would differ by
}
_MARKETS = (
    ("calm", "price"),
    ("calm", "free"),
    ("jumps", "price"),
    ("jumps", "flow"),
    ("nulls", "free"),
    ("nulls", "price"),
    ("ties", "free"),
    ("ties", "price"),
    ("one_sided", "flow"),
    ("empty_side", "price"),
    ("duplicates", "free"),
    ("ties", "almost"),
)


@dataclass(frozen=True)
class Case:
    """One op with bound parameters on one market: `columns` by input name."""

    op: Op
    parameters: tuple[tuple[str, Any], ...]
    market: str
    role: str
    seed: int = 0

    @property
    def bound(self) -> dict[str, Any]:
        """Return the bound parameters by name."""
        return dict(self.parameters)

    @property
    def where(self) -> str:
        """Return how a message names this case."""
        chosen = ", ".join(f"{name}={value}" for name, value in self.parameters)
        return f"{chosen or 'no parameters'}; {self.market} market, {self.role} columns"

    def columns(self, rows: int = ROWS) -> dict[str, NDArray[Any]]:
        """Return the input columns."""
        return draw_columns(self.op, self.market, self.role, self.seed, rows)


def map_ops(*families: str) -> list[Op]:
    """Return every op of the families whose rows map to the same rows."""
    return [op for name in families for op in family(name) if op.shape == "map"]


def has_kernel(op: Op) -> bool:
    """Say whether the op has its own loops (else it is a formula or a rewrite)."""
    return "kernel" in op.rules


def cases_of(op: Op, seed: int = 0) -> Iterator[Case]:
    """Yield the cases: the first parameter set on every market, the others on three in turn."""
    sets = parameter_sets(op)
    for place, bound in enumerate(sets):
        chosen = _MARKETS if place == 0 else [_MARKETS[(place * 3 + k * 4) % 12] for k in range(3)]
        for market, role in chosen:
            yield Case(op, tuple(bound.items()), market, role, seed)


def parameter_sets(op: Op) -> list[dict[str, Any]]:
    """Return legal parameter sets: the example's, every low edge, every choice, and others."""
    parameters = op.signature.parameters
    if not parameters:
        return [{}]
    ladders = [_ladder(parameter) for parameter in parameters]
    sets = [_example_parameters(op)] if op.example else []
    for step in range(max(map(len, ladders))):
        names = (parameter.name for parameter in parameters)
        values = (ladder[step % len(ladder)] for ladder in ladders)
        sets.append(dict(zip(names, values, strict=True)))
    kept: list[dict[str, Any]] = []
    for given in sets:
        try:
            bound = op.bind(**given)
            op.amount("warmup", bound)
        except (QuantflowError, KeyError):
            continue
        if bound not in kept:
            kept.append(bound)
    return kept


def _ladder(parameter: Parameter) -> list[Any]:
    """Return values of one parameter worth trying, the ordinary one first."""
    if parameter.kind == "choice":
        return list(parameter.choices)
    low, high = parameter.low, parameter.high
    if parameter.kind == "duration":
        wanted = [2_000_000_000, 50_000_000, 20_000_000_000, int(low)]
    elif parameter.kind == "int":
        wanted = [7, SMALL, int(low), int(low) + 1]
    else:
        wanted = [0.9, 0.25, low if low > -1e9 else -1.0, high if high < 1e9 else 2.5]
    ladder: list[Any] = [value for value in wanted if low <= value <= high] or [low]
    if parameter.default is not None:
        ladder.insert(0, parameter.default)
    return ladder


def _example_parameters(op: Op) -> dict[str, Any]:
    """Return the parameters written in the op's example, windows cut to the table's size."""
    inside = re.fullmatch(r"[a-z_0-9.]+\((.*)\)", op.example.strip(), re.DOTALL)
    if inside is None:
        return {}
    texts = [piece.strip() for piece in inside[1].split(",")]
    shown = sum(one.kind != "time" for one in op.signature.inputs)
    given: dict[str, Any] = {}
    for parameter, text in zip(op.signature.parameters, texts[shown:], strict=False):
        name, _, value = text.rpartition("=")
        word = value.strip().strip("\"'")
        target = name.strip() or parameter.name
        kinds = {one.name: one.kind for one in op.signature.parameters}
        if kinds.get(target) == "int":
            given[target] = min(int(word), SMALL)
        elif kinds.get(target) == "float":
            given[target] = float(word)
        else:
            given[target] = word
    return given


@functools.lru_cache(maxsize=256)
def _market(market: str, seed: int, rows: int) -> dict[str, NDArray[Any]]:
    return market_columns(market, seed, rows)


def draw_columns(op: Op, market: str, role: str, seed: int, rows: int) -> dict[str, NDArray[Any]]:
    """Return one column per input of the op: by the input's name, kind and place."""
    table = _market(market, seed, rows)
    drawn: dict[str, NDArray[Any]] = {}
    if not op.signature.inputs:
        drawn[ROW_COLUMN] = np.arange(rows, dtype=np.int64)
    place = 0
    for one in op.signature.inputs:
        if one.kind == "time":
            # on a grid that windows are multiples of, so that rows stand on the edge of a window
            drawn[one.name] = table["processed_time"] // TIME_GRID_NS * TIME_GRID_NS
        elif one.kind == "int":
            drawn[one.name] = _integers(one.name, table, market, seed, rows)
        elif one.name.startswith("condition"):
            drawn[one.name] = _condition(table[_ROLES["free"][place % 3]], market, seed + place)
            place += 1
        elif one.name in table and one.name not in ("x", "y", "z"):
            drawn[one.name] = table[one.name]
        else:
            drawn[one.name] = table[_ROLES[role][place % 3]]
            if role == "almost":
                noise = np.random.default_rng([seed, place]).integers(-9, 10, rows)
                drawn[one.name] = (drawn[one.name] + 3.0) * (1.0 + 1e-13 * noise)
            place += 1
    return drawn


def _condition(values: NDArray[Any], market: str, seed: int) -> NDArray[Any]:
    draw = np.random.default_rng([seed, 77])
    truth = (draw.random(len(values)) < 0.4).astype(np.float64)
    if market == "nulls":
        truth[np.isnan(values)] = np.nan
    return truth


def _integers(
    name: str, table: dict[str, NDArray[Any]], market: str, seed: int, rows: int
) -> NDArray[Any]:
    if name in table and table[name].dtype == np.int64:
        return table[name]
    draw = np.random.default_rng([seed, len(name)])
    if name == "age":  # ns since a row became known: 0 when it is new, then growing
        values = draw.integers(0, 8_000_000_000, rows)
        values[draw.random(rows) < 0.3] = 0
    elif name == "bits":
        values = np.where(draw.random(rows) < 0.1, 1 << draw.integers(0, 15, rows), 0)
    else:
        values = table["direction"].copy()
    if market == "nulls" and name != "bits":
        values[draw.random(rows) < 0.1] = NULL_INT
    return values.astype(np.int64)
