"""What a run makes of one symbol, part by part, each with the hash of everything that decides it.

A part is a table's rows of one symbol and, where a table holds many, of one clock, label or
feature. Its key names the columns it is read from, down to the tape (kernels, parameters, wiring),
what becomes of them on the way to the table, and the code that does it. Equal keys over equal input
are equal rows; so what has its key and its input is kept, and only the rest is computed.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path

import qf
from qf.engines.account import kinds_left_out
from qf.engines.symbol_plan import Route, SymbolPlan
from qf.pieces import Names
from qf.plan import Column
from qf.project.model import Project
from qf.schema_records import PART_COLUMNS
from qf.schema_tables import TABLES, Table

# Tables that are stored as the tape has them: group -> (name on the tape, table).
RAW_TABLES = {
    "raw": (("trades", "cdm_trades"), ("lob_incremental", "cdm_lob_incremental")),
    "bbo": (("bbo", "cdm_bbo"),),
    "funding": (("funding", "cdm_funding"),),
    "liquidations": (("liquidations", "cdm_liquidations"),),
    "open_interest": (("open_interest", "cdm_open_interest"),),
}
# These exist whenever a provider carries them: stream of the accounting -> group.
CARRIED = {
    "bbo": "bbo",
    "mark": "funding",
    "liquidation": "liquidations",
    "open_interest": "open_interest",
}
SIDE_TABLES = ("funding", "liquidations", "open_interest")  # files beside the tape's own
FEATURE_GROUPS = ("features", "vectors")
ACCOUNTING = "accounting"

# What lies between the machine and the tables; its text is part of every key.
CODE = (
    "bar_clock.py",
    "engines/collect.py",
    "engines/symbol_plan.py",
    "engines/vector_join.py",
    "machine.py",
    "program.py",
    "schema_records.py",
    "schema_tables.py",
    "store/arrow.py",
    "tape/tables.py",
)
POLARS_CODE = ("engines/polars_run.py", "engines/polars_engine.py", "engines/polars_quality.py")

Reads = Mapping[str, list[tuple[str, Column]]]


@dataclass(frozen=True)
class Part:
    """One part: its table, the texts that are one in all of its rows, its key and its maker."""

    group: str
    maker: str  # machine, polars, tape, or accounting (which has no table)
    key: str
    constants: Mapping[str, str]
    table: Table | None = None
    route: Route | None = None
    source: str = ""  # the table on the tape
    reads: Reads = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Return the part's name within its symbol: table, clock, set, feature, label."""
        named = (self.constants.get(name, "") for name in PART_COLUMNS)
        head = self.table.name if self.table else self.maker
        return "/".join([head, *filter(None, named)])


@cache
def code_hash(names: tuple[str, ...] = CODE) -> str:
    """Return the hash of some files of the package."""
    folder, digest = Path(qf.__path__[0]), hashlib.sha256()
    for name in names:
        digest.update(name.encode() + b"\0" + (folder / name).read_bytes())
    return digest.hexdigest()[:16]


def root_name(project: Project, first_row: int) -> str:
    """Return what the program's root clock is fed: from which row on, without which kinds."""
    left_out = sorted(kinds_left_out(project.sources))
    return f"tape-{first_row}" + "".join(f"-{kind}" for kind in left_out)


def parts_of(
    project: Project,
    planned: SymbolPlan,
    names: Names,
    groups: Iterable[str],
    engine: str,
) -> list[Part]:
    """Return every part of one symbol, in the order in which they are made."""
    where = {"venue": planned.instrument.venue, "symbol": planned.instrument.symbol}
    parts: list[Part] = []
    for group in sorted(groups):
        for source, name in RAW_TABLES.get(group, ()):
            words = [code_hash(), name, names.clocks[0], repr(planned.instrument)]
            parts.append(Part(group, "tape", _hash(words), where, TABLES[name], source=source))
    parts.append(_accounting(planned, names, where))
    for route in planned.routes:
        reads = reads_of(planned, route)
        words = [
            code_hash(),
            [[clock, [[n, names.column(c)] for n, c in found]] for clock, found in reads.items()],
            sorted(route.columns.items()),
            sorted(route.constants.items()),
            [[f.name, f.type] for f in route.table.fields],
            route.period_ns,
        ]
        maker = "machine"
        if engine == "polars" and route.group in FEATURE_GROUPS:
            maker = "polars"
            words += [code_hash(POLARS_CODE), version("polars"), _op_files(planned)]
        constants = {**where, **route.constants}
        parts.append(
            Part(route.group, maker, _hash(words), constants, route.table, route, reads=reads)
        )
    return parts


def reads_of(planned: SymbolPlan, route: Route) -> dict[str, list[tuple[str, Column]]]:
    """Return the columns that a route takes, by clock."""
    clocks = [route.clock, "prints"] if route.group == "enriched" else [route.clock]
    wanted = set(route.columns.values())
    return {
        clock: [(n, c) for n, c in planned.plan.reads.get(clock, ()) if n in wanted]
        for clock in clocks
    }


def joined_reads(
    parts: Iterable[Part], others: Iterable[Reads] = ()
) -> dict[str, list[tuple[str, Column]]]:
    """Return the reads of several parts and of others, each column once."""
    joined: dict[str, dict[str, Column]] = {}
    for reads in (*(part.reads for part in parts), *others):
        for clock, columns in reads.items():
            joined.setdefault(clock, {}).update(columns)
    return {clock: list(columns.items()) for clock, columns in joined.items()}


def _accounting(planned: SymbolPlan, names: Names, where: Mapping[str, str]) -> Part:
    """Return the part that counts frames, directions and bars; it has no table."""
    state = planned.state
    first = next(iter(state.tick.items()))
    reads = {"tick": [first]}
    for clock, columns in state.bars.items():
        reads[clock] = [("bar_id", columns["bar_id"])]
    words = [[clock, names.column(found[0][1])] for clock, found in reads.items()]
    return Part(ACCOUNTING, ACCOUNTING, _hash(words), where, reads=reads)


def _op_files(planned: SymbolPlan) -> str:
    """Return the hash of the files of every op in use: its Polars rule stands there."""
    digest = hashlib.sha256()
    for module in sorted({each.op.module for each in planned.plan.instructions}):
        path = getattr(sys.modules.get(module), "__file__", None)
        digest.update(module.encode() + (Path(path).read_bytes() if path else b""))
    return digest.hexdigest()


def _hash(words: object) -> str:
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()[:20]
