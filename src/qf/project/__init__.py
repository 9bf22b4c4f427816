"""The user's project: its YAML files read strictly, checked, resolved to frozen records."""

from __future__ import annotations

from pathlib import Path

from qf.project.model import Project

__all__ = ["Project", "open_project"]


def open_project(folder: str | Path, *, trusted: bool = False) -> Project:
    """Return the project in `folder`. Errors: QF2xx and those of the definitions it names."""
    from qf.project import opening

    return opening.open_project(folder, trusted=trusted)
