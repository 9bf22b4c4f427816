"""One project with cross sets, run once a session."""

from __future__ import annotations

import pytest

from qf.engines.run import run_project
from qf.project import open_project
from qf.store.read import Reader
from tests.cross.projects import make


@pytest.fixture(scope="session")
def ran(tmp_path_factory):
    """Give a project after one run, and its reader."""
    project = open_project(make(tmp_path_factory.mktemp("cross") / "three"))
    run_project(project)
    return project, Reader(project.paths.database, project.name, project.paths.parquet)
