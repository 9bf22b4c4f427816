"""The documents name what exists, and the generated pages are what the code says now."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from house.walk import PACKAGE, ROOT, repository_files
from qf.project.project_ops import unload_project_ops

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
IMAGE = re.compile(r'src="([^"]+)"')
NAMED_FILE = re.compile(r"`((?:src|tests|docs|benchmarks|requirements)/[\w./-]+)`")
MAKE_TARGET = re.compile(r"(?:`|^ *)make ([a-z][a-z-]*)", re.MULTILINE)
COMMAND = re.compile(r"(?:^|`|\$ )qf ([a-z]+)", re.MULTILINE)


def documents() -> list[Path]:
    return [path for path in repository_files() if path.suffix == ".md"]


@cache
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_every_link_leads_to_a_file():
    broken = []
    for path in documents():
        text = path.read_text()
        for target in (*LINK.findall(text), *IMAGE.findall(text)):
            if not re.match(r"[a-z]+:|#", target):
                file = (path.parent / target.split("#")[0]).resolve()
                broken += [] if file.exists() else [f"{place(path)}: {target}"]
    assert broken == []


def test_every_file_named_in_a_document_exists():
    missing = [
        f"{place(path)}: {name}"
        for path in documents()
        for name in NAMED_FILE.findall(path.read_text())
        if not (ROOT / name).exists() and "<" not in name
    ]
    assert missing == []


def test_every_make_target_named_in_a_document_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    unknown = [
        f"{place(path)}: make {name}"
        for path in documents()
        for name in MAKE_TARGET.findall(path.read_text())
        if name not in targets
    ]
    assert unknown == []


def test_every_command_named_in_a_document_exists():
    commands = {path.stem for path in (PACKAGE / "cli").glob("*.py")}
    unknown = [
        f"{place(path)}: qf {name}"
        for path in documents()
        for name in COMMAND.findall(path.read_text())
        if not commands & {name, f"{name}_command", f"command_{name}"}
    ]
    assert unknown == []


def test_the_changelog_and_the_package_name_the_same_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()


def test_no_lock_holds_an_address():
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "://" not in text and "--hash=sha256:" in text, path.name


@pytest.mark.parametrize("name", generator().PAGES)
def test_a_generated_page_is_fresh(name):
    unload_project_ops()  # those of a project that another test has opened are not ours
    written = (ROOT / "docs" / name).read_text()
    assert written == generator().PAGES[name](), f"docs/{name} is out of date: make docs"
