"""The walkthrough's project over the real captures, run in batch once a session."""

from __future__ import annotations

import dataclasses

import pytest

from qf.project.model import Later
from tests.acceptance.projects import make_project, run_folder
from tests.live.scene import SETTINGS, Machine, frames_of, live

SINKS = {
    "parquet": ("enriched", "bars", "features", "labels", "vectors", "l2"),
    "jsonl": ("enriched", "bars", "vectors"),
}
FRAMES = 2_500
# Empty time bars count from the bar before: state that lies outside of the program.
EDITS = {
    "    - { type: tick, count: 50 }\n": "    - { type: tick, count: 50 }\n"
    "    - { type: time, seconds: 0.1 }\n"
}


@pytest.fixture(scope="session")
def batch(shared, shared_data, tmp_path_factory):
    """Give a function: the kind of capture -> its project after one run, and its frames."""
    done = {}

    def run(kind):
        if kind not in done:
            folder = tmp_path_factory.mktemp(f"live_{kind}") / "breakout_alpha"
            source = shared / "walkthrough" / "breakout_alpha"
            ran = run_folder(make_project(folder, shared_data, kind, source, EDITS))
            done[kind] = (ran, frames_of(ran.project))
        return done[kind]

    return run


@pytest.fixture(scope="session")
def short(batch):
    """Give a project that writes Parquet and lines, its frames, and the files of a quiet life."""
    ran, frames = batch("spot")
    place = ran.project.providers[0].place
    sinks = tuple(Later(kind, kind, {"tables": tables}, place) for kind, tables in SINKS.items())
    project = dataclasses.replace(ran.project, sinks=sinks)
    machine = Machine()
    live(machine, project, frames[:FRAMES], SETTINGS, seed=9)
    return project, frames[:FRAMES], machine.files("tables", "jsonl")
