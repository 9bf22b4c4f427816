"""A simulated exchange on the loopback, and a project that follows it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from qf.project.scaffold import draft_project, write_project


@pytest.fixture(scope="session")
def exchange():
    """Serve a simulated exchange in a process of its own; return its two lines of a provider."""
    words = ["exchange", "serve", "--port", "0", "--intensity", "40", "--seed", "7"]
    command = [sys.executable, "-c", "from qf.cli.main import main; main()", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline() + process.stdout.readline()
        process.terminate()


@pytest.fixture
def live_project(tmp_path, exchange):
    """Return the folder of a new project whose only feed is the simulated exchange."""
    folder = tmp_path / "followed"
    write_project(folder, draft_project("followed", "crypto"))
    provider = folder / ".definitions/feed_providers/binance_spot_live.yml"
    named = "name: binance_spot_live\nkind: websocket\nvenue: binance_spot\n"
    provider.write_text(named + exchange)
    file = folder / "quantflow_project.yml"
    text = file.read_text().replace("[simulated_market]", "[binance_spot_live]")
    file.write_text(text)
    return folder


@pytest.fixture
def qf():
    """Give a function that runs the command line in a process of its own."""

    def run(*words, cwd):
        return subprocess.run(
            [sys.executable, "-c", "from qf.cli.main import main; main()", *map(str, words)],
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "QF_TRACEBACK": ""},
        )

    return run
