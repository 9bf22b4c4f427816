"""Hold what a project has stored against what its definitions make of its tape now.

Equal hashes need no further word. Where they differ, the record of the runs says whether they
should be equal: only if runs of the same definitions, code and input wrote every row of the range.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qf.errors import QuantflowError
from qf.proof.prove_path import Subject
from qf.schema import NULL_INT
from qf.store.duck import FIRST_NS, LAST_NS
from qf.store.read import Reader

EQUAL, DIFFERENT = "equal", "different"
POLARS_MAKES = ("features", "feature_vectors_")


@dataclass(frozen=True)
class Stored:
    """How one stored table compares: equal, different, or why there is nothing to compare."""

    table: str
    verdict: str
    hash: str = ""


def compare_stored(subjects: Sequence[Subject], hashes: Mapping[str, str]) -> list[Stored]:
    """Return, for every table of the proof, how the stored rows of the range compare."""
    project = subjects[0].project
    reader = Reader(project.paths.database, project.name, project.paths.parquet)
    try:
        known = reader.tables()
        runs = _runs(reader) if "qf_runs" in known else []
        return [
            _compare(reader, runs, subjects, name, mine)
            if name in known
            else Stored(name, "not stored")
            for name, mine in hashes.items()
        ]
    except QuantflowError as error:
        why = "not stored" if error.code == "QF601" else f"not compared: {error.sentence}"
        return [Stored(name, why) for name in hashes]


def _runs(reader: Reader) -> list[dict[str, Any]]:
    """Return the record of the runs, newest first, times in ns (None: open)."""
    frame = reader.frame("qf_runs")
    columns = {name: frame[name].to_physical().to_list() for name in frame.columns}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return sorted(rows, key=lambda row: row["created"], reverse=True)


def _compare(
    reader: Reader,
    runs: list[dict[str, Any]],
    subjects: Sequence[Subject],
    table: str,
    mine: str,
) -> Stored:
    symbols = [each.planned.instrument.symbol for each in subjects]
    found = reader.hash(table, {"symbol": symbols}, subjects[0].span)
    if found == mine:
        return Stored(table, EQUAL, found)
    for each in subjects:
        why = _excuse(each, [run for run in runs if run["table_name"] == table], table)
        if why:
            return Stored(table, f"not compared: {why}", found)
    return Stored(table, DIFFERENT, found)


def _excuse(subject: Subject, runs: list[dict[str, Any]], table: str) -> str:
    """Return why stored rows of a table need not be equal, "" where they must be.

    The rows of an instant are those of the newest run whose range held it.
    """
    project, tape = subject.project, subject.tape
    if project.engine.historical_feature == "polars" and table.startswith(POLARS_MAKES):
        return "the Polars engine made it, within tolerances"
    symbol = subject.planned.instrument.symbol
    own = [run for run in runs if run["symbol"] == symbol]
    start = FIRST_NS if subject.span[0] is None else subject.span[0]
    end = LAST_NS if subject.span[1] is None else subject.span[1]
    open_parts = [(max(tape.first_time, start), min(tape.last_time + 1, end))]
    for run in own:
        low, high = run["start_time"], run["end_time"]
        low, high = NULL_INT if low is None else low, LAST_NS if high is None else high
        left = []
        for first, last in open_parts:
            if high <= first or last <= low:
                left.append((first, last))
                continue
            why = _other(subject, run)
            if why:
                return why
            left += [(a, b) for a, b in ((first, low), (high, last)) if a < b]
        open_parts = left
    return "no run has covered the whole range" if open_parts else ""


def _other(subject: Subject, run: Mapping[str, Any]) -> str:
    """Return what a run had that the project has not any more."""
    symbol = subject.planned.instrument.symbol
    if run["definitions_hash"] != subject.project.definitions_hash:
        return "other definitions made it; qf run makes it anew"
    if json.loads(run["input_hashes"]).get(symbol) != subject.tape.key:
        return "it was made of other input; qf run makes it anew"
    if subject.planned.plan.hash() not in run["plan_hash"].split(","):
        return "another program made it; qf run makes it anew"
    return ""
