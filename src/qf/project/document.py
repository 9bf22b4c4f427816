"""Read one YAML file strictly, and remember where every key and value stands.

What is accepted is plain data: mappings with text keys, lists, scalars by YAML 1.2's core rules
(`yes`, `on`, `1_000`, `12:30` and dates are text). Refused, each with its place: more than 256 kB,
deeper than 32, anchors, aliases, merge keys, tags, a key twice, a second document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from qf.errors import Place, QuantflowError, diagnostic

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_DIGITS = 40

NO_FILE = diagnostic("QF200", "there is no file {path}")
UNREADABLE = diagnostic("QF201", "{path} cannot be read: {why}")
TOO_LARGE = diagnostic(
    "QF202", "{path} has {size} bytes, the limit is {limit}", hint="split the definitions"
)
BAD_YAML = diagnostic("QF203", "this is not YAML: {why}")
REFUSED_YAML = diagnostic("QF204", "{what} is not allowed here", hint="write the value out in full")
KEY_TWICE = diagnostic("QF205", "key {key!r} is given twice; the first is on line {first}")
TOO_DEEP = diagnostic("QF206", "nested deeper than {limit} levels")

Path_ = tuple[str | int, ...]
_FASTEST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # absent where libyaml is

_NULL = re.compile(r"|~|null|Null|NULL")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL, _HEXADECIMAL = re.compile(r"0o([0-7]+)"), re.compile(r"0x([0-9a-fA-F]+)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True)
class Mark:
    """Where a node stands: lines and columns from 0, and the quotes of a scalar."""

    line: int
    column: int
    end_line: int
    end_column: int
    style: str = ""


@dataclass
class Document:
    """The plain value of a file, with the marks of its keys and values.

    A `secret` document never quotes its own text in a place.
    """

    source: str
    text: str
    value: Any = None
    values: dict[Path_, Mark] = field(default_factory=dict)
    keys: dict[Path_, Mark] = field(default_factory=dict)
    secret: bool = False
    elsewhere: dict[Path_, str] = field(default_factory=dict)  # values that an environment set

    def place(self, path: Path_ = (), key: bool = False) -> Place:
        """Return the place of the value at `path` (or of its key), or of what is nearest to it."""
        while path and path not in self.values:
            if path in self.elsewhere:
                return Place(f"environment variable {self.elsewhere[path]}", 1)
            path, key = path[:-1], True
        mark = self.keys.get(path) if key else None
        mark = mark or self.values.get(path)
        if mark is None:
            return Place(self.source, 1)
        width = mark.end_column - mark.column if mark.end_line == mark.line else 1
        return self.at(mark.line, mark.column, width)

    def at(self, line: int, column: int, length: int = 1) -> Place:
        """Return the place of a line and column counted from 0."""
        lines = self.text.split("\n")
        text = lines[line].rstrip("\r") if line < len(lines) and not self.secret else ""
        return Place(self.source, line + 1, column + 1, text, max(1, length))


def read_document(path: Path, source: str, secret: bool = False) -> Document:
    """Return the parsed file; places call it `source`. Errors: QF200-QF206."""
    try:
        if not path.is_file():
            raise (
                NO_FILE(path=source)
                if not path.exists()
                else UNREADABLE(path=source, why="it is not a regular file")
            )
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise TOO_LARGE(path=source, size=size, limit=MAX_BYTES)
        text = path.read_bytes()[: MAX_BYTES + 1].decode("utf-8")
    except UnicodeDecodeError as error:
        raise UNREADABLE(path=source, why=f"byte {error.start} is not UTF-8") from None
    except OSError as error:
        raise UNREADABLE(path=source, why=error.strerror or "unknown") from None
    return parse_document(text, source, secret)


def parse_document(text: str, source: str, secret: bool = False) -> Document:
    """Return `text` as a document. Errors: QF202-QF206."""
    size = len(text.encode())
    if size > MAX_BYTES:
        raise TOO_LARGE(path=source, size=size, limit=MAX_BYTES)
    text = text.removeprefix("\ufeff")
    with suppress(yaml.YAMLError, QuantflowError):
        return _built(Document(source, text, secret=secret), _FASTEST)
    # Something is wrong: the slow parser's words and places are those that errors tell.
    document = Document(source, text, secret=secret)
    try:
        return _built(document, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = document.at(mark.line, mark.column) if mark else Place(source, 1)
        tab = mark is not None and document.text[mark.index : mark.index + 1] == "\t"
        hint = "indent with spaces, never with tabs" if tab else ""
        raise BAD_YAML(why=_why(error, secret), place=place, hint=hint) from None
    except yaml.reader.ReaderError as error:
        line = document.text.count("\n", 0, error.position)
        place = Place(source, line + 1)
        raise BAD_YAML(why=f"character #x{error.character:04x}", place=place) from None


def _built(document: Document, loader: Any) -> Document:
    _Builder(document, yaml.parse(document.text, Loader=loader)).build()
    return document


def _why(error: yaml.MarkedYAMLError, secret: bool) -> str:
    """Return the parser's reason; of a secret file only the reason's first words."""
    text = " ".join(part for part in (error.problem, error.context) if part)
    return "the syntax is wrong" if secret or not text else text


def scalar(text: str) -> Any:
    """Return what an unquoted scalar means by YAML 1.2's core rules; ValueError if too long."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text[0] in "tT"
    for pattern, base in ((_INTEGER, 10), (_OCTAL, 8), (_HEXADECIMAL, 16)):
        match = pattern.fullmatch(text)
        if match:
            if len(text) > MAX_DIGITS:
                raise ValueError(text)
            return int(match[1] if base != 10 else text, base)
    if _FLOAT.fullmatch(text):
        return float(text)
    if special := _SPECIAL.fullmatch(text):
        return float((special[1] or "") + "inf") if special[2] else float("nan")
    return text


class _Builder:
    """Turn the parser's events into plain values, refusing what the rules refuse."""

    def __init__(self, document: Document, events: Iterator[Any]) -> None:
        self.document, self.events = document, events

    def build(self) -> None:
        """Fill the document."""
        roots = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                roots += 1
                if roots > 1:
                    raise self._refuse(event, "a second document")
            elif isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent, yaml.AliasEvent)):
                self.document.value = self._node(event, (), 1)

    def _node(self, event: Any, path: Path_, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise TOO_DEEP(limit=MAX_DEPTH, place=self._place(event))
        if isinstance(event, yaml.AliasEvent):
            raise self._refuse(event, f"an alias (*{event.anchor})")
        if event.anchor is not None:
            raise self._refuse(event, f"an anchor (&{event.anchor})")
        if event.tag is not None:
            raise self._refuse(event, f"a tag ({event.tag})")
        self.document.values[path] = _mark(event)
        if isinstance(event, yaml.ScalarEvent):
            if event.style:  # the two parsers call a plain scalar's style None and ""
                return event.value
            try:
                return scalar(event.value)
            except ValueError:
                raise BAD_YAML(why="the number is too long", place=self._place(event)) from None
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, depth)
        return self._mapping(path, depth)

    def _sequence(self, path: Path_, depth: int) -> list[Any]:
        rows: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            rows.append(self._node(event, (*path, len(rows)), depth + 1))
        self._close(path, event)
        return rows

    def _mapping(self, path: Path_, depth: int) -> dict[str, Any]:
        rows: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if isinstance(event, yaml.AliasEvent) or not isinstance(event, yaml.ScalarEvent):
                raise self._refuse(event, "a key that is not a word")
            key = event.value
            if event.anchor is not None or event.tag is not None:
                raise self._refuse(event, "an anchor or tag on a key")
            if key == "<<" and not event.style:
                raise self._refuse(event, "a merge key (<<)")
            here = (*path, key)
            if key in rows:
                first = self.document.keys[here].line + 1
                raise KEY_TWICE(key=key, first=first, place=self._place(event))
            self.document.keys[here] = _mark(event)
            rows[key] = self._node(next(self.events), here, depth + 1)
        self._close(path, event)
        return rows

    def _close(self, path: Path_, event: Any) -> None:
        start, end = self.document.values[path], event.end_mark
        self.document.values[path] = Mark(start.line, start.column, end.line, end.column)

    def _place(self, event: Any) -> Place:
        mark = _mark(event)
        width = mark.end_column - mark.column if mark.end_line == mark.line else 1
        return self.document.at(mark.line, mark.column, width)

    def _refuse(self, event: Any, what: str) -> Exception:
        return REFUSED_YAML(what=what, place=self._place(event))


def _mark(event: Any) -> Mark:
    start, end = event.start_mark, event.end_mark
    style = getattr(event, "style", None) or ""
    return Mark(start.line, start.column, end.line, end.column, style)
