"""Spoil the frames that a project has not seen yet: a run goes on from the last one into garbage.

1. the first frames of a symbol are a capture of one file, and a run makes their tables
2. garbage is the capture's next file, and a run goes on: from the tape, the states and the tables
   that are there
3. every row that was stored by then is still there, to the bit, and no other row of that time
4. the same holds once more when both files are read from nothing: a run that goes on reads the new
   file only, so it cannot show what the reading of the first one knows of the second

In the last step labels and features stay as they are: that those made from nothing do not look
ahead is what the engines machine and polars prove, and they name the op.

It happens in a folder of its own; the project's tables are not touched.
"""

from __future__ import annotations

import dataclasses
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from qf.engines.run import run_project
from qf.errors import Place
from qf.project.model import InstrumentSpec, Paths, Project, ProviderSpec
from qf.proof.frame_garbage import KINDS
from qf.proof.poison_frames import FUTURE_FRAMES, Changed, Given, places_read
from qf.schema_records import RECORDS
from qf.store import catalog
from qf.store.read import Reader
from qf.tape.instruments import Instrument
from qf.tape.source import Arrival

GROWTH = "growth"
TRIES = 20
READ_ANEW = ("ingest", "state")
NEW_FILE = "run after run (engines/, tape/, store/)"
NO_FRAMES = "growth is left out: {symbol} comes from an archive, which does not grow by frames"


def poison_growth(
    project: Project, source: Given, instrument: Instrument, seed: int
) -> tuple[list[Changed], int]:
    """Return what runs into garbage changed of the stored rows, and how many they compared.

    The place where the capture is cut comes from `seed`. Errors: those of a run.
    """
    rng = np.random.default_rng([seed, 3])
    drawn = rng.integers(len(source.items) // 2, len(source.items), TRIES).tolist()
    read = places_read(source, instrument, drawn)
    # A frame that the reader holds back belongs to the next file, so the cut is behind another.
    place = next((count for count in drawn if count in read and read[count][2]), 0)
    if place == 0:
        return [], 0
    kind = list(KINDS)[seed % len(KINDS)]
    past, time = source.items[:place], max(item[0] for item in source.items[:place])
    garbage = [
        (max(item[0], time + 1), *item[1:])
        for item in KINDS[kind](source.items[place : place + FUTURE_FRAMES], rng)
    ]
    with tempfile.TemporaryDirectory(prefix="qf_poison_") as folder:
        grown = _project_of(project, source, instrument, Path(folder))
        _write(Path(folder) / "frames_1", past)
        run_project(grown)
        before = _stored(grown, time)
        _write(Path(folder) / "frames_2", garbage)
        run_project(grown)
        gone_on = _stored(grown, time)
        run_project(grown, stages=READ_ANEW, force=True)
        anew = _stored(grown, time)
    changed, at = [], (time, read[place][0] - 1, kind)
    for after in (gone_on, anew):
        for table, rows in before.items():
            changed += _differences(table, rows, after.get(table), at)
    return changed, 2 * sum(map(len, before.values()))


def holds_frames(source: Given) -> bool:
    """Say whether a source is one of frames, which a capture can hold."""
    return all(isinstance(item[1], bytes) for item in source.items) and len(source.items) > 1


def _project_of(project: Project, source: Given, instrument: Instrument, folder: Path) -> Project:
    """Return the project over the capture in `folder`, with nothing stored yet."""
    place = Place("poison", 1)
    path = str(folder / "frames_*")
    settings = {
        "name": "poison",
        "kind": "capture",
        "venue": source.venue,
        "path": path,
        "time_unit": "ns",
    }
    if source.trades is not None:
        settings["trades"] = source.trades
    capture = ProviderSpec(
        "poison", "capture", source.venue, (), (), path, "ns", source.ordering, source.trades,
        "refuse", {}, settings, place, place,
    )  # fmt: skip
    return replace(
        project,
        symbols=(instrument.symbol,),
        providers=(capture,),
        instruments=(InstrumentSpec(place=place, **dataclasses.asdict(instrument)),),
        paths=Paths(
            folder,
            folder / "db" / "poison.duckdb",
            folder / "parquet",
            folder / "tape",
            folder / "state",
            folder / "lock",
        ),
    )


def _write(path: Path, items: list[Arrival] | tuple[Arrival, ...]) -> None:
    lines = [b"%d %s\n" % (item[0], item[1]) for item in items]
    path.write_bytes(b"".join(lines))


def _stored(project: Project, time: int) -> dict[str, Any]:
    """Return the rows of every table that say they were known by then."""
    reader = Reader(project.paths.database, project.name, project.paths.parquet)
    with reader.held():
        tables = [name for name in reader.tables() if name not in RECORDS and catalog.made_of(name)]
        return {name: reader.frame(name, span=(None, time + 1)) for name in tables}


def _differences(table: str, before: Any, after: Any, at: tuple[int, int, str]) -> list[Changed]:
    time, seq, kind = at
    if after is None or len(before) != len(after):
        counts = len(before), None if after is None else len(after)
        return [Changed(table, "rows", "all rows", time, time, seq, kind, *counts, 1)]
    found = []
    for name in before.columns:
        wrong = before[name].ne_missing(after[name])
        if wrong.any():
            row = wrong.arg_max() or 0
            key = [each for each in catalog.key_of(table) if each in before.columns]
            told = ", ".join(f"{each} {before[each][row]}" for each in key)
            shows = before[name][row], after[name][row], int(wrong.sum())
            found.append(Changed(table, name, told, time, time, seq, kind, *shows))
    return found
