"""Captures and reference tables that the tests of this folder share."""

from __future__ import annotations

import pytest

from tests.runs.projects import hashes, make, run, write_files


@pytest.fixture(scope="session")
def captures(tmp_path_factory):
    """Give a folder with 40 simulated minutes in four capture files."""
    folder = tmp_path_factory.mktemp("captures")
    write_files(folder, minutes=40, files=4)
    return folder


@pytest.fixture(scope="session")
def ready(captures, tmp_path_factory):
    """Give a project after one run over all of it: to be copied, never changed."""
    folder = make(tmp_path_factory.mktemp("once") / "small", captures)
    run(folder)
    return folder


@pytest.fixture(scope="session")
def at_once(ready):
    """Give the hash of every table after one run over all of it."""
    return hashes(ready)
