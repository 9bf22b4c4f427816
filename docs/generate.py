"""Rewrite the pages of this folder that are made from the code: `make docs`.

A test compares each page with what this file would write, so none of them can be out of date;
pictures are compared by their points, since the last bits of a value differ between machines.
"""

from __future__ import annotations

import importlib
import pkgutil
import tempfile
from pathlib import Path

import qf
from qf.cli._reference import commands_page
from qf.errors import DIAGNOSTICS, Diagnostic
from qf.gallery.market import compute
from qf.gallery.page import FOLDER, features_page, pictures
from qf.language.reference import reference_text
from qf.project.regime_reference import regimes_page
from qf.store.reference import tables_page

HERE = Path(__file__).resolve().parent
AREAS = {
    "QF0": "Time",
    "QF1": "The formula language",
    "QF2": "Project files",
    "QF3": "Feeds and tape",
    "QF4": "Ops and the machine",
    "QF5": "Engines and proofs",
    "QF6": "Store",
    "QF7": "Command line",
    "QF8": "Demo and testing",
}
ERRORS_HEAD = """# Errors

Every error prints its code, one sentence, the place with a caret where there is one, the nearest
known names and the next step. Words in braces stand for the values of the case.

The exit code of a command is 1 where a gate refused (the work is sound, the answer is no), 2 where
a definition, a file or the command line is wrong, 3 where data, disk or an engine failed.
"""


def load_everything() -> None:
    """Import every module of the package, so that every diagnostic is declared."""
    for module in pkgutil.walk_packages(qf.__path__, "qf."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def errors_page() -> str:
    """Return docs/errors.md: one table of diagnostics per area."""
    load_everything()
    parts = [ERRORS_HEAD]
    for start, area in AREAS.items():
        rows = [_row(DIAGNOSTICS[code]) for code in sorted(DIAGNOSTICS) if code.startswith(start)]
        if rows:
            head = f"\n## {start}xx {area}\n\n| code | says | exit | next step |\n|---|---|---|---|"
            parts.append("\n".join([head, *rows]) + "\n")
    return "".join(parts)


def _row(diagnostic: Diagnostic) -> str:
    cells = (diagnostic.code, diagnostic.sentence, diagnostic.kind.exit_code, diagnostic.hint)
    return "| " + " | ".join(str(cell).replace("|", r"\|") for cell in cells) + " |"


PAGES = {
    "errors.md": errors_page,
    "cli.md": commands_page,
    "tables.md": tables_page,
    "language.md": reference_text,
    "regimes.md": regimes_page,
    "features.md": features_page,
}


def write_pictures() -> None:
    """Draw every feature type anew, and remove the pictures of types that are gone."""
    with tempfile.TemporaryDirectory() as folder:
        drawn = pictures(compute(Path(folder)))
    place = HERE / FOLDER
    place.mkdir(exist_ok=True)
    for path in place.glob("*.svg"):
        if path.name not in drawn:
            path.unlink()
    for name, text in drawn.items():
        (place / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")
    write_pictures()
