"""The walkthrough's definitions over each real capture, run once a session."""

from __future__ import annotations

import pytest

from tests.acceptance.projects import make_project, run_folder


@pytest.fixture(scope="session")
def ran(shared, shared_data, tmp_path_factory):
    """Give a function: the kind of capture -> its project after one run."""
    done = {}

    def run(kind):
        if kind not in done:
            folder = tmp_path_factory.mktemp(kind) / "breakout_alpha"
            source = shared / "walkthrough" / "breakout_alpha"
            done[kind] = run_folder(make_project(folder, shared_data, kind, source))
        return done[kind]

    return run
