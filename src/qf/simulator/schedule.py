"""What goes wrong, and when: a list of faults drawn from a seed, or read from a regression file.

Every seed takes a random subset of the kinds of its profile, so that some seeds are quiet but for
one thing. A fault is data: nothing is drawn when it strikes that the seed does not decide.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from qf.errors import diagnostic, nearest
from qf.exchange.plan import QUIET_START_S, FaultPlan, Planned

UNKNOWN_PROFILE = diagnostic(
    "QF872", "there is no fault profile {name!r}", hint="the profiles are: {known}"
)
VENUES = {
    "binance_coinm": "BTCUSD_PERP",
    "binance_spot": "BTCUSDT",
    "binance_usdm": "ETHUSDT",
}
SINKS = ("", "jsonl", "parquet")
QUEUES = (0, 0, 0, 6)  # so short a queue overflows whenever the disk is slow or the market is not
SETTLE_S = 75.0  # no fault in the last seconds: then everything must be well again
# Faults of the machine that the session runs on, per hour.
MACHINE = {
    "kill": 12.0,
    "kill_in_disk": 12.0,  # inside the nth disk operation from then
    "power_loss": 8.0,
    "power_loss_in_disk": 8.0,
    "disk_full": 2.0,
    "sync_fails": 2.0,
    "slow_disk": 3.0,
    "wall_step": 2.0,
}
MACHINE_LENGTHS_S = {"disk_full": (2.0, 20.0), "slow_disk": (5.0, 40.0)}


class Shape(NamedTuple):
    """What a profile plants: faults of the venue per hour, the machine's as a share, the market."""

    venue_per_hour: float
    machine: float
    intensity: float
    book_alone: bool = False  # the session takes the book's messages, and no trade or quote


PROFILES = {
    "all": Shape(60.0, 1.0, 1.0),
    "venue": Shape(120.0, 0.0, 1.0),
    "machine": Shape(0.0, 2.0, 1.0),
    "busy": Shape(120.0, 2.0, 20.0),
    "storm": Shape(0.0, 10.0, 4.0),
    "calm": Shape(0.0, 0.0, 1.0),
    "lively": Shape(60.0, 1.0, 8.0),
    "book": Shape(60.0, 1.0, 48.0, book_alone=True),
}


class Trouble(NamedTuple):
    """One fault: when, what, for how long, and a number whose meaning is the kind's."""

    at_s: float
    kind: str
    length_s: float = 0.0
    amount: float = 0.0


@dataclass(frozen=True)
class Course:
    """Everything that decides a campaign; `troubles` are the machine's, `planned` the venue's."""

    seed: int
    minutes: float
    profile: str
    venue: str
    intensity: float
    troubles: tuple[Trouble, ...]
    planned: tuple[Planned, ...]
    sink: str = ""  # a sink on the disk, beside the rows that are printed
    queue: int = 0  # frames that the queue holds; 0: as it is shipped

    @property
    def symbol(self) -> str:
        """Return the symbol that is traded."""
        return VENUES[self.venue]

    @property
    def book_alone(self) -> bool:
        """Say whether the session takes nothing but the book's messages."""
        return PROFILES[self.profile].book_alone

    @property
    def parts(self) -> list[Trouble | Planned]:
        """Return everything that can be left out."""
        return [*self.troubles, *self.planned]

    def of(self, parts: Sequence[Trouble | Planned]) -> Course:
        """Return the same course with only these parts."""
        troubles = tuple(each for each in parts if isinstance(each, Trouble))
        planned = tuple(each for each in parts if isinstance(each, Planned))
        return replace(self, troubles=troubles, planned=planned)

    def until(self, minutes: float) -> Course:
        """Return the course cut short: what begins in its last seconds is left out."""
        last = 60 * minutes - SETTLE_S
        parts = [each for each in self.parts if each.at_s <= last]
        return replace(self.of(parts), minutes=minutes)

    def text(self, problem: str) -> str:
        """Return a regression file: what decides the campaign, and what was wrong."""
        told = {**asdict(self), "problem": problem}
        lists = {name: told.pop(name) for name in ("troubles", "planned")}
        lines = [json.dumps(told, indent=2)[:-2] + ","]
        for name, rows in lists.items():
            shown = ",\n".join(f"    {json.dumps(row)}" for row in rows)
            comma = "," if name == "troubles" else ""
            lines.append(
                f'  "{name}": [\n{shown}\n  ]{comma}' if rows else f'  "{name}": []{comma}'
            )
        return "\n".join(lines) + "\n}\n"


def read_course(text: str) -> Course:
    """Return the course of a regression file."""
    told = json.loads(text)
    names = ("seed", "minutes", "profile", "venue", "intensity")
    return Course(
        **{name: told[name] for name in names},
        sink=told.get("sink", ""),
        queue=told.get("queue", 0),
        troubles=tuple(Trouble(*row) for row in told["troubles"]),
        planned=tuple(Planned(**row) for row in told["planned"]),
    )


def draw_course(seed: int, minutes: float, profile: str = "all") -> Course:
    """Return the course of a seed. Errors: QF872."""
    if profile not in PROFILES:
        known = ", ".join(PROFILES)
        raise UNKNOWN_PROFILE(name=profile, known=known, near=nearest(profile, PROFILES))
    shape = PROFILES[profile]
    chance = random.Random(f"{profile}/{seed}")
    venue = chance.choice(sorted(VENUES))
    intensity = shape.intensity * chance.choice((0.5, 1.0, 1.0, 2.0))
    last_s = max(0.0, 60 * minutes - SETTLE_S)
    plan = FaultPlan.draw(seed, last_s / 3600, (VENUES[venue],), shape.venue_per_hour)
    troubles = _draw_troubles(f"{profile}/{seed}", last_s, shape.machine)
    planned = tuple(each for each in plan.faults if each.at_s + each.seconds <= last_s)
    more = random.Random(f"{profile}/{seed}/more")
    sink, queue = more.choice(SINKS), more.choice(QUEUES)
    return Course(seed, minutes, profile, venue, intensity, troubles, planned, sink, queue)


def _draw_troubles(name: str, last_s: float, share: float) -> tuple[Trouble, ...]:
    troubles = []
    for kind, per_hour in sorted(MACHINE.items()):
        own = random.Random(f"{name}/{kind}")
        if own.random() < 0.5 or not share:
            continue
        at = QUIET_START_S
        while True:
            at += own.expovariate(share * per_hour / 3600)
            length = own.uniform(*MACHINE_LENGTHS_S.get(kind, (0.0, 0.0)))
            if at + length > last_s:
                break
            amount = round(own.uniform(-1, 1), 6)
            troubles.append(Trouble(round(at, 3), kind, round(length, 3), amount))
    return tuple(sorted(troubles))
