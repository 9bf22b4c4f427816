"""The loop: time jumps, order is decided, threads are refused, a killed process leaves no trace."""

from __future__ import annotations

import asyncio
import random

import pytest

from qf.errors import RunError
from qf.simulator.loop import VirtualLoop
from qf.simulator.process import Killed, Process


def test_hours_pass_at_once_and_timers_fire_in_their_order():
    loop, seen = VirtualLoop(), []

    async def wait(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        seen.append((name, loop.time()))

    async def main() -> None:
        await asyncio.gather(wait("c", 7200), wait("a", 3600), wait("b", 3600))

    loop.run_until_complete(main())
    assert seen == [("a", 3600), ("b", 3600), ("c", 7200)]


def trace(seed: int) -> list[tuple[float, int]]:
    """Return who did what when, for many tasks that meet in a queue, an event and a wait."""
    loop, seen, chance = VirtualLoop(), [], random.Random(seed)

    async def main() -> None:
        queue: asyncio.Queue[int] = asyncio.Queue(maxsize=3)

        async def give(number: int) -> None:
            for _ in range(5):
                await asyncio.sleep(chance.randrange(4))
                await queue.put(number)

        async def take() -> None:
            while True:
                seen.append((loop.time(), await queue.get()))

        takers = [asyncio.create_task(take()) for _ in range(3)]
        done, _ = await asyncio.wait([asyncio.create_task(give(n)) for n in range(20)])
        assert len(done) == 20
        for taker in takers:
            taker.cancel()
        results = await asyncio.gather(*takers, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)

    loop.run_until_complete(main())
    return seen


def test_the_same_seed_gives_the_same_order():
    first = trace(3)
    rubbish = [object() for _ in range(10_001)]  # other addresses than before
    assert trace(3) == first and len(rubbish) == 10_001
    assert trace(4) != first


def test_a_timeout_and_a_task_group_work():
    loop, late = VirtualLoop(), []

    async def forever() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(forever(), 30)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30), asyncio.TaskGroup() as group:
                group.create_task(forever())
        late.append(loop.time())

    loop.run_until_complete(main())
    assert late == [60]


def test_threads_and_sockets_are_refused():
    loop = VirtualLoop()

    async def main() -> None:
        with pytest.raises(RunError, match="QF870"):
            await asyncio.to_thread(print)
        with pytest.raises(RunError, match="QF870"):
            await asyncio.open_connection("localhost", 1)
        with pytest.raises(RunError, match="QF870"):
            loop.call_soon_threadsafe(print)

    loop.run_until_complete(main())


def test_waiting_for_nothing_is_an_error_and_not_a_hang():
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RunError, match="QF871"):
        VirtualLoop().run_until_complete(main())


def test_an_error_that_nobody_takes_is_a_complaint():
    loop = VirtualLoop()

    async def main() -> None:
        loop.call_soon(lambda: 1 // 0)
        await asyncio.sleep(1)

    loop.run_until_complete(main())
    assert "ZeroDivisionError" in loop.complaints[0]


def test_a_killed_process_does_nothing_any_more_and_the_others_go_on():
    loop, seen = VirtualLoop(), []
    one, other = Process("one"), Process("other")

    async def child(process: Process) -> None:
        try:
            while True:
                await asyncio.sleep(1)
                process.check()
                seen.append((process.name, loop.time()))
        finally:
            process.check()  # what a seam does
            seen.append((process.name, -1.0))

    async def main(process: Process) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(child(process))
            loop.call_later(2.5, lambda: seen.append((process.name, 2.5)))

    loop.spawn(one, main(one))
    loop.spawn(other, main(other))
    loop.call_later(2.2, loop.doom, one)
    loop.run_until(4.1)
    assert [when for name, when in seen if name == "one"] == [1, 2]
    assert [when for name, when in seen if name == "other"] == [1, 2, 2.5, 3, 4]
    assert loop.complaints == [] and not one.tasks


def test_a_process_that_dies_inside_a_seam_takes_its_other_tasks_along():
    loop, seen = VirtualLoop(), []
    process = Process("one")

    async def dies() -> None:
        await asyncio.sleep(1)
        loop.doom(process)
        raise Killed("one")

    async def main() -> None:
        task = asyncio.create_task(dies())
        while not task.done():
            await asyncio.sleep(2)
            seen.append(loop.time())

    loop.spawn(process, main())
    loop.run_until(5)
    assert seen == []
    assert loop.complaints == []


def test_a_slow_disk_makes_timers_late_and_loses_none():
    loop, seen = VirtualLoop(), []
    loop.call_later(1, loop.block, 5)
    for second in (2, 3, 4):
        loop.call_later(second, lambda: seen.append(loop.time()))
    loop.run_until(10)
    assert seen == [6, 6, 6]
    assert loop.time() == 10
