"""Projects over the real captures, made once a session and run through the product's own path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qf.cli._capture import choose_capture
from qf.engines.run import RunResult, run_project
from qf.project import open_project
from qf.project.model import Project
from qf.project.scaffold import draft_project, write_project
from qf.store.read import Reader

CAPTURES = {
    "spot": ("binance_raw/spot/btcusdt_*.gz", "binance_spot", "BTCUSDT"),
    "usdm": ("binance_raw/usdm/btcusdt_*.gz", "binance_usdm", "BTCUSDT"),
    "coinm": ("binance_raw/coinm/btcusd_perp_*.gz", "binance_coinm", "BTCUSD_PERP"),
}
KINDS = tuple(CAPTURES)


@dataclass(frozen=True)
class Ran:
    """A project after its run."""

    project: Project
    result: RunResult
    reader: Reader


def make_project(
    folder: Path, data: Path, kind: str, source: Path | None = None, edits: dict | None = None
) -> Path:
    """Write a project over one capture; `edits` replace text of its project file."""
    pattern, venue, symbol = CAPTURES[kind]
    capture = choose_capture(str(data / pattern), venue, symbol)
    write_project(folder, draft_project(folder.name, "crypto", source, capture))
    path = folder / "quantflow_project.yml"
    text = path.read_text()
    for old, new in (edits or {}).items():
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text)
    return folder


def run_folder(folder: Path, **options) -> Ran:
    """Run a project folder and open its tables."""
    project = open_project(folder)
    result = run_project(project, **options)
    return Ran(project, result, Reader(project.paths.database, project.name))
