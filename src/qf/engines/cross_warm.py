"""Where the last batch run left the cross sets, as the state that a live session begins from.

The rows of `features` that are stored, or made once more, go through the stage; their vectors are
there already and are let go.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from qf.engines.cross import Cross
from qf.engines.cross_inputs import FEATURES, Span, inputs_of
from qf.engines.cross_rows import KINDS
from qf.engines.ledger import Ledger
from qf.engines.sources import open_tape
from qf.project.model import Project
from qf.store.duck import Store
from qf.store.read import Reader


def cross_state(
    project: Project, symbols: Collection[str], past: Collection[str]
) -> dict[str, Any]:
    """Return the state of the cross sets of a session's symbols behind the history of `past`.

    Errors: QF3xx, QF500-QF503, QF60x.
    """
    cross = Cross(project, symbols=symbols)
    with Store(project.paths.database, project.name) as store:
        ledgers = {key: Ledger.read(told) for key, told in store.ledgers().items()}
    reader = Reader(project.paths.database, project.name, project.paths.parquet)

    def fetch(constants: Mapping[str, str], span: Span) -> dict[str, np.ndarray]:
        frame = reader.frame(FEATURES, list(KINDS), constants, span).sort("bar_id")
        made = {name: frame[name].to_physical().to_numpy() for name in KINDS}
        return made | {"value": frame["value"].fill_null(float("nan")).to_numpy()}

    ends = []
    for symbol in sorted(cross.symbols & frozenset(past)):
        tape = open_tape(project, symbol)
        ends.append(tape.last_time)
        inputs = cross.inputs_of(symbol)
        ledger = ledgers.get((tape.instrument.venue, symbol), Ledger())
        by_machine = project.engine.historical_feature == "machine"
        there = (ledger, fetch) if by_machine else None
        source = inputs_of(project, tape, inputs, None, there, lambda *told: None)
        for each in inputs:
            cross.take(source.rows(each, None), **each.constants)
    for _ in cross.settle():
        pass
    cross.forget_before(min(ends))
    return cross.state()
