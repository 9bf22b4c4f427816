"""Load a project's own ops into the book: formulas as they are, code once it is trusted.

`.definitions/ops/<name>.yml` is an op made of a formula: data, no trust needed.
`.definitions/ops/<name>.py` is an op file like those of qf/ops: code, loaded from its text alone
(compiled leftovers beside it are never used).
The book holds the ops of one project at a time: opening another takes the first one's out.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import CodeType, ModuleType

from pydantic import Field

from qf import op as contract
from qf.errors import Place, QuantflowError, diagnostic
from qf.language.context import FAMILIES
from qf.project.document import Document, read_document
from qf.project.structs.struct import Name, Struct, Text
from qf.project.trust import OPS_FOLDER, code_files, ops_hash, require_trust
from qf.project.validate import validate
from qf.signature import parse_signature

BROKEN_OP = diagnostic("QF292", "{path} does not load: {why}")
OTHER_NAME = diagnostic(
    "QF293", "{path} defines {found}; a file is named like the one op it defines"
)

PACKAGE = "qf_project"


class FormulaOpFile(Struct):
    """An op made of a formula."""

    name: Name
    description: Text
    signature: str = Field(min_length=3, max_length=1024)
    formula: str = Field(min_length=1, max_length=4096)
    unit: str = "x"
    example: str = ""


def load_project_ops(
    folder: Path, environment: Mapping[str, str], trusted: bool = False
) -> list[contract.Op]:
    """Return the project's ops, now in the book. Errors: QF290-QF293, QF400, QF410."""
    root = folder / OPS_FOLDER
    code = code_files(folder)
    formulas = sorted(path for path in root.glob("*") if path.suffix in (".yml", ".yaml"))
    package = sys.modules.get(PACKAGE)
    digest = f"{folder}:{ops_hash(folder)}" if code or formulas else ""
    if package is not None and getattr(package, "digest", "") == digest:
        return project_ops()
    if code and not trusted:
        require_trust(folder, environment)
    unload_project_ops()
    if not digest:
        return []
    contract.load(*FAMILIES)
    package = ModuleType(PACKAGE)
    package.digest = digest  # type: ignore[attr-defined]
    sys.modules[PACKAGE] = package
    try:
        for path in formulas:
            _load_formula(path, path.relative_to(folder).as_posix())
        for path in code:
            _load_code(path, path.relative_to(folder).as_posix())
        _refuse_names_of_detectors()
    except BaseException:
        unload_project_ops()
        raise
    return project_ops()


def project_ops() -> list[contract.Op]:
    """Return the ops in the book that belong to a project."""
    prefix = f"{PACKAGE}."
    return [op for _, op in sorted(contract.BOOK.items()) if op.module.startswith(prefix)]


def unload_project_ops() -> None:
    """Take the project's ops out of the book."""
    for key in [key for key, op in contract.BOOK.items() if op.module.startswith(f"{PACKAGE}.")]:
        del contract.BOOK[key]
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


class _TextLoader(importlib.machinery.SourceFileLoader):
    """Load a module from its text, never from compiled leftovers."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def _load_code(path: Path, source: str) -> None:
    name = f"{PACKAGE}.ops.{path.stem}"
    before = set(contract.BOOK)
    spec = importlib.util.spec_from_loader(name, _TextLoader(name, str(path)))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except QuantflowError as error:
        raise error if error.place else error.at(Place(source, 1)) from None
    except SyntaxError as error:
        place = Place(source, error.lineno or 1, error.offset or 0, (error.text or "").rstrip())
        raise BROKEN_OP(path=source, why=error.msg, place=place) from None
    except Exception as error:
        line = _line_of(error, str(path))
        why = f"{type(error).__name__}: {error}"
        raise BROKEN_OP(path=source, why=why, place=Place(source, line)) from error
    found = sorted(contract.BOOK[key].name for key in set(contract.BOOK) - before)
    _one_name(path, source, found)


def _line_of(error: BaseException, path: str) -> int:
    """Return the last line of the file that the error passed through."""
    line, step = 1, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == path:
            line = step.tb_lineno
        step = step.tb_next
    return line


def _load_formula(path: Path, source: str) -> None:
    document: Document = read_document(path, source)
    row = validate(FormulaOpFile, document, "an op")
    try:
        signature = parse_signature(row.signature)
    except QuantflowError as error:
        raise error.at(document.place(("signature",))) from None
    _one_name(path, source, sorted({row.name, signature.name}))
    key = f"ops.{row.name}"
    if key in contract.BOOK:
        first = contract.BOOK[key].module
        place = document.place(("name",))
        raise contract.DEFINED_TWICE(name=row.name, first=first, second=source, place=place)
    module = ModuleType(f"{PACKAGE}.ops.{row.name}", row.description)
    sys.modules[module.__name__] = module
    none = contract._none
    op = contract.Op(
        signature=signature,
        family="ops",
        module=module.__name__,
        shape="map",
        warmup=none,
        lookback=none,
        memory=None,
        slots=none,
        ints=none,
        tolerance=contract.EXACT,
        unit=row.unit,
        window_form="",
        example=row.example,
    )
    op.formula(row.formula)
    contract.BOOK[key] = op


def _refuse_names_of_detectors() -> None:
    """Refuse an op whose name another family of functions has: a formula could mean either."""
    for op in project_ops():
        for family in FAMILIES:
            other = contract.BOOK.get(f"{family}.{op.name}", op)
            if other is not op:
                raise contract.DEFINED_TWICE(name=op.name, first=other.module, second=op.module)


def _one_name(path: Path, source: str, found: list[str]) -> None:
    if found != [path.stem]:
        raise OTHER_NAME(path=source, found=" and ".join(found) or "no op", place=Place(source, 1))
