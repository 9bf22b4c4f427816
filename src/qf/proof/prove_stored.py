"""Hold what a project has stored against what its definitions make of its tape now.

Equal hashes need no further word. Where they differ, the run's own books say whether they should
be equal: they should where a run would keep the rows, because the same definitions, code and input
have made them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qf.engines.cross_plan import plan_cross
from qf.engines.cross_stage import key_of, part_id
from qf.engines.ledger import Ledger
from qf.engines.parts import parts_of, root_name
from qf.engines.symbol_run import SymbolRun
from qf.errors import QuantflowError
from qf.pieces import Names
from qf.proof.prove_path import Subject
from qf.store.catalog import PROGRESS
from qf.store.connect import quoted
from qf.store.read import Reader

EQUAL, DIFFERENT = "equal", "different"
WHY = {  # what a run says of a part that it would make: in words
    "new": "no run has made all of it as it is defined now",
    "definition": "other definitions or code made it",
    "input": "it was made of other input",
    "rows": "no run has made all of its rows",
    "polars": "the Polars engine made it, within tolerances",
}


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
    symbols = [each.planned.instrument.symbol for each in subjects]
    try:
        with reader.held():
            known = reader.tables()
            found = {
                name: reader.hash(name, {"symbol": symbols}, subjects[0].span)
                for name in hashes
                if name in known
            }
        excuses: dict[str, str] | None = None
        compared = []
        for name, mine in hashes.items():
            verdict = EQUAL if found.get(name) == mine else DIFFERENT
            if verdict == DIFFERENT and name in found:
                excuses = _excuses(reader, subjects) if excuses is None else excuses
                verdict = f"not compared: {excuses[name]}" if name in excuses else DIFFERENT
            compared.append(
                Stored(name, verdict if name in found else "not stored", found.get(name, ""))
            )
        return compared
    except QuantflowError as error:
        why = "not stored" if error.code == "QF601" else f"not compared: {error.sentence}"
        return [Stored(name, why) for name in hashes]


def _excuses(reader: Reader, subjects: Sequence[Subject]) -> dict[str, str]:
    """Return, by table, why stored rows need not be equal: a run would make them anew."""
    ledgers = _ledgers(reader)
    excuses: dict[str, str] = {}
    for each in subjects:
        project, instrument = each.project, each.planned.instrument
        ledger = Ledger.read(ledgers.get((instrument.venue, instrument.symbol)))
        run = SymbolRun(project, each.tape, each.planned, ledger, each.span)
        run.root = root_name(project, run.first)
        engine = project.engine.historical_feature
        names = Names(each.planned.plan, run.root)
        parts = parts_of(project, each.planned, names, project.tables, engine)
        run.decide(parts, force=False)
        why = [(part.table, "polars") for part in parts if part.maker == "polars"]
        why += [(need.part.table, need.why) for need in run.needs]
        for table, reason in why:
            if table is not None:
                excuses.setdefault(table.name, WHY.get(reason, reason))
    return excuses | _of_cross_sets(subjects, ledgers, excuses)


def _of_cross_sets(
    subjects: Sequence[Subject],
    ledgers: Mapping[tuple[str, str], Any],
    excuses: Mapping[str, str],
) -> dict[str, str]:
    """Return why stored vectors of cross sets need not be equal: as the features they read."""
    found: dict[str, str] = {}
    for each in subjects[0].project.cross_sets:
        if "features" in excuses:
            found[each.table] = excuses["features"]
        for subject in subjects:
            instrument = subject.planned.instrument
            if instrument.symbol in each.symbols:
                planned = plan_cross(each, instrument.symbol)
                ledger = Ledger.read(ledgers.get((instrument.venue, instrument.symbol)))
                entry = ledger.parts.get(part_id(planned))
                why = "new" if entry is None else "definition"
                if entry is None or entry.key != key_of(planned):
                    found.setdefault(each.table, WHY[why])
    return found


def _ledgers(reader: Reader) -> dict[tuple[str, str], dict[str, object]]:
    """Return what the runs have written down of each (venue, symbol)."""
    try:
        place = quoted(f"{reader.project}_cdm", PROGRESS)
        rows = reader.sql(f"SELECT venue, symbol, ledger FROM {place}")
    except QuantflowError as error:
        if error.code == "QF604":  # no run has written any
            return {}
        raise
    return {(venue, symbol): json.loads(told) for venue, symbol, told in rows.rows()}
