"""The plan of faults: what goes wrong, when, to whom; drawn from a seed, written as JSON.

A plan is data, so a failing one is made smaller by leaving entries out, and kept as a file.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

import msgspec

from qf.errors import diagnostic, nearest
from qf.exchange.fault_kinds import KINDS

UNKNOWN_FAULT = diagnostic("QF852", "the exchange cannot plant the fault {name!r}")
BAD_PLAN = diagnostic("QF853", "the fault plan is not readable: {why}")

QUIET_START_S = 20.0  # nothing goes wrong before the first books stand


class Note(NamedTuple):
    """One fault that happened, and where: times are the exchange's, ids those it concerned.

    `until_ns` is when the venue is itself again; an id of 0 means that no message was concerned.
    """

    kind: str
    planned: int  # its place in the plan
    at_ns: int
    until_ns: int
    symbol: str
    stream: str
    connection: int
    first_id: int
    last_id: int


@dataclass(frozen=True)
class Planned:
    """One entry: from `at_s` on, the fault befalls `count` messages, or lasts `seconds`.

    An empty symbol means all of them. `draw` is the seed of whatever else is left to chance.
    """

    kind: str
    at_s: float
    symbol: str = ""
    channel: str = ""
    count: int = 1
    seconds: float = 0.0
    draw: int = 0


@dataclass(frozen=True)
class FaultPlan:
    """The faults of one run, in the order of time. Errors: QF852, QF853."""

    faults: tuple[Planned, ...] = ()

    def __post_init__(self) -> None:
        for planned in self.faults:
            if planned.kind not in KINDS:
                near = nearest(planned.kind, KINDS)
                raise UNKNOWN_FAULT(name=planned.kind, near=near)

    @classmethod
    def draw(
        cls,
        seed: int,
        hours: float,
        symbols: Sequence[str],
        per_hour: float = 60.0,
        kinds: Sequence[str] | None = None,
    ) -> FaultPlan:
        """Return about `per_hour` faults an hour, of a random subset of the kinds."""
        chance = random.Random(f"faults/{seed}")
        together = sorted(kind for kind, shape in KINDS.items() if not shape.apart)
        names = list(kinds) if kinds is not None else together
        for name in names:
            if name not in KINDS:
                raise UNKNOWN_FAULT(name=name, near=nearest(name, KINDS))
        if kinds is None:
            names = sorted(chance.sample(names, chance.randint(3, len(names))))
        faults = _draw_some(chance, names, hours, symbols, per_hour)
        for kind in sorted(KINDS.keys() - set(together)) if kinds is None else ():
            own = random.Random(f"faults/{seed}/{kind}")
            if own.random() < 0.5:
                faults += _draw_some(own, [kind], hours, symbols, per_hour / len(together))
        return cls(tuple(sorted(faults, key=lambda fault: fault.at_s)))

    def without(self, places: Sequence[int]) -> FaultPlan:
        """Return the plan less some entries."""
        left = set(places)
        return FaultPlan(tuple(f for n, f in enumerate(self.faults) if n not in left))

    def to_json(self) -> str:
        """Return the plan as JSON text, one entry a line."""
        rows = [msgspec.json.encode(asdict(planned)).decode() for planned in self.faults]
        return "[\n" + ",\n".join(f"  {row}" for row in rows) + "\n]\n" if rows else "[]\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> FaultPlan:
        """Read what `to_json` wrote. Errors: QF852, QF853."""
        try:
            return cls(tuple(msgspec.json.decode(text, type=list[Planned])))
        except msgspec.MsgspecError as problem:
            raise BAD_PLAN(why=str(problem)) from None


def _draw_some(
    chance: random.Random,
    names: Sequence[str],
    hours: float,
    symbols: Sequence[str],
    per_hour: float,
) -> list[Planned]:
    end_s, at_s, faults = 3_600.0 * hours, QUIET_START_S, []
    while names and per_hour > 0:
        at_s += chance.expovariate(per_hour / 3_600.0)
        if at_s >= end_s:
            break
        faults.append(_draw_one(chance, chance.choice(names), at_s, symbols))
    return faults


def _draw_one(chance: random.Random, kind: str, at_s: float, symbols: Sequence[str]) -> Planned:
    shape = KINDS[kind]
    low, high = shape.seconds
    least, most = shape.times
    planned = Planned(kind, round(at_s, 3), draw=chance.getrandbits(32))
    if shape.per_symbol:
        planned = replace(planned, symbol=chance.choice(list(symbols)))
    if shape.channels:
        planned = replace(planned, channel=chance.choice(shape.channels))
    return replace(
        planned,
        count=chance.randint(least, most),
        seconds=round(low + (high - low) * chance.random() ** 2, 3),
    )
