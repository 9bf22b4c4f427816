"""The user's own machine as the engines see it: what is asked of engines, credentials, cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qf.project.secret import Secret


@dataclass(frozen=True)
class LocalEngine:
    """One engine of the local configuration, validated and not contacted."""

    name: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class LocalConfig:
    """The user's own machine."""

    engines: tuple[LocalEngine, ...]
    credentials: Mapping[str, Mapping[str, Secret]]
    cache_path: str
    executor: str = "local"  # where the symbols of a run are computed

    def engine(self, name: str) -> LocalEngine | None:
        """Return the engine called `name`, or None."""
        return next((row for row in self.engines if row.name == name), None)
