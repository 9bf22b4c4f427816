"""Every mistake a user can make in a project or on the command line: the whole text is pinned."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge.cli_case import environment, prepare, qf, read_golden

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "errors"
CASES = sorted(GOLDEN.glob("*.txt"))


def files_in(folder: Path) -> list[str]:
    """Return every file but the lock, which must stay where processes meet."""
    found = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return sorted(name for name in found if name != ".data/project.lock")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_error_is_exactly_the_golden_one(path, tmp_path):
    golden = read_golden(path)
    folder = tmp_path / "scratch"
    prepare(golden, folder)
    before = files_in(folder)
    found = qf(golden.value("run"), folder, environment(golden, tmp_path / "home"))
    said = found.err.replace(str(folder), "<folder>")
    if os.environ.get("QF_WRITE_GOLDEN") == "1":
        head = path.read_text().partition("---\n")[0]
        path.write_text(f"{head}---\n{said}")
    assert said == read_golden(path).expected
    assert found.code == int(golden.value("exit", "2"))
    assert files_in(folder) == before, "a refused command leaves nothing behind"


def test_there_is_a_case_for_every_kind_of_bad_input():
    names = {path.stem for path in CASES}
    asked = {
        "unknown_key",
        "unknown_function",
        "unknown_column",
        "clock_mix",
        "window_out_of_bounds",
        "duplicate_key",
        "missing_file",
        "two_bars_one_name",
        "untrusted_op",
        "bad_date",
        "empty_date_range",
        "open_secrets",
    }
    assert asked <= names


def test_every_case_prints_a_code_a_place_or_a_next_step():
    for path in CASES:
        expected = read_golden(path).expected
        assert expected.startswith("QF"), path.name
        assert "-->" in expected or "next:" in expected or "did you mean" in expected, path.name
