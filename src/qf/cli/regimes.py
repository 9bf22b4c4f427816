"""qf regimes: the regime tables, and what single instruments have of their own."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from qf.cli._options import is_project, json_option, project_option
from qf.errors import diagnostic

NO_TABLE = diagnostic("QF713", "there is no regime table {name!r}", hint="all of them: qf regimes")


@click.command(short_help="List the regime tables, or show one.")
@click.argument("name", required=False)
@project_option
@json_option
def command(name: str | None, folder: Path, as_json: bool) -> None:
    """List every regime table, or show the states of NAME.

    In a project's folder its own tables and the edges of its instruments are shown too.
    """
    from qf.cli._terminal import say, say_json, table
    from qf.errors import QuantflowError, nearest
    from qf.project.regime_files import read_regimes

    problems: list[QuantflowError] = []
    home = folder.expanduser().resolve() if is_project(folder) else None
    found, _ = read_regimes(home, problems)
    if problems:
        raise problems[0]
    if name is not None and name not in found:
        raise NO_TABLE(name=name, near=nearest(name, found))
    chosen = [each for _, each in sorted(found.items()) if name in (None, each.name)]
    if as_json:
        say_json([_row(each) for each in chosen])
    elif name is None:
        rows = [
            (each.name, each.of, ", ".join(state.name for state in each.states)) for each in chosen
        ]
        say(table(rows, ("table", "of", "states")))
    else:
        say(_page(chosen[0]))


def _row(found: Any) -> dict[str, Any]:
    """Return a table for a script; an open edge is null."""
    return {
        "name": found.name,
        "description": found.description,
        "of": found.of,
        "unit": found.unit,
        "factor_means": found.factor_means,
        "source": found.source,
        "file": found.file,
        "states": [_state(code, state) for code, state in enumerate(found.states)],
        "instruments": [
            {
                "venue": row.venue or None,
                "symbol": row.symbol,
                "states": [_state(code, s) for code, s in enumerate(found.states_of(row))],
            }
            for row in found.instruments
        ],
    }


def _state(code: int, state: Any) -> dict[str, Any]:
    return {
        "code": code,
        "state": state.name,
        "lower": state.lower if math.isfinite(state.lower) else None,
        "upper": state.upper if math.isfinite(state.upper) else None,
        "factor": state.factor,
        "safe_to_trade": state.safe_to_trade,
        "meaning": state.meaning,
    }


def _page(found: Any) -> str:
    unit = "" if found.unit in ("", "1") else f" ({found.unit})"
    lines = [f"regime table {found.name}", "", found.description, ""]
    lines += [f"of       {found.of}{unit}", f"factor   {found.factor_means}"]
    lines += [f"source   {found.source}", f"file     {found.file}", "", _states(found.states)]
    for row in found.instruments:
        where = f"{row.symbol} of {row.venue}" if row.venue else row.symbol
        lines += ["", where, _states(found.states_of(row))]
    return "\n".join(lines)


def _states(states: Any) -> str:
    from qf.cli._terminal import table

    head = ("  code", "state", "from", "below", "factor", "trade", "meaning")
    rows = []
    for code, state in enumerate(states):
        edges = [f"{e:,.15g}" if math.isfinite(e) else "" for e in (state.lower, state.upper)]
        safe = "yes" if state.safe_to_trade else "no"
        rows.append((f"  {code}", state.name, *edges, f"{state.factor:g}", safe, state.meaning))
    return table(rows, head)
