"""A small project of several symbols over the seeded market, and ways to run it."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

from qf.engines.run import RunResult, run_project
from qf.project import open_project
from qf.project.local_config import LocalEngine
from qf.project.model import Project
from qf.project.scaffold import draft_project, write_project
from qf.store.duck import Store
from tests.runs.projects import FEATURES, FORMULAS, OP, PROJECT, TYPE

SYMBOLS = ("AAAUSDT", "BBBUSDT", "CCCUSDT")
MINUTES = 5
START = 1_704_153_600_000_000_000  # 2024-01-02, as the template's market
MIDDLE = START + MINUTES * 30_000_000_000


def make(folder: Path) -> Path:
    """Write the project."""
    write_project(folder, draft_project("small", "crypto"))
    text = PROJECT.format(provider="simulated_market")
    text = text.replace("[BTCUSDT]", f"[{', '.join(SYMBOLS)}]")
    (folder / "quantflow_project.yml").write_text(text)
    definitions = folder / ".definitions"
    market = definitions / "feed_providers" / "simulated_market.yml"
    told = market.read_text().replace("minutes: 30", f"minutes: {MINUTES}")
    market.write_text(told.replace("intensity: 30", "intensity: 3"))
    shutil.rmtree(definitions / "features", ignore_errors=True)
    (definitions / "features").mkdir()
    (definitions / "features" / "small.yml").write_text(FEATURES)
    types = definitions / "feature_types" / "signal"
    types.mkdir(parents=True)
    for name, formula in FORMULAS.items():
        (types / f"{name}.yml").write_text(TYPE.format(name=name, formula=formula))
    (definitions / "ops").mkdir(exist_ok=True)
    (definitions / "ops" / "twice.yml").write_text(OP.format(formula="x + x"))
    return folder


def opened(folder: Path, executor: str, **options: object) -> Project:
    """Return the project as if its local configuration named the executor."""
    project = open_project(folder)
    engines = (LocalEngine(executor, options),)
    return replace(project, local=replace(project.local, executor=executor, engines=engines))


def run(folder: Path, executor: str = "local", asked: dict | None = None, **options) -> RunResult:
    """Run the project by an executor; by default in this thread."""
    options = options or {"workers": 1}
    return run_project(opened(folder, executor, **options), **(asked or {}))


def stored(folder: Path) -> dict[str, list[tuple]]:
    """Return the rows of every table in the order in which they lie there."""
    project = open_project(folder)
    with Store(project.paths.database, project.name) as store:
        names = [name for name in store.names() if name not in ("qf_progress", "qf_runs")]
        rows = {}
        for name in names:
            area = "feature" if name.startswith("feature") else "cdm"
            query = f"SELECT * FROM small_{area}.{name}"
            rows[name] = [str(row) for row in store._connection.execute(query).fetchall()]
    return rows


def recorded(folder: Path) -> list[tuple]:
    """Return what the runs wrote down of themselves, without their own names and times."""
    project = open_project(folder)
    with Store(project.paths.database, project.name) as store:
        query = "SELECT * EXCLUDE (run_id, created) FROM small_cdm.qf_runs ORDER BY ALL"
        return [str(row) for row in store._connection.execute(query).fetchall()]


def left_behind(folder: Path) -> list[str]:
    """Return what lies in the data folder and should not."""
    data = folder / ".data"
    return [str(path.relative_to(data)) for path in (data / "run").rglob("*")]


def children_named(word: str) -> list[int]:
    """Return the processes below this one whose command line holds a word."""
    found, parents, words = [], {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            pid = int(path.name)
            parents[pid] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            words[pid] = (path / "cmdline").read_bytes().decode(errors="replace")
        except (OSError, ValueError):
            continue  # it has ended meanwhile
    for pid in parents:
        above = pid
        while above in parents and above != os.getpid():
            above = parents[above]
        if above == os.getpid() and word in words[pid]:
            found.append(pid)
    return found


def everywhere_named(word: str) -> list[int]:
    """Return the processes of this machine whose command line or environment holds a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            told = (path / "cmdline").read_bytes() + (path / "environ").read_bytes()
        except OSError:
            continue  # it has ended meanwhile, or is another user's
        if word.encode() in told and path.name != str(os.getpid()):
            found.append(int(path.name))
    return found
