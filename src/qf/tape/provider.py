"""A provider file's settings to a source.

kind: capture   path, time_unit, truncated: refuse|accept, trades: trade|agg_trade
kind: files     path and format (binance_snapshots, binance_csv, lobster), or `tables:`, each
                with path, stream, time_unit, fields and values; ordering: arrival|event
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qf.clock import UNIT_NS
from qf.errors import diagnostic, nearest
from qf.feeds.file_format import FIELDS, OPTIONAL, FileTable, find_format
from qf.feeds.venue import find_venue
from qf.tape.capture import CaptureSource
from qf.tape.files import FilesSource
from qf.tape.lobster_archive import LobsterSource
from qf.tape.session_source import JournalSource
from qf.tape.source import MISSING_FILE, Source, find_files

COMMON = ("name", "kind", "venue")
JOURNAL_FOLDER = ".data/live/journal"  # of the project's own sessions
SETTINGS = {
    "capture": (*COMMON, "path", "time_unit", "truncated", "trades"),
    "journal": (*COMMON, "path", "trades"),
    "files": (
        *COMMON,
        "path",
        "format",
        "tables",
        "ordering",
        "timezone",
        "truncated",
    ),
}
TABLE_SETTINGS = ("path", "stream", "time_unit", "fields", "values")

UNKNOWN_SETTING = diagnostic("QF328", "{where} has no setting {name!r}", hint="it has {known}")
BAD_SETTING = diagnostic("QF329", "{where} needs {name}: {expected}, and has {value!r}")


def open_source(settings: Mapping[str, Any], folder: Path, symbol: str) -> Source:
    """Return the source that a provider file describes; paths are relative to `folder`.

    Errors: QF300, QF302, QF312, QF328, QF329; a journal is looked for when it is read.
    """
    where = f"the feed provider {settings.get('name', '')!r}"
    kind = _one_of(settings, "kind", tuple(SETTINGS), where)
    _known(settings, SETTINGS[kind], where)
    name = _text(settings, "name", where)
    if kind == "capture":
        venue = find_venue(_text(settings, "venue", where)).VENUE
        return CaptureSource(
            name,
            venue,
            find_files(_text(settings, "path", where), folder),
            _one_of(settings, "time_unit", tuple(UNIT_NS), where),
            _one_of({"truncated": "refuse", **settings}, "truncated", ("refuse", "accept"), where),
            _trades(settings, where),
        )
    if kind == "journal":
        venue = find_venue(_text(settings, "venue", where)).VENUE
        path = folder / settings.get("path", JOURNAL_FOLDER)
        return JournalSource(name, venue, path, symbol, _trades(settings, where))
    return _files(settings, folder, symbol, name)


def _files(settings: Mapping[str, Any], folder: Path, symbol: str, name: str) -> Source:
    where = f"the feed provider {name!r}"
    if settings.get("format") == "lobster":
        paths = find_files(_text(settings, "path", where), folder)
        messages = tuple(p for p in paths if p.suffix == ".zip" or "_message_" in p.name)
        return LobsterSource(name, symbol, messages, settings.get("timezone", "America/New_York"))
    venue = find_venue(_text(settings, "venue", where)).VENUE
    chosen = {"ordering": "arrival", "truncated": "refuse", **settings}
    ordering = _one_of(chosen, "ordering", ("arrival", "event"), where)
    truncated = _one_of(chosen, "truncated", ("refuse", "accept"), where)
    if "format" in settings:
        paths = find_files(_text(settings, "path", where), folder)
        tables = find_format(_text(settings, "format", where))
        files = tuple((table, _matching(table, paths)) for table in tables)
        files = tuple((table, found) for table, found in files if found)
        if not files:
            raise MISSING_FILE(path=settings["path"])
    else:
        rows = settings.get("tables")
        if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
            raise BAD_SETTING(where=where, name="tables", expected="a list", value=rows)
        files = tuple(_table(row, folder, f"a table of {where}") for row in rows)
    return FilesSource(name, venue, files, ordering, "trade", truncated)


def _matching(table: FileTable, paths: Sequence[Path]) -> tuple[Path, ...]:
    return tuple(path for path in paths if fnmatch.fnmatch(path.name, table.pattern))


def _table(row: object, folder: Path, where: str) -> tuple[FileTable, tuple[Path, ...]]:
    if not isinstance(row, Mapping):
        raise BAD_SETTING(where=where, name="fields", expected="a mapping", value=row)
    _known(row, TABLE_SETTINGS, where)
    stream = _one_of(row, "stream", tuple(FIELDS), where)
    fields = row.get("fields")
    if not isinstance(fields, Mapping):
        raise BAD_SETTING(where=where, name="fields", expected="a mapping", value=fields)
    _known(fields, (*FIELDS[stream], *OPTIONAL), f"fields of {where}")
    for name in FIELDS[stream]:
        _text(fields, name, f"fields of {where}")
    values = row.get("values") or {}
    if not isinstance(values, Mapping) or not all(isinstance(v, Mapping) for v in values.values()):
        raise BAD_SETTING(where=where, name="values", expected="a mapping", value=values)
    texts = {k: {str(a): int(b) for a, b in v.items()} for k, v in values.items()}
    unit = _one_of(row, "time_unit", tuple(UNIT_NS), where)
    table = FileTable(stream, unit, dict(fields), "*", texts)
    return table, find_files(_text(row, "path", where), folder)


def _trades(settings: Mapping[str, Any], where: str) -> str | None:
    if settings.get("trades") is None:
        return None
    return _one_of(settings, "trades", ("trade", "agg_trade"), where)


def _known(settings: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for name in settings:
        if name not in known:
            near = nearest(str(name), known)
            raise UNKNOWN_SETTING(where=where, name=name, known=", ".join(known), near=near)


def _text(settings: Mapping[str, Any], name: str, where: str) -> str:
    value = settings.get(name)
    if not isinstance(value, str) or not value:
        raise BAD_SETTING(where=where, name=name, expected="a text", value=value)
    return value


def _one_of(settings: Mapping[str, Any], name: str, known: Sequence[str], where: str) -> str:
    value = settings.get(name)
    if not isinstance(value, str) or value not in known:
        near = nearest(str(value), known)
        expected = "one of " + ", ".join(known)
        raise BAD_SETTING(where=where, name=name, expected=expected, value=value, near=near)
    return value
