"""What the sinks left on the disk, held against the batch run over the journal.

lines     a file per table, symbol, clock …: together they are the batch's lines, byte by byte
parquet   the files that the list names: every row of the batch once, and none other
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby

from qf.simulator.disk import Platter
from qf.simulator.emissions import Lines
from qf.sinks import jsonl, parquet
from qf.sinks.json_lines import lines_of_batch
from qf.store.live_files import read_rows

PLACE_DIGITS = 16


def unlisted(platter: Platter, project: str) -> str:
    """Return a file that the list of tables names and that is not there, "" for none."""
    for paths in _listed(platter, project).values():
        for path in paths:
            if path not in platter.files:
                return f"the list names {path}, which is not there"
    return ""


def kept_differences(platter: Platter, project: str, sink: str, rows: Lines) -> list[str]:
    """Return what is wrong with the files of a sink, in sentences."""
    if sink == "jsonl":
        return lines_differences(platter, rows.by_file)
    if sink == "parquet":
        return parquet_differences(platter, project, rows)
    return []


def lines_differences(platter: Platter, wanted: Mapping[str, Sequence[bytes]]) -> list[str]:
    """Return what is wrong with the files of lines; `wanted` are the batch's lines by file."""
    head = f"{jsonl.FOLDER}/"
    paths = sorted(path for path in platter.files if path.startswith(head))
    kept = {
        stem: b"".join(bytes(platter.files[path].data) for path in group)
        for stem, group in groupby(paths, key=lambda path: _stem_of(path.removeprefix(head)))
    }
    found = []
    for stem in sorted({*wanted, *kept}):
        ours, truth = kept.get(stem, b""), b"".join(line + b"\n" for line in wanted.get(stem, ()))
        if ours != truth:
            same = next(
                (n for n, pair in enumerate(zip(ours, truth, strict=False)) if pair[0] != pair[1]),
                min(len(ours), len(truth)),
            )
            found.append(
                f"the lines of {stem} are {len(ours):,} bytes, the batch's {len(truth):,}; "
                f"they part at byte {same:,}"
            )
    return found


def parquet_differences(platter: Platter, project: str, made: Lines) -> list[str]:
    """Return what is wrong with the Parquet files that the list names."""
    wanted, tables = made.by_table, made.tables
    listed, found = _listed(platter, project), []
    for name in sorted({*listed, *wanted}):
        if name not in tables:
            found.append(f"there are files of {name}, which the batch run has no rows of")
            continue
        rows: list[bytes] = []
        for path in listed.get(name, ()):
            if path not in platter.files:
                found.append(f"the list names {path}, which is not there")
                continue
            batch = read_rows(bytes(platter.files[path].data))
            rows += lines_of_batch(tables[name], batch).splitlines()
        if sorted(rows) != sorted(wanted.get(name, ())):
            count = len(wanted.get(name, ()))
            found.append(f"the files of {name} hold {len(rows):,} rows, the batch has {count:,}")
    return found


def _listed(platter: Platter, project: str) -> dict[str, list[str]]:
    """Return the paths that the list of tables names, by table."""
    held = platter.files.get(f"{parquet.FOLDER}/{project}.json")
    told = json.loads(bytes(held.data)) if held is not None else {}
    return {
        name: [
            f"{parquet.FOLDER}/{path}" for where in row["rows"].values() for path in where["files"]
        ]
        for name, row in told.items()
    }


def _stem_of(name: str) -> str:
    """Return a file's name without the epoch it began in."""
    return name[: -len(".jsonl") - PLACE_DIGITS - 1]
