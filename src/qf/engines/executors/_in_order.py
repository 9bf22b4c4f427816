"""Jobs in their order, while later ones are under way already."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from qf.engines.executors import Task

AHEAD = 16  # finished jobs that may wait for a slow one before them: their files take room on disk


def in_order(start: Callable[[str], Task], jobs: Sequence[str], workers: int) -> Iterator[Task]:
    """Start jobs, at most workers + AHEAD beyond the one in hand, and yield them."""
    waiting: deque[Task] = deque()
    for job in jobs:
        waiting.append(start(job))
        if len(waiting) >= workers + AHEAD:
            yield waiting.popleft()
    while waiting:  # what has been taken is let go of, its answer too
        yield waiting.popleft()
