"""What every test may ask for: the shared data, a real browser, and settings for hypothesis."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]
IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")

# The first example compiles kernels, so a deadline would fail it; timing is never asserted here.
settings.register_profile(
    "qf",
    deadline=None,
    print_blob=True,
    derandomize=IN_CI,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("qf")

# Files that take minutes for few tests begin first, so that the end of a run is short.
LONG = ("simulator", "executors", "live_session", "exchange", "live", "proof", "runs")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run one worker more than there are cores: some tests wait for sockets and processes."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the kernels once, before several workers would all do it."""
    if session.config.getoption("numprocesses", None):
        from qf.compile import compile_kernels
        from qf.op import load

        compile_kernels(op for op in load().values() if "kernel" in op.rules)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first (`--no-loadscope-reorder` keeps that order)."""
    items.sort(key=lambda item: LONG.index(_area(item)) if _area(item) in LONG else len(LONG))


def _area(item: pytest.Item) -> str:
    return item.path.relative_to(ROOT / "tests").parts[0]


def shared_folder() -> Path:
    """Return where the shared material lies, whether or not it is there."""
    chosen = os.environ.get("QF_SHARED")
    return Path(chosen) if chosen else ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the shared folder; without it the test skips (the data is no part of the project)."""
    folder = shared_folder()
    if not folder.is_dir():
        pytest.skip(f"no shared folder at {folder} (set QF_SHARED)")
    return folder


@pytest.fixture(scope="session")
def shared_data(shared: Path) -> Path:
    """Give the folder of real market data."""
    folder = shared / "data"
    if not folder.is_dir():
        pytest.skip(f"no market data at {folder} (set QF_SHARED)")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Give the path of a chromium; without one the test skips, in CI it fails."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    reason = "no chromium on the PATH (make system installs it)"
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)
