"""What `qf doctor` looks at; each finding says its state, its detail and the next step."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from qf.clock import EARLIEST_NS, LATEST_NS, format_time, wall_ns
from qf.errors import QuantflowError

if TYPE_CHECKING:
    from qf.project.model import Project

LEAST_FREE_BYTES = 2 << 30
PYTHONS = ((3, 11), (3, 14))
# Files that a time service leaves when the clock is synchronised.
SYNCHRONISED = ("/run/systemd/timesync/synchronized", "/run/chrony/chronyd.pid")


class Finding(NamedTuple):
    """One line of the report; `state` is ok, warn or fail."""

    state: str
    name: str
    detail: str
    step: str = ""


def machine() -> list[Finding]:
    """Return the findings about the environment."""
    return [_python(), *_versions(), _kernels(), _disk(Path()), _clock()]


def project(folder: Path) -> list[Finding]:
    """Return the findings about one project."""
    return [*_definitions(folder), _lock(folder), _permissions(folder), *_secrets_in_git(folder)]


def _python() -> Finding:
    here = sys.version_info[:2]
    detail = f"{platform.python_version()} on {platform.platform()}, {os.cpu_count()} cores"
    if PYTHONS[0] <= here < PYTHONS[1]:
        return Finding("ok", "python", detail)
    return Finding("fail", "python", detail, "use Python 3.11, 3.12 or 3.13")


def _versions() -> Iterator[Finding]:
    """Yield qf itself, then what it needs and what was found."""
    try:
        yield Finding("ok", "qf", importlib.metadata.version("qf"))
    except importlib.metadata.PackageNotFoundError:
        yield Finding("warn", "qf", "not installed as a package", "pip install -e .")
        return
    for line in importlib.metadata.requires("qf") or ():
        if "extra ==" in line:
            continue
        match = re.match(r"([A-Za-z0-9._-]+)\s*(?:>=\s*([0-9.]+))?", line)
        assert match is not None
        name, floor = match[1], match[2]
        try:
            here = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding("fail", name, "missing", f"pip install {name}")
            continue
        if floor and _numbers(here) < _numbers(floor):
            yield Finding("fail", name, f"{here}, at least {floor} is needed", f"upgrade {name}")
        else:
            yield Finding("ok", name, here)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _kernels() -> Finding:
    from qf.kernel import cache_folder

    try:
        folder = cache_folder()
    except (QuantflowError, OSError) as error:
        return Finding("fail", "kernel cache", str(error).splitlines()[0], "chmod 700 the folder")
    files = [path for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    kernels = sum(path.suffix == ".py" for path in files)
    return Finding("ok", "kernel cache", f"{kernels} kernels, {size >> 10:,} kB in {folder}")


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    detail = f"{free / (1 << 30):,.1f} GB free"
    if free < LEAST_FREE_BYTES:
        return Finding("warn", "disk", detail, "free some space before a long run")
    return Finding("ok", "disk", detail)


def _clock() -> Finding:
    now = wall_ns()
    if not EARLIEST_NS <= now <= LATEST_NS:
        return Finding("fail", "clock", f"the wall clock says {format_time(now)}", "set the clock")
    known = any(Path(path).exists() for path in SYNCHRONISED)
    told = "synchronised" if known else "no time service known here"
    return Finding("ok" if known else "warn", "clock", f"{format_time(now)}, {told}")


def _definitions(folder: Path) -> Iterator[Finding]:
    from qf.project.opening import read_project
    from qf.project.trust import code_files

    found, problems = read_project(folder)
    if problems:
        detail = f"{len(problems)} problem(s): {problems[0].code} {problems[0].sentence}"
        yield Finding("fail", "definitions", detail, "qf check shows each with its place")
    elif found is not None:
        yield Finding(
            "ok", "definitions", f"{len(found.files)} files, {found.definitions_hash[:16]}"
        )
        yield _disk(folder)._replace(name="project disk")
        yield _executor(found)
    files = code_files(folder)
    if files and not any(problem.code == "QF290" for problem in problems):
        yield Finding("ok", "own ops", f"{len(files)} trusted")


def _executor(found: Project) -> Finding:
    """Return where the project's symbols are computed."""
    from qf.engines import executors

    name = found.local.executor
    row = found.local.engine(name)
    given = dict(row.options) if row else {}
    if name not in executors.names():
        return Finding("fail", "executor", name, f"there is: {', '.join(executors.names())}")
    if name == "dask" and importlib.util.find_spec("distributed") is None:
        return Finding("fail", "executor", "dask", 'pip install "qf[batch]"')
    workers = given.get("workers") or (executors.cores() if name != "dask" else "as many as it has")
    return Finding("ok", "executor", f"{name}, workers: {workers}")


def _lock(folder: Path) -> Finding:
    from qf.project.opening import lock_path
    from qf.store.lock import owner, project_lock

    path = lock_path(folder)
    if not path.exists():
        return Finding("ok", "lock", "nobody has run this project yet")
    try:
        with project_lock(folder, wall_ns(), path):
            return Finding("ok", "lock", "free")
    except QuantflowError as error:
        if error.code != "QF610":
            return Finding("fail", "lock", error.sentence, error.hint)
        pid, host, since = owner(path)
        return Finding("warn", "lock", f"held by process {pid} on {host} since {since}", error.hint)


def _permissions(folder: Path) -> Finding:
    from qf.project.local import LOCAL_FILE, check_private

    path = folder / LOCAL_FILE
    if not path.exists():
        return Finding("ok", "permissions", f"no {LOCAL_FILE}")
    try:
        check_private(path, LOCAL_FILE)
    except QuantflowError as error:
        return Finding("fail", "permissions", error.sentence, error.hint)
    return Finding("ok", "permissions", f"{LOCAL_FILE} is private")


def _secrets_in_git(folder: Path) -> Iterator[Finding]:
    """Yield whether the local configuration or a value from it is in the git repository."""
    if shutil.which("git") is None or _git(folder, "rev-parse", "--git-dir") is None:
        return
    if _git(folder, "ls-files", "--error-unmatch", ".local_config.yml") is not None:
        step = "git rm --cached .local_config.yml, and change every secret in it"
        yield Finding("fail", "git", ".local_config.yml is tracked", step)
    elif _git(folder, "check-ignore", ".local_config.yml") is None:
        step = "add it to .gitignore"
        yield Finding("warn", "git", ".local_config.yml is not ignored", step)
    else:
        yield Finding("ok", "git", ".local_config.yml is ignored")
    secrets = _secrets(folder)
    if secrets:
        # The values go through a pipe: a command line can be read by every user of the machine.
        hit = _git(folder, "grep", "-l", "-F", "-f", "-", stdin="\n".join(secrets))
        if hit:
            names = ", ".join(hit.split())
            yield Finding(
                "fail", "secrets", f"a secret stands in {names}", "change it, then remove it"
            )
        else:
            yield Finding("ok", "secrets", "no tracked file holds one")


def _secrets(folder: Path) -> list[str]:
    from qf.project.local import read_local

    local = read_local(folder, os.environ, [])
    values = [value.reveal() for row in local.credentials.values() for value in row.values()]
    return [value for value in values if len(value) >= 8 and value != "your-api-key-here"]


def _git(folder: Path, *words: str, stdin: str = "") -> str | None:
    """Return what git prints, or None where it says no."""
    asked = subprocess.run(
        ["git", "-C", str(folder), *words], input=stdin, capture_output=True, text=True, check=False
    )
    return asked.stdout if asked.returncode == 0 else None
