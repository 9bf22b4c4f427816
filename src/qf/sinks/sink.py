"""What a sink is, and the kinds there are: every module of this folder that names its TYPE.

Rows reach a sink only when every frame they were made of is durable in the journal. The journal is
cut into epochs, whose ends are decided by the frames alone. At the end of an epoch a sink hands out
what must be done until its rows are durable; the checkpoint waits for that. After a crash the rows
of the epoch in hand come again, the same rows in the same order, and a sink makes the same bytes.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Protocol

import qf.sinks
from qf.errors import diagnostic, nearest
from qf.schema_tables import Table
from qf.seams import Disk

UNKNOWN_SINK = diagnostic(
    "QF640", "there is no sink of type {name!r}", hint="the types are: {known}"
)
UNKNOWN_OPTION = diagnostic(
    "QF641", "the sink {sink!r} has no option {name!r}", hint="it has: {known}"
)
NO_OUTPUT = diagnostic("QF642", "the sink {sink!r} writes to an output, and there is none here")

Job = Callable[[], None]


class Lost(Exception):
    """What was written may be gone and cannot be written again: only a new start makes it anew."""


@dataclass(frozen=True)
class Outside:
    """What a sink may touch: the disk, the project's name, and an output for lines."""

    disk: Disk
    project: str
    output: Callable[[bytes], None] | None = None


class Sink(Protocol):
    """One sink of a session. Errors of the disk pass through as OSError."""

    TYPE: ClassVar[str]
    OPTIONS: ClassVar[tuple[str, ...]]
    PROMPT: ClassVar[bool]  # takes rows as they are made; else once an epoch
    name: str

    def __init__(self, name: str, outside: Outside, options: Mapping[str, Any]) -> None: ...

    def wants(self, table: Table) -> bool:
        """Say whether the sink takes rows of a table."""
        ...

    def write(self, table: Table, columns: Mapping[str, Any], **constants: str) -> None:
        """Take rows, as the store's writer does."""
        ...

    def flush(self) -> None:
        """Hand what was taken to the outside, where rows are prompt."""
        ...

    def show(self) -> list[Job]:
        """Return what lets readers see the rows of the epoch in hand; nothing depends on it.

        A job that was not done when the epoch ends is left out.
        """
        ...

    def roll(self, position: int) -> list[Job]:
        """End the epoch; the next begins at a position. When all jobs are done it is durable."""
        ...

    def state(self) -> dict[str, Any]:
        """Return where the sink stood at the end of the last epoch, as JSON values.

        Asked when that epoch's jobs are done.
        """
        ...

    def restore(self, state: Mapping[str, Any], position: int) -> None:
        """Go on where `state` was taken; what was written after it comes again."""
        ...

    def settle(self) -> None:
        """Remove what a crash left behind the last row; called when all rows came again."""
        ...


@cache
def sink_types() -> dict[str, type[Sink]]:
    """Return every kind of sink by the name that a project calls it."""
    found: dict[str, type[Sink]] = {}
    for info in pkgutil.iter_modules(qf.sinks.__path__):
        module = importlib.import_module(f"qf.sinks.{info.name}")
        for each in vars(module).values():
            if (
                isinstance(each, type)
                and getattr(each, "TYPE", "")
                and each.__module__.endswith(info.name)
            ):
                found[each.TYPE] = each
    return found


def open_sink(name: str, kind: str, outside: Outside, options: Mapping[str, Any]) -> Sink:
    """Return a sink. Errors: QF640-QF642."""
    known = sink_types()
    if kind not in known:
        raise UNKNOWN_SINK(name=kind, known=", ".join(sorted(known)), near=nearest(kind, known))
    for option in options:
        if option not in known[kind].OPTIONS:
            allowed = known[kind].OPTIONS
            near = nearest(option, allowed)
            raise UNKNOWN_OPTION(sink=name, name=option, known=", ".join(allowed), near=near)
    return known[kind](name, outside, options)


def chosen(table: Table, wanted: Sequence[str]) -> bool:
    """Say whether a table is among names like features, labels, vectors, bars or a table's own."""
    words = {table.name, table.name.removeprefix("cdm_")}
    if table.name.startswith("feature_vectors_"):
        words.add("vectors")
    if table.name.endswith("_bars"):
        words.add("bars")
    if table.name == "cdm_trade_enriched":
        words.add("enriched")
    if table.name == "cdm_lob_l2":
        words.add("l2")
    return not words.isdisjoint(wanted)
