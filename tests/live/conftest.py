"""The walkthrough's project over the real captures, run in batch once a session."""

from __future__ import annotations

import pytest

from tests.acceptance.projects import make_project, run_folder
from tests.live.scene import frames_of


@pytest.fixture(scope="session")
def batch(shared, shared_data, tmp_path_factory):
    """Give a function: the kind of capture -> its project after one run, and its frames."""
    done = {}

    def run(kind):
        if kind not in done:
            folder = tmp_path_factory.mktemp(f"live_{kind}") / "breakout_alpha"
            source = shared / "walkthrough" / "breakout_alpha"
            ran = run_folder(make_project(folder, shared_data, kind, source))
            done[kind] = (ran, frames_of(ran.project))
        return done[kind]

    return run
