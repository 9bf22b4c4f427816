"""Which project folders may run their own code: a content hash in the user's own configuration.

`.definitions/ops/*.py` are programs. They load only where `qf trust` recorded the hash of every
byte of that folder, or where QF_TRUST=1. A changed byte asks again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from qf.errors import diagnostic

UNTRUSTED = diagnostic(
    "QF290",
    "the project's own ops {state}: {files}",
    hint="read the files, then: {command}",
)
BAD_TRUST_FILE = diagnostic(
    "QF291", "{path} is not a list of trusted folders", hint="remove it and trust again: qf trust"
)

OPS_FOLDER = ".definitions/ops"


def code_files(folder: Path) -> list[Path]:
    """Return the project's op files that are code."""
    return sorted(path for path in (folder / OPS_FOLDER).glob("*.py") if path.is_file())


def ops_hash(folder: Path) -> str:
    """Return the content hash of everything under the project's ops folder."""
    root = folder / OPS_FOLDER
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.relative_to(root).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def trust_file(environment: Mapping[str, str]) -> Path:
    """Return the file in the user's own configuration that lists the trusted folders."""
    home = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "qf" / "trust.json"


def read_trust(environment: Mapping[str, str]) -> dict[str, str]:
    """Return folder -> hash as recorded. Errors: QF291."""
    path = trust_file(environment)
    if not path.exists():
        return {}
    try:
        rows = json.loads(path.read_text())
    except (OSError, ValueError):
        raise BAD_TRUST_FILE(path=path) from None
    if not isinstance(rows, dict) or not all(isinstance(row, str) for row in rows.values()):
        raise BAD_TRUST_FILE(path=path)
    return rows


def record_trust(folder: Path, environment: Mapping[str, str]) -> str:
    """Record that the folder's ops, as they are now, may run; return their hash."""
    rows = read_trust(environment)
    rows[str(folder)] = ops_hash(folder)
    _write(rows, environment)
    return rows[str(folder)]


def forget_trust(folder: Path, environment: Mapping[str, str]) -> bool:
    """Take the folder from the list; say whether it was there."""
    rows = read_trust(environment)
    was = rows.pop(str(folder), None) is not None
    if was:
        _write(rows, environment)
    return was


def require_trust(folder: Path, environment: Mapping[str, str]) -> None:
    """Refuse ops that are code and not trusted as they are now. Errors: QF290."""
    files = code_files(folder)
    if not files or environment.get("QF_TRUST") == "1":
        return
    recorded = read_trust(environment).get(str(folder))
    if recorded == ops_hash(folder):
        return
    state = "are code that you have not trusted yet"
    if recorded is not None:
        state = "changed since you trusted them"
    names = ", ".join(path.relative_to(folder).as_posix() for path in files)
    command = "qf trust" if folder == Path.cwd() else f"qf trust {folder}"
    raise UNTRUSTED(state=state, files=names, command=command)


def _write(rows: dict[str, str], environment: Mapping[str, str]) -> None:
    path = trust_file(environment)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(json.dumps(rows, indent=2, sort_keys=True) + "\n")
    draft.chmod(0o600)
    draft.replace(path)
