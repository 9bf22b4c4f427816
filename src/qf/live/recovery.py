"""A start: what the journal and the newest checkpoint hold becomes the state before the next frame.

1. the journal is opened; a torn tail goes, and what is left is synced
2. the newest whole checkpoint that belongs to this plan, machine and journal is restored
3. the frames behind it run again: the same rows, the same bytes; sinks replace or pass over them
4. where a checkpoint is of something else and `rewarm` is set, every frame of the journal runs
   again under the plan of now, and the rows go on where the old ones ended
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from qf.errors import QuantflowError, RunError, diagnostic
from qf.live import checkpoint
from qf.live.checkpoint import Checkpoint
from qf.live.cross_line import CROSS
from qf.tape.journal import Frame, Journal

if TYPE_CHECKING:
    from qf.live.engine import Engine

NO_CHECKPOINT = diagnostic(
    "QF594",
    "the journal holds {frames:,} frames and no whole checkpoint says where they begin",
    RunError,
    "compute everything again with: qf run --mode streaming --force-refresh",
)

CHUNK = 1_024


async def recover(engine: Engine) -> None:
    """Bring an engine to the end of its journal. Errors: QF340, QF341, QF592-QF594, OSError."""
    disk = engine.world.disk
    session, size = engine.world.chance.randbytes(16), engine.settings.segment_bytes
    journal = Journal(disk, session=session, segment_bytes=size)
    engine.journal = journal
    if journal.torn:
        engine.notes.append(f"the journal's last {journal.torn:,} bytes were torn and are cut off")
    found, damaged = checkpoint.newest(disk)
    engine.notes += [f"the checkpoint {name} is damaged and passed over" for name in damaged]
    refused = _refusal(engine, found, journal)
    if refused is not None and not engine.settings.rewarm:
        raise refused
    if found is None and not journal.end:
        _begin(engine)
    elif found is not None and refused is None:
        _restore(engine, found)
        await _replay(engine, journal.read(found.position))
    else:
        assert refused is not None
        engine.notes.append(f"computed again from the journal's start: {refused.sentence}")
        await _rewarm(engine, journal, found)
    for sink in engine.sinks:
        sink.settle()


def _refusal(engine: Engine, found: Checkpoint | None, journal: Journal) -> QuantflowError | None:
    """Return why the checkpoint cannot be used."""
    if found is None:
        return NO_CHECKPOINT(frames=journal.end) if journal.end else None
    if not journal.end and found.position == 0:
        # The session's name is durable with its first frames: before them the folder is new.
        journal.session = bytes.fromhex(found.head["journal"])
    try:
        checkpoint.refuse_other(found, engine.head(), journal.end)
    except QuantflowError as refused:
        if refused.code == checkpoint.AHEAD.code:
            raise
        return refused
    return None


def _begin(engine: Engine) -> None:
    """Write what the session begins from: a crash before the first epoch's end goes back to it."""
    for sink in engine.sinks:
        sink.restore({}, 0)
    for job in engine.checkpoint_jobs():
        job()


def _restore(engine: Engine, found: Checkpoint) -> None:
    for symbol, line in engine.lines.items():
        line.restore(checkpoint.unpack_state(found.body["lines"][symbol]))
    if CROSS in found.body["lines"]:
        engine.cross.begin(checkpoint.unpack_state(found.body["lines"][CROSS]))
    engine.epochs.restore(found.body["epochs"])
    for sink in engine.sinks:
        sink.restore(found.body["sinks"].get(sink.name, {}), found.position)


async def _replay(
    engine: Engine, frames: Iterator[Frame], quiet: frozenset[str] = frozenset()
) -> None:
    while chunk := list(islice(frames, CHUNK)):
        engine.act(chunk, quiet)
        await asyncio.sleep(0)


async def _rewarm(engine: Engine, journal: Journal, found: Checkpoint | None) -> None:
    """Run the whole journal: up to the old checkpoint without rows, behind it with them.

    Lines that were printed or written at once are not written again: prompt sinks go on at the end.
    """
    last = found.position if found is not None else 0
    for sink in engine.sinks:
        old = found.body["sinks"].get(sink.name, {}) if found is not None else {}
        sink.restore({} if sink.PROMPT else old, journal.end if sink.PROMPT else last)
    everything = frozenset(sink.name for sink in engine.sinks)
    frames = journal.read(0)
    left = last
    while left and (chunk := list(islice(frames, min(CHUNK, left)))):
        engine.feed(chunk, everything)
        left -= len(chunk)
        await asyncio.sleep(0)
    engine.epochs.restore({"position": last})
    for job in engine.checkpoint_jobs():
        job()
    prompt = frozenset(sink.name for sink in engine.sinks if sink.PROMPT)
    await _replay(engine, frames, prompt)
