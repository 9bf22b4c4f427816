"""Answers in the order of their jobs, while later jobs are under way already."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

AHEAD = 16  # finished jobs that may wait for a slow one before them: their files take room on disk


class Waiting(Protocol):
    """A job under way."""

    def result(self) -> str:
        """Wait for the answer."""
        ...


def in_order(start: Callable[[str], Waiting], jobs: Sequence[str], workers: int) -> Iterator[str]:
    """Start jobs, at most workers + AHEAD beyond the answer in hand, and yield the answers."""
    waiting: deque[Waiting] = deque()
    for job in jobs:
        waiting.append(start(job))
        if len(waiting) >= workers + AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
