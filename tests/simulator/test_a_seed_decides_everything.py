"""One seed, one hash: in this process, in another one, and for a course read back from a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from qf.errors import QuantflowError
from qf.simulator.report import Report
from qf.simulator.schedule import PROFILES, draw_course, read_course
from qf.simulator.seeds import keep, run_course, run_seed, shrink

REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*.json"))
ASK = (3, 6.0, "all")
OTHER = """
import json, sys
from qf.simulator.seeds import run_seed
print(json.dumps(run_seed((3, 6.0, "all")).json()))
"""


def test_the_same_seed_gives_the_same_hash_whatever_the_process():
    here = run_seed(ASK)
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    other = subprocess.run(
        [sys.executable, "-c", OTHER], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(other.stdout) == here.json()
    assert run_seed((4, 6.0, "all")).digest != here.digest


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_a_course_survives_its_file(profile):
    for seed in range(5):
        course = draw_course(seed, 30, profile)
        assert read_course(course.text("what was wrong")) == course


def test_an_unknown_profile_is_refused():
    with pytest.raises(QuantflowError, match="QF872"):
        draw_course(0, 30, "weather")


def test_a_failing_seed_shrinks_to_a_file_that_still_fails(tmp_path):
    course = draw_course(5, 30, "all")
    culprits = {course.parts[2], course.parts[-2]}

    def run(tried):
        report = Report(tried.seed, tried.minutes)
        if culprits <= set(tried.parts):
            report.wrong("both were there")
        return report

    small, problem = shrink(course, run)
    assert set(small.parts) == culprits
    assert read_course(keep(small, problem, tmp_path).read_text()) == small


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.stem)
def test_what_once_was_wrong_stays_right(path):
    assert run_course(read_course(path.read_text())).problems == []
