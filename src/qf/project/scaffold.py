"""Make a new project folder from a template, a folder of the user's files, and a capture.

1. the template's files, with the project's name filled in
2. `--from DIR`: its .definitions, the sections of project_sections.yml, local_config.yml
3. `--capture`: the provider file, the instrument, the project's feed and symbol
4. everything is written beside the target and moved there at once: no half-made project
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qf.errors import diagnostic, nearest
from qf.project.document import BAD_YAML, parse_document, read_document
from qf.project.local import LOCAL_FILE
from qf.project.merge import replace_sections, section_text
from qf.project.providers import INSTRUMENTS_FILE

TEMPLATES = Path(__file__).resolve().parent / "templates"
FOLDERS = ("features", "feature_types", "feed_providers", "ops")
PROJECT_FILE = "quantflow_project.yml"

BAD_NAME = diagnostic(
    "QF282",
    "{name!r} cannot name a project: small letters, digits and _, starting with a letter",
    hint="try: qf init {better}",
)
EXISTS = diagnostic(
    "QF283",
    "{folder} exists already and is not empty",
    hint="choose another name; init overwrites nothing",
)
NO_TEMPLATE = diagnostic("QF284", "unknown template {name!r}", hint="there is: {known}")
NO_SOURCE = diagnostic("QF285", "{folder} is not a folder of definitions")
A_LINK = diagnostic("QF286", "{path} is a link; init copies plain files only")

_TAKEN = ("project_sections.yml", "local_config.yml", ".definitions")


@dataclass(frozen=True)
class CaptureChoice:
    """What `--capture` found: the provider's name and settings, and the instrument's fields."""

    name: str
    venue: str
    symbol: str
    path: str
    time_unit: str
    instrument: Mapping[str, str | None]
    trades: str | None = None


@dataclass
class Draft:
    """The files to be: relative path -> bytes; `base` is what the template alone gives."""

    files: dict[str, bytes] = field(default_factory=dict)
    base: dict[str, bytes] = field(default_factory=dict)

    def text(self, path: str) -> str:
        """Return a file's text."""
        return self.files[path].decode()

    def diff(self) -> str:
        """Return what differs from the template alone, as a unified diff."""
        parts: list[str] = []
        for path in sorted(self.files):
            if path == LOCAL_FILE and self.files[path] != self.base.get(path):
                parts.append(f"--- {path}\n+++ {path} (not shown: it may hold secrets)\n")
                continue
            old = self.base.get(path, b"").decode("utf-8", "replace").splitlines(keepends=True)
            new = self.files[path].decode("utf-8", "replace").splitlines(keepends=True)
            before = path if path in self.base else "/dev/null"
            parts += difflib.unified_diff(old, new, before, path)
        return "".join(part if part.endswith("\n") else part + "\n" for part in parts)


def templates() -> list[str]:
    """Return the templates' names."""
    return sorted(path.name for path in TEMPLATES.iterdir() if path.name != "shared")


def draft_project(
    name: str, template: str, source: Path | None = None, capture: CaptureChoice | None = None
) -> Draft:
    """Return the files of a new project. Errors: QF282, QF284-QF286, QF2xx of the sources."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name):
        better = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "my_project"
        better = better if better[0].isalpha() else f"p_{better}"
        raise BAD_NAME(name=name, better=better[:64])
    known = templates()
    if template not in known:
        raise NO_TEMPLATE(name=template, known=", ".join(known), near=nearest(template, known))
    draft = Draft()
    for root in (TEMPLATES / "shared", TEMPLATES / template):
        for path in sorted(root.rglob("*")):
            if path.is_file():
                target = _target(path.relative_to(root).as_posix())
                draft.files[target] = path.read_bytes().replace(b"{{name}}", name.encode())
    draft.base = dict(draft.files)
    if source is not None:
        _take_folder(draft, source)
    if capture is not None:
        _take_capture(draft, capture)
    return draft


def _target(path: str) -> str:
    """Return a template file's name in the project: dot files are kept without their dot."""
    first = path.split("/", maxsplit=1)[0]
    return f".{path}" if first in ("definitions", "gitignore", "local_config.yml") else path


def _take_folder(draft: Draft, source: Path) -> None:
    """Put the user's own files over the template's. Errors: QF285, QF286, QF203-QF206."""
    if not source.is_dir() or not any((source / name).exists() for name in _TAKEN):
        hint = f"it holds {', '.join(_TAKEN)}, or some of them"
        raise NO_SOURCE(folder=source, hint=hint)
    definitions = source / ".definitions"
    for path in sorted(definitions.rglob("*")):
        relative = path.relative_to(source).as_posix()
        if path.is_symlink():
            raise A_LINK(path=relative)
        if path.is_file() and "__pycache__" not in path.parts:
            draft.files[relative] = path.read_bytes()
    if (source / "local_config.yml").exists():
        draft.files[LOCAL_FILE] = (source / "local_config.yml").read_bytes()
    given = source / "project_sections.yml"
    if given.exists():
        document = read_document(given, given.name)
        if not isinstance(document.value, dict):
            raise BAD_YAML(why="a mapping of sections is needed", place=document.place())
        texts = {key: section_text(document, key) for key in document.value}
        _replace(draft, texts)


def _take_capture(draft: Draft, capture: CaptureChoice) -> None:
    """Write the provider file and the instrument, and let the project use them."""
    provider = (
        f"name: {capture.name}\n"
        "kind: capture\n"
        f"venue: {capture.venue}\n"
        f"path: {quoted(capture.path)}\n"
        f"time_unit: {capture.time_unit}\n"
    )
    if capture.trades is not None:
        provider += f"trades: {capture.trades}\n"
    draft.files[f".definitions/feed_providers/{capture.name}.yml"] = provider.encode()
    _add_instrument(draft, capture)
    texts = {
        "feed_providers": f"feed_providers: [{capture.name}]",
        "symbols": f"symbols: [{quoted(capture.symbol)}]",
    }
    _replace(draft, texts)


def _add_instrument(draft: Draft, capture: CaptureChoice) -> None:
    """Append the instrument unless its row is there already: what is written down stays."""
    text = draft.text(INSTRUMENTS_FILE) if INSTRUMENTS_FILE in draft.files else "instruments:\n"
    rows = (parse_document(text, INSTRUMENTS_FILE).value or {}).get("instruments") or []
    fields = {**capture.instrument, "venue": capture.venue, "symbol": capture.symbol}
    here = [r for r in rows if (r.get("venue"), r.get("symbol")) == (capture.venue, capture.symbol)]
    taken = draft.files.get(INSTRUMENTS_FILE) != draft.base.get(INSTRUMENTS_FILE)
    if here and taken:
        return
    keep = [row for row in rows if row not in here]
    lines = ["instruments:"]
    for row in [*keep, {key: value for key, value in fields.items() if value is not None}]:
        mark = "  - "
        for key in ("venue", "symbol", *(k for k in row if k not in ("venue", "symbol"))):
            lines.append(f"{mark}{key}: {quoted(row[key])}")
            mark = "    "
    draft.files[INSTRUMENTS_FILE] = ("\n".join(lines) + "\n").encode()


def quoted(value: object) -> str:
    """Return a value as a YAML scalar in double quotes, escapes included."""
    if not isinstance(value, str):
        return "true" if value is True else "false" if value is False else str(value)
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value) and value.lower() not in (
        "true",
        "false",
        "null",
    ):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


def _replace(draft: Draft, texts: dict[str, str]) -> None:
    text = replace_sections(draft.text(PROJECT_FILE), texts, PROJECT_FILE)
    draft.files[PROJECT_FILE] = text.encode()


def write_project(folder: Path, draft: Draft) -> None:
    """Write the files and move them to `folder` at once. Errors: QF283."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise EXISTS(folder=folder.name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = folder.parent / f".{folder.name}.{os.getpid()}.new"
    try:
        for name in FOLDERS:
            (beside / ".definitions" / name).mkdir(parents=True)
        for path, content in draft.files.items():
            target = beside / path
            target.parent.mkdir(parents=True, exist_ok=True)
            mode = 0o600 if path == LOCAL_FILE else 0o644
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as f:
                f.write(content)
        for name in FOLDERS:
            if not any((beside / ".definitions" / name).iterdir()):
                (beside / ".definitions" / name / ".gitkeep").touch()
        os.replace(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
