"""What the house rules look at: the repository's own files and their syntax trees, read once."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "qf"
NO_CODE = (".git", ".venv", ".bench", ".demo", "__pycache__", "build", "dist")

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module(NamedTuple):
    """One Python file: its dotted name under the package (`ops.lag`), its path and its tree."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def place(self) -> str:
        """Return the path as the rules print it."""
        return self.path.relative_to(ROOT).as_posix()


@cache
def nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    """Return every node of a file, found once for all rules."""
    return tuple(ast.walk(tree))


@cache
def text_of(path: Path) -> str:
    """Return what a file says."""
    return path.read_text(encoding="utf-8", errors="ignore")


def dotted(node: ast.AST) -> str:
    """Return a name with its dots as `ast.unparse` does, and other nodes by it."""
    names = []
    inner = node
    while isinstance(inner, ast.Attribute):
        names.append(inner.attr)
        inner = inner.value
    if not isinstance(inner, ast.Name):
        return ast.unparse(node)
    return ".".join([inner.id, *reversed(names)])


@cache
def repository_files() -> tuple[Path, ...]:
    """Return every file git knows or would add; without git, every file that is no build output."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        found = [ROOT / line for line in listed.stdout.splitlines()]
    else:
        found = [p for p in ROOT.rglob("*") if not set(p.parts) & set(NO_CODE)]
    # The first screen makes a project beside the sources; its files are its owner's.
    beside = {
        p.parent for p in found if p.name == "quantflow_project.yml" and ROOT in p.parents[1:2]
    }
    return tuple(sorted(p for p in found if p.is_file() and not beside & {*p.parents}))


@cache
def python_files(*folders: str) -> tuple[Module, ...]:
    """Return the parsed Python files below the folders (all of the repository by default)."""
    made = []
    for path in repository_files():
        inside = path.relative_to(ROOT)
        if path.suffix != ".py" or (folders and not inside.as_posix().startswith(folders)):
            continue
        name = ".".join(inside.with_suffix("").parts)
        name = name.removeprefix("src.qf.").removesuffix(".__init__")
        made.append(Module(name, path, _parsed(path)))
    return tuple(made)


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(text_of(path), str(path))


def package() -> tuple[Module, ...]:
    """Return the modules of the product itself."""
    return python_files("src/qf/")


def functions(tree: ast.AST) -> Iterator[Function]:
    """Yield every function and method, nested ones included."""
    for node in _nodes_of(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of every import at any depth; `from a import b` gives a.b."""
    for node in _nodes_of(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{start}.{alias.name}") for alias in node.names)


def _nodes_of(tree: ast.AST) -> tuple[ast.AST, ...]:
    return nodes(tree) if isinstance(tree, ast.Module) else tuple(ast.walk(tree))


def top_imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the imports that run when the module is loaded (a TYPE_CHECKING block does not)."""
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imports(node)
