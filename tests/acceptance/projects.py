"""Projects over the real captures, made once a session and run through the product's own path."""

from __future__ import annotations

import fcntl
import re
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from qf.cli._capture import choose_capture
from qf.engines.run import RunResult, run_project
from qf.engines.sources import open_tape
from qf.project import open_project
from qf.project.model import Project
from qf.project.scaffold import draft_project, write_project
from qf.store.read import Reader
from tests.conftest import shared_folder

CAPTURES = {
    "spot": ("binance_raw/spot/btcusdt_*.gz", "binance_spot", "BTCUSDT"),
    "usdm": ("binance_raw/usdm/btcusdt_*.gz", "binance_usdm", "BTCUSDT"),
    "coinm": ("binance_raw/coinm/btcusd_perp_*.gz", "binance_coinm", "BTCUSD_PERP"),
}
KINDS = tuple(CAPTURES)
TAPES = ".data/.local"
choose = cache(choose_capture)  # the captures stay as they are


@dataclass(frozen=True)
class Ran:
    """A project after its run."""

    project: Project
    result: RunResult
    reader: Reader


def make_project(
    folder: Path, data: Path, kind: str, source: Path | None = None, edits: dict | None = None
) -> Path:
    """Write a project over one capture, read already; `edits` replace text of its project file."""
    pattern, venue, symbol = CAPTURES[kind]
    shared = data == shared_folder() / "data"  # other folders' captures may change
    capture = (choose if shared else choose_capture)(str(data / pattern), venue, symbol)
    write_project(folder, draft_project(folder.name, "crypto", source, capture))
    path = folder / "quantflow_project.yml"
    text = path.read_text()
    for old, new in (edits or {}).items():
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text)
    read = _read_once(folder, kind) if shared else None
    if read is not None:
        shutil.copytree(read / TAPES, folder / TAPES)
    return folder


def _read_once(folder: Path, kind: str) -> Path | None:
    """Return a project whose tape is that of a capture, read once for all workers of a session."""
    session = next((p for p in folder.parents if re.fullmatch(r"pytest-\d+", p.name)), None)
    if session is None:
        return None
    tapes = session / "tapes"
    tapes.mkdir(exist_ok=True)
    with (tapes / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (tapes / kind).exists():
            draft = Path(shutil.copytree(folder, tapes / f"{kind}.draft"))
            project = open_project(draft)
            for symbol in project.symbols:
                open_tape(project, symbol)
            draft.rename(tapes / kind)
    return tapes / kind


def run_folder(folder: Path, **options) -> Ran:
    """Run a project folder and open its tables."""
    project = open_project(folder)
    result = run_project(project, **options)
    return Ran(project, result, Reader(project.paths.database, project.name))
