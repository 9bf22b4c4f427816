"""How many trade sides the quotes recover on the tape of the last run, for `qf check`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from qf.errors import QuantflowError
from qf.project.model import Project
from qf.tape.tape_file import TapeFile


def measure(project: Project) -> list[dict[str, Any]]:
    """Return, per symbol of the last run, the sides known and the share each pairing recovers."""
    found = []
    for symbol, tape in _last_tapes(project):
        from qf.engines.side_recovery import side_recovery

        try:
            counts = side_recovery(project, tape)
        except QuantflowError:
            continue  # a damaged tape: the next run says so
        if any(each.known for each in counts.values()):
            found.append(
                {
                    "symbol": symbol,
                    "in_use": project.enrich.quote_asof,
                    "known": {name: each.known for name, each in counts.items()},
                    "share": {name: round(each.share, 6) for name, each in counts.items()},
                }
            )
    return found


def line(row: dict[str, Any]) -> str:
    """Return one symbol's measurement as a person reads it."""
    used = row["in_use"]
    (other,) = (name for name in row["share"] if name != used)
    return (
        f"{row['symbol']}: of {row['known'][used]:,} trades of known side the quote rule recovers"
        f" {_percent(row['share'][used])} with {used} (in use),"
        f" {_percent(row['share'][other])} with {other}"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _last_tapes(project: Project) -> Iterator[tuple[str, TapeFile]]:
    """Yield the tapes that the last run read, as far as the cache still holds them."""
    from qf.store.read import Reader
    from qf.tape.manifest import code_hash
    from qf.tape.tape_file import open_tape

    if not project.paths.database.exists():
        return
    try:
        runs = Reader(project.paths.database, project.name, project.paths.parquet).frame("qf_runs")
    except QuantflowError:
        return  # the warnings about the tables say why
    keys: dict[str, str] = {}
    for text in runs.sort("created")["input_hashes"]:
        keys |= json.loads(text)
    for symbol in project.symbols:
        folder = project.paths.tape / keys.get(symbol, "")
        if symbol in keys and folder.is_dir():
            try:
                tape = open_tape(folder, cached=True)
            except (OSError, ValueError, KeyError):
                continue  # a damaged tape is made anew by the next run
            if tape.manifest["identity"]["code"] == code_hash():
                yield symbol, tape
