"""Find out what a capture is: its time unit by magnitude, the rest by its first frames."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from qf.clock import UNIT_NS
from qf.errors import QuantflowError
from qf.feeds.venue import find_venue
from qf.project.scaffold import CaptureChoice
from qf.tape.capture import CaptureSource
from qf.tape.instruments import propose, propose_trades
from qf.tape.source import find_files


def choose_capture(pattern: str, venue: str, symbol: str) -> CaptureChoice:
    """Return provider settings and instrument. Errors: QF311-QF317 and an unknown venue."""
    find_venue(venue)
    paths = find_files(pattern, Path())
    unit = time_unit(paths, venue)
    name = re.sub(r"[^a-z0-9]+", "_", symbol.lower()).strip("_") or "feed"
    source = CaptureSource(f"{name}_capture", venue, paths, unit)
    fields = dataclasses.asdict(propose(source, symbol))
    path = str(Path(pattern).expanduser().absolute())
    trades = propose_trades(source, symbol)
    return CaptureChoice(f"{name}_capture", venue, symbol, path, unit, fields, trades)


def time_unit(paths: tuple[Path, ...], venue: str) -> str:
    """Return the one unit that puts the first receive time between 2005 and 2100."""
    refused: QuantflowError | None = None
    for unit in UNIT_NS:
        try:
            next(CaptureSource("capture", venue, paths, unit).arrivals(), None)
        except QuantflowError as error:
            if error.code != "QF314":
                raise
            refused = refused or error
        else:
            return unit
    assert refused is not None
    raise refused
