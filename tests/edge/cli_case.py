"""Run `qf` in this process on a scratch project, and read the golden error files.

A golden file is a header of `# word: value` lines, a line `---`, and the whole text of stderr:

    # what:     what is wrong, in a few words
    # project:  the template of the scratch project, or none
    # file:     the file that the next lines change
    # replace:  old => new          # append: text     # write: text     # remove: yes
    # mode:     644                 (its permissions)
    # env:      NAME=value
    # run:      the command line
    # exit:     the exit code

In values `\\n` is a line break.
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from qf.cli.main import run
from qf.project.scaffold import draft_project, write_project


@dataclass(frozen=True)
class Outcome:
    """What a command printed and how it left."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Golden:
    """One golden file."""

    steps: tuple[tuple[str, str], ...]
    expected: str

    def value(self, word: str, default: str = "") -> str:
        return next((value for name, value in self.steps if name == word), default)


def read_golden(path: Path) -> Golden:
    head, _, expected = path.read_text().partition("---\n")
    steps = []
    for line in head.splitlines():
        word, _, value = line.removeprefix("# ").partition(":")
        steps.append((word, value.strip().replace("\\n", "\n")))
    return Golden(tuple(steps), expected)


def prepare(golden: Golden, folder: Path) -> None:
    """Make the scratch project in `folder` and apply the golden file's changes."""
    template = golden.value("project", "crypto")
    if template == "none":
        folder.mkdir()
    else:
        write_project(folder, draft_project(folder.name, template))
    path = folder
    for word, value in golden.steps:
        if word == "file":
            path = folder / value
            path.parent.mkdir(parents=True, exist_ok=True)
        elif word == "replace":
            old, new = value.split(" => ")
            text = path.read_text()
            assert old in text, f"{path.name} has no {old!r}"
            path.write_text(text.replace(old, new))
        elif word == "append":
            path.write_text((path.read_text() if path.exists() else "") + value)
        elif word == "write":
            path.write_text(value)
        elif word == "remove":
            path.unlink()
        elif word == "mode":
            path.chmod(int(value, 8))


def environment(golden: Golden, home: Path) -> dict[str, str]:
    given = dict(value.split("=", 1) for word, value in golden.steps if word == "env")
    return {"XDG_CONFIG_HOME": str(home), **given}


@contextlib.contextmanager
def set_environment(given: Mapping[str, str]) -> Iterator[None]:
    """Set variables for a while; no QF_ variable of the caller's own is seen meanwhile."""
    saved = dict(os.environ)
    for name in list(os.environ):
        if name.startswith("QF_") and name not in ("QF_SHARED", "QF_KERNEL_CACHE"):
            del os.environ[name]
    os.environ.update(given)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)


def qf(arguments: str | list[str], folder: Path, given: Mapping[str, str] | None = None) -> Outcome:
    """Run a command line in `folder` and return what came of it."""
    words = shlex.split(arguments) if isinstance(arguments, str) else arguments
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        set_environment(given or {}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = run(words)
    return Outcome(code, out.getvalue(), err.getvalue())
