"""The user's `.local_config.yml`: private permissions, values from the environment, secrets kept.

Every value may come from the environment: QF__LOCAL_CACHE__PATH, QF__ENGINE__DUCKDB__DATABASE,
QF__FEED_PROVIDER_CREDENTIALS__<PROVIDER>__KEY. A row of a list is named by its name or provider.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qf.errors import Place, QuantflowError, diagnostic
from qf.project.document import Document, Path_, parse_document, read_document, scalar
from qf.project.local_config import LocalConfig, LocalEngine
from qf.project.secret import Secret
from qf.project.structs.local_file import LocalFile
from qf.project.validate import try_validate

OPEN_FILE = diagnostic(
    "QF260",
    "{path} can be read by others (mode {mode}); it may hold secrets",
    hint="chmod 600 {path}",
)
ENGINE_TWICE = diagnostic("QF261", "{what} {name!r} is configured twice")
NO_ROW = diagnostic(
    "QF262",
    "{variable} sets {row}, which .local_config.yml lacks",
    hint="add the row there",
)

LOCAL_FILE = ".local_config.yml"
PREFIX = "QF__"
_ROW_NAMES = {"feed_provider_credentials": "provider", "engine": "name"}


def read_local(
    folder: Path, environment: Mapping[str, str], problems: list[QuantflowError]
) -> LocalConfig:
    """Return the local configuration; what is wrong goes to `problems`. Errors: QF260-QF262."""
    path = folder / LOCAL_FILE
    document = parse_document("{}", LOCAL_FILE, secret=True)
    try:
        if path.exists():
            check_private(path, LOCAL_FILE)
            document = read_document(path, LOCAL_FILE, secret=True)
        if document.value is None:
            document.value = {}
        apply_environment(document, environment)
    except QuantflowError as error:
        problems.append(error)
        return LocalConfig((), {}, ".data/.local")
    row, errors = try_validate(LocalFile, document, LOCAL_FILE)
    problems.extend(errors)
    return _config(row or LocalFile(), document, problems)


def check_private(path: Path, source: str) -> None:
    """Refuse a file that others may read. Errors: QF260."""
    if os.name != "posix":
        return
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise OPEN_FILE(path=source, mode=f"{mode:04o}", place=Place(source, 1))


def apply_environment(document: Document, environment: Mapping[str, str]) -> None:
    """Write the QF__ variables into the document's value. Errors: QF262."""
    for variable in sorted(environment):
        if not variable.startswith(PREFIX) or not isinstance(document.value, dict):
            continue
        steps = [step.lower() for step in variable[len(PREFIX) :].split("__")]
        _set(document, variable, steps, environment[variable])


def _set(document: Document, variable: str, steps: list[str], text: str) -> None:
    value: Any = document.value
    path: Path_ = ()
    for place, step in enumerate(steps):
        last = place == len(steps) - 1
        here = str(path[-1]) if path else ""
        if isinstance(value, list):
            named = _ROW_NAMES.get(here, "name")
            step_row = next(
                (n for n, row in enumerate(value) if str(row.get(named, "")).lower() == step), None
            )
            if step_row is None:
                if here not in _ROW_NAMES:
                    raise NO_ROW(variable=variable, row=step, place=Place(variable, 1))
                value.append({named: step})
                step_row = len(value) - 1
            path, value = (*path, step_row), value[step_row]
        elif last or not isinstance(value, dict):
            break
        else:
            value = value.setdefault(step, [] if step in _ROW_NAMES and not path else {})
            path = (*path, step)
    if not isinstance(value, dict):
        raise NO_ROW(variable=variable, row=steps[-1], place=Place(variable, 1))
    secret = path[:1] == ("feed_provider_credentials",) or steps[-1] == "password"
    value[steps[-1]] = text if secret else _plain(text)
    document.elsewhere[(*path, steps[-1])] = variable
    document.values.pop((*path, steps[-1]), None)


def _plain(text: str) -> Any:
    try:
        return scalar(text)
    except ValueError:
        return text


def _config(row: LocalFile, document: Document, problems: list[QuantflowError]) -> LocalConfig:
    engines: dict[str, LocalEngine] = {}
    for number, engine in enumerate(row.engine):
        if engine.name in engines:
            place = document.place(("engine", number))
            problems.append(ENGINE_TWICE(what="engine", name=engine.name, place=place))
        options = {k: getattr(engine, k) for k in type(engine).model_fields if k != "name"}
        engines[engine.name] = LocalEngine(engine.name, options)
    credentials: dict[str, dict[str, Secret]] = {}
    for number, given in enumerate(row.feed_provider_credentials):
        if given.provider in credentials:
            place = document.place(("feed_provider_credentials", number))
            problems.append(ENGINE_TWICE(what="provider", name=given.provider, place=place))
        found = {"key": given.key, "secret": given.secret, "passphrase": given.passphrase}
        credentials[given.provider] = {k: v for k, v in found.items() if v is not None}
    return LocalConfig(tuple(engines.values()), credentials, row.local_cache.path, row.executor)
