"""What a sync has promised stays: no byte that was durable is cut off, removed or replaced."""

from __future__ import annotations

from qf.simulator.disk import Platter


class Promised:
    """Watch files that only grow, and how far each is durable."""

    def __init__(self, platter: Platter) -> None:
        self._platter = platter
        self._sizes: dict[str, int] = {}

    def note(self, operation: str, path: str, data: bytes) -> str:
        """Take an operation that was done; return what is wrong with it, "" for nothing."""
        size = self._sizes.get(path, 0)
        if operation in ("sync", "write"):
            self._sizes[path] = self._platter.files[path].durable
        if operation == "write" and size:
            return f"{path} was replaced, of which {size:,} bytes were durable"
        if operation == "truncate" and int(data) < size:
            return f"{path} was cut to {int(data):,} bytes, of which {size:,} were durable"
        if operation == "remove" and size:
            return f"{path} was removed, of which {size:,} bytes were durable"
        return ""
