"""What is stored and no definition makes any more: dropped, or said to be left as it was.

Rows of a feature, a label, a clock or a set that is gone from the project are removed; what was
empty then is no table any more. Tables that the project has not chosen any more, and symbols it
does not name, stay as they are: a run says so, each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qf.engines.ledger import Covered, Ledger
from qf.project.model import Project
from qf.schema_records import PART_COLUMNS, RECORDS
from qf.store.change import Change

OF_GROUP = {
    "cdm_trade_enriched": "enriched",
    "cdm_lob_l2": "l2",
    "cdm_footprints": "footprints",
    "cdm_labels": "labels",
    "features": "features",
    "cdm_trades": "raw",
    "cdm_lob_incremental": "raw",
    "cdm_bbo": "bbo",
    "cdm_funding": "funding",
    "cdm_liquidations": "liquidations",
    "cdm_open_interest": "open_interest",
}

Ledgers = Mapping[tuple[str, str], Ledger]


def drop_stale(
    project: Project, change: Change, ledgers: Ledgers, groups: Iterable[str]
) -> list[str]:
    """Remove the rows of what is gone from the project; return what a user must know."""
    gone: dict[str, int] = {}
    notes, left = [], set[str]()
    for (venue, symbol), ledger in ledgers.items():
        if symbol not in project.symbols:
            notes.append(f"{symbol} is not in the project any more: its rows stay as they were")
            continue
        removed = False
        for name, entry in list(ledger.parts.items()):
            if not entry.table:
                continue
            what = gone_from(project, entry)
            if what:
                rows = change.remove(entry.table, [entry.constants])
                gone[what] = gone.get(what, 0) + rows
                del ledger.parts[name]
                told = ledger.wrote.get(entry.table)
                if told is not None:
                    run = {"run": change.run.run_id, "before": "", "whole": False}
                    ledger.wrote[entry.table] = run
                removed = True
            elif group_of(entry.table) not in groups:
                left.add(entry.table)
        if removed:
            change.keep(venue, symbol, ledger.row())
    notes += [
        f"{what} is gone from the project: its {rows:,} rows were removed"
        for what, rows in gone.items()
    ]
    notes += [
        f"{table} is not among the project's tables any more: its rows stay as they were"
        for table in sorted(left)
    ]
    return notes + _foreign(change, ledgers)


def forget_anew(change: Change, ledgers: Ledgers) -> None:
    """Let no ledger answer for rows of a table that was made anew in this transaction."""
    for (venue, symbol), ledger in ledgers.items():
        lost = [name for name, entry in ledger.parts.items() if entry.table in change.anew]
        for name in lost:
            del ledger.parts[name]
        for table in change.anew & ledger.wrote.keys():
            del ledger.wrote[table]
        if lost:
            change.keep(venue, symbol, ledger.row())


def gone_from(project: Project, entry: Covered) -> str:
    """Return what a part was of, in words, if the project has it no more; else ""."""
    clock, set_name, feature, label = (entry.constants.get(name, "") for name in PART_COLUMNS)
    clocks = {spec.clock for spec in project.bars}
    sets = {found.name: found for found in project.feature_sets}
    if label:
        known = [spec for spec in project.labels if spec.name == label and clock in spec.clocks]
        return "" if known else f"the label {label} on {clock}"
    if set_name:
        names = (
            [f.name for f in sets[set_name].features if f.bar == clock] if set_name in sets else []
        )
        return "" if feature in names else f"the feature {feature} of {set_name} on {clock}"
    if entry.table.startswith("feature_vectors_"):
        name = entry.table.removeprefix("feature_vectors_")
        found = sets.get(name)
        known = found is not None and found.bar == clock
        known = known or any(
            (each.name, each.bar) == (name, clock) and entry.constants["symbol"] in each.symbols
            for each in project.cross_sets
        )
        return "" if known else f"{entry.table} on {clock}"
    if clock and clock not in clocks:
        return f"the bar clock {clock}"
    return ""


def group_of(table: str) -> str:
    """Return the word under `tables:` that asks for a table."""
    if table.startswith("feature_vectors_"):
        return "vectors"
    return OF_GROUP.get(table, "bars")


def _foreign(change: Change, ledgers: Ledgers) -> list[str]:
    """Say which tables no ledger answers for: made by hand, or before ledgers were kept."""
    known = {entry.table for ledger in ledgers.values() for entry in ledger.parts.values()}
    known |= {"instruments", *RECORDS}
    return [
        f"{name} holds {rows:,} rows that no run of this project has recorded"
        for name, rows in change.totals().items()
        if ledgers and rows and name not in known
    ]
