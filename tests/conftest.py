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
