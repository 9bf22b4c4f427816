"""stdout: every row as a line of JSON to the output that the session was given.

An output keeps nothing, so after a crash the rows of the epoch in hand may be printed twice, byte
by byte the same. Options: tables (default: vectors).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from qf.schema_tables import Table
from qf.sinks.json_lines import lines_of
from qf.sinks.sink import NO_OUTPUT, Job, Outside, chosen


class StdoutSink:
    """Hand rows as lines to an output."""

    TYPE: ClassVar[str] = "stdout"
    OPTIONS: ClassVar[tuple[str, ...]] = ("tables",)
    PROMPT: ClassVar[bool] = True

    def __init__(self, name: str, outside: Outside, options: Mapping[str, Any]) -> None:
        if outside.output is None:
            raise NO_OUTPUT(sink=name)
        self.name, self._output = name, outside.output
        self._only = tuple(options.get("tables") or ("vectors",))
        self._waiting: list[bytes] = []

    def wants(self, table: Table) -> bool:
        """Say whether the sink takes rows of a table."""
        return chosen(table, self._only)

    def write(self, table: Table, columns: Mapping[str, Any], **constants: str) -> None:
        """Take rows, as the store's writer does."""
        self._waiting.append(lines_of(table, columns, constants))

    def flush(self) -> None:
        """Print the lines."""
        lines, self._waiting = b"".join(self._waiting), []
        if lines:
            self._output(lines)

    def show(self) -> list[Job]:
        """Return nothing: lines are out at once."""
        return []

    def roll(self, position: int) -> list[Job]:
        """End the epoch; there is nothing to do."""
        self.flush()
        return []

    def state(self) -> dict[str, Any]:
        """Return nothing: an output has no place to go back to."""
        return {}

    def restore(self, state: Mapping[str, Any], position: int) -> None:
        """Begin."""

    def settle(self) -> None:
        """Do nothing: what is out is out."""
