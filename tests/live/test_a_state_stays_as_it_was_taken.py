"""The state at an epoch's end is packed later: what comes in between must not reach into it."""

from __future__ import annotations

import copy

from qf.live.engine import Engine, Settings
from qf.tape.journal import Frame, note_of
from tests.live.scene import Machine


def test_frames_after_a_state_was_taken_change_nothing_in_it(short):
    project, frames, _ = short
    engine = Engine(Machine().world(), project, Settings())
    (line,) = engine.lines.values()
    time, symbol = frames[1_499].processed_time, project.symbols[0]
    line.take([*frames[:1_500], Frame(time, "", b"no frame"), note_of(time, symbol, "depth", 2)])
    line.flush()
    state = line.state()
    as_taken = copy.deepcopy(state)
    assert state["conflated"] == {"depth": 2} and state["beside"]["findings"]
    line.take([Frame(time, "", b"none either"), note_of(time, symbol, "depth", 3), *frames[1_500:]])
    line.flush()
    assert state == as_taken
    assert line.state() != as_taken
