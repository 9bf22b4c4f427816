"""Questions to a venue's REST interface: within the budget, never during a ban, a few at a time.

What is left of the budget, and above all a ban, is written to the disk before it matters: a ban
does not end because the process did.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from qf.clock import SECOND_NS
from qf.feeds.live_face import Request
from qf.feeds.record import MAX_FRAME_BYTES
from qf.live.budget import Budget
from qf.seams import Closed, Response, World

TIMEOUT_S = 5.0
AT_ONCE = 4
LONGEST_SLEEP_S = 1.0  # a ban may be lengthened while one waits
SAVE_EVERY_NS = SECOND_NS


class Rest:
    """The questions to one venue; `folder` of the disk keeps its budget."""

    def __init__(self, world: World, name: str, url: str, weight_per_minute: int) -> None:
        self._world, self._url = world, url.rstrip("/")
        self._path = f"budget/{name}.json"
        self.budget = Budget(weight_per_minute)
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._saved_at: int | None = None
        self.asked = self.failed = 0
        self.last_problem = ""
        self._load()

    async def get(self, request: Request, params: Sequence[tuple[str, str]]) -> bytes | None:
        """Return the body of a 200 answer, or None; waits for its turn and for the budget."""
        clock = self._world.clock
        async with self._turn:
            while wait := self.budget.wait_ns(request.weight, clock.monotonic_ns()):
                await clock.sleep(min(wait / SECOND_NS, LONGEST_SLEEP_S))
            self.budget.spend(request.weight, clock.monotonic_ns())
            self._save(False)
            self.asked += 1
            try:
                answer = await self._world.network.get(
                    self._url + request.path, params, TIMEOUT_S, MAX_FRAME_BYTES
                )
            except Closed as gone:
                self.failed += 1
                self.last_problem = f"{request.path}: {gone}"
                return None
        return self._judge(request, answer)

    def _judge(self, request: Request, answer: Response) -> bytes | None:
        headers = answer.headers
        used = headers.get("x-mbx-used-weight-1m", headers.get("x-mbx-used-weight", ""))
        bans = self.budget.bans
        now = self._world.clock.monotonic_ns()
        self.budget.answered(answer.status, headers.get("retry-after", ""), used, now)
        if self.budget.bans != bans:
            self._save(True)
        if answer.status == 200:
            return answer.body
        self.failed += 1
        self.last_problem = f"{request.path}: answered {answer.status}"
        return None

    def _save(self, at_once: bool) -> None:
        clock = self._world.clock
        now = clock.monotonic_ns()
        if not at_once and self._saved_at is not None and now - self._saved_at < SAVE_EVERY_NS:
            return
        self._saved_at = now
        told = json.dumps(self.budget.saved(now, clock.wall_ns()), sort_keys=True)
        try:
            self._world.disk.write(self._path, told.encode())
        except OSError as failure:
            self.last_problem = f"the budget could not be kept: {failure.strerror or failure}"

    def _load(self) -> None:
        clock = self._world.clock
        try:
            told = json.loads(self._world.disk.read(self._path))
            self.budget.load(told, clock.monotonic_ns(), clock.wall_ns())
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as failure:
            self.last_problem = f"the kept budget could not be read: {type(failure).__name__}"
