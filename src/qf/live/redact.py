"""No secret in a log: whatever a line would say, loaded secret values become `***`.

It works on the finished text of a line, traceback included, so that no way of writing a value gets
around it.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable

from qf.project.model import Project

LEAST = 4  # shorter values would take ordinary words out of the log


class Redacted(logging.Formatter):
    """Write `<UTC> <level> <text>` without any of the values."""

    converter = time.gmtime

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
        known = sorted({each for each in secrets if len(each) >= LEAST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        text = super().format(record)
        return self._known.sub("***", text) if self._known else text


def secrets_of(project: Project) -> list[str]:
    """Return every secret value that the project's local configuration holds."""
    found = [
        secret.reveal() for row in project.local.credentials.values() for secret in row.values()
    ]
    for engine in project.local.engines:
        found += [value.reveal() for value in engine.options.values() if hasattr(value, "reveal")]
    return [value for value in found if value]
