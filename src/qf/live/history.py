"""What a first session begins from: the end of the history that a batch run has computed.

Only the first one: later sessions go on from their own checkpoint. A history that cannot be joined
is said, and the session begins without it, its rows marked as warming up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qf.engines.cross_warm import cross_state
from qf.engines.sources import providers_of
from qf.engines.warm_start import NOT_CLEAN, warm_start
from qf.errors import QuantflowError
from qf.live.checkpoint import FOLDER
from qf.live.cross_line import CROSS
from qf.project.model import Project
from qf.seams import Disk


def history(
    project: Project, symbols: Sequence[str], disk: Disk
) -> tuple[dict[str, Mapping[str, Any]], list[str]]:
    """Return the states to begin from, by symbol, and sentences about them. Errors: QF3xx, QF5xx.

    The state of the cross sets is among them, under a name of its own (cross_line.py).
    Empty where there is a checkpoint, where nothing was run, or where no provider has a past.
    """
    states: dict[str, Mapping[str, Any]] = {}
    notes: list[str] = []
    if disk.names(FOLDER) or not project.paths.database.is_file():
        return states, notes
    for symbol in symbols:
        if all(provider.kind == "websocket" for provider in providers_of(project, symbol)):
            continue
        try:
            found = warm_start(project, symbol)
        except QuantflowError as error:
            if error.code != NOT_CLEAN.code:
                raise
            notes.append(error.sentence)
            continue
        states[symbol] = found.state()
        notes.append(f"{symbol} goes on from the end of its history, {found.rows:,} rows")
    if project.cross_sets and states:
        states[CROSS] = cross_state(project, symbols, states.keys())
    return states, notes
