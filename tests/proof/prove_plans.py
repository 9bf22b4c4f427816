"""Random programs: ops of every family wired by their signatures, over trades and bars of any rule.

What comes out means nothing; it must only be the same bits however the rows are pushed. So an
int64 input takes any int64 column, and a float one any float column; only times are times.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, field
from functools import cache

from qf.bar_clock import BarClock, add_bars, bar_rules
from qf.errors import QuantflowError
from qf.label_spec import add_label, label_spec
from qf.op import Op, family
from qf.plan import Column, Plan
from qf.signature import Parameter, parse_signature
from qf.testing.contract import map_ops
from qf.testing.contract_bars import rule_clocks, tick_plan

FAMILIES = ("ops", "normalizers", "staleness", "quality", "detectors")
TICK_OPS, BAR_OPS, BAR_CLOCKS, LABELS = 14, 8, 2, 2


@dataclass
class Clock:
    """The columns of one clock that an op may take."""

    time: Column
    floats: list[Column] = field(default_factory=list)
    ints: list[Column] = field(default_factory=list)

    def add(self, column: Column) -> None:
        (self.floats if column.kind == "float" else self.ints).append(column)


@cache
def runnable() -> tuple[Op, ...]:
    return tuple(op for op in map_ops(*FAMILIES) if "kernel" in op.rules)


@cache
def some_clocks() -> tuple[BarClock, ...]:
    return tuple(clock for rule in bar_rules().values() for clock in rule_clocks(rule))


def random_plan(seed: int) -> Plan:
    """Return a plan over `random_tape` with about thirty instructions, some columns read."""
    draw = random.Random(seed)
    plan, tick = tick_plan()
    trades = Clock(tick["processed_time"])
    for column in tick.values():
        trades.add(column)
    grow(plan, trades, draw, TICK_OPS)
    bars = []
    for clock in draw.sample(some_clocks(), BAR_CLOCKS):
        if clock.name in plan.clocks:
            continue
        bar = add_bars(plan, clock, tick)
        rows = Clock(bar["feature_time"])
        for column in bar.values():
            rows.add(column)
        fold(plan, trades, bar, rows, draw)
        grow(plan, rows, draw, BAR_OPS)
        label(plan, bar, rows, trades, draw)
        bars.append((bar, rows))
    if len(bars) == 2:
        see(plan, *bars, draw)
    read_some(plan, draw)
    return plan


def grow(plan: Plan, clock: Clock, draw: random.Random, count: int) -> None:
    """Add ops whose inputs are columns of the clock, those just made as likely as the first."""
    for _ in range(count):
        op = draw.choice(runnable())
        inputs = [
            clock.time if i.kind == "time" else pick(clock, i.kind, draw)
            for i in op.signature.inputs
        ]
        given = {p.name: drawn(p, draw) for p in op.signature.parameters}
        try:
            groups = plan.add(op, inputs, given, row_clock=clock.time.clock)
        except QuantflowError:  # numbers that do not go together, such as a low above its high
            continue
        for group in groups:
            for column in group:
                clock.add(column)


def pick(clock: Clock, kind: str, draw: random.Random) -> Column:
    return draw.choice(clock.floats if kind == "float" else clock.ints)


def drawn(parameter: Parameter, draw: random.Random) -> object:
    if parameter.kind == "choice":
        return draw.choice(parameter.choices)
    if parameter.kind == "duration":
        return int(min(max(draw.choice([5e8, 2e9, 1e10]), parameter.low), parameter.high))
    low, high = max(parameter.low, -5.0), min(max(parameter.low, 25.0), parameter.high)
    if parameter.kind == "int":
        return draw.randint(int(low), int(high))
    return draw.uniform(low, high)


def fold(plan: Plan, trades: Clock, bar: dict, rows: Clock, draw: random.Random) -> None:
    """Fold three columns of the trades into the bars."""
    ops = [op for op in family("aggregations") if len(op.signature.inputs) == 3]
    for op in draw.sample(ops, 3):
        x = pick(trades, op.signature.inputs[0].kind, draw)
        inputs = [x, bar["first_row"], bar["close_row"]]
        rows.add(plan.add(op, inputs, {}, [rows.time.clock])[0][0])


def label(plan: Plan, bar: dict, rows: Clock, trades: Clock, draw: random.Random) -> None:
    """Add labels on the bars; options that do not go together are left out."""
    given = {"volatility": pick(rows, "float", draw), "side": pick(rows, "int", draw)}
    clock = plan.clocks[rows.time.clock]
    for turn, op in enumerate(draw.choices(list(family("labels")), k=LABELS)):
        parameters = parse_signature(sys.modules[op.module].USER).parameters
        user = {p.name: width_or_count(p, draw) for p in parameters if p.name != "horizon"}
        try:
            spec = label_spec(f"{op.name}_{turn}", op.name, user, 0.003)
            kinds = {i.name: i.kind for i in op.signature.inputs}
            tick = {to: pick(trades, kinds[name], draw) for name, to in spec.trades.items()}
            columns = add_label(plan, spec, bar, f"{clock}/{spec.name}", given, tick)
        except QuantflowError:
            continue
        for key, column in columns.items():
            plan.read(key, column)


def width_or_count(parameter: Parameter, draw: random.Random) -> object:
    """Return bars from 1 to 25, and barriers that prices do meet."""
    if parameter.kind == "float":
        return draw.choice([0.0, 0.0004, 0.001, 0.01])
    return drawn(parameter, draw)


def see(plan: Plan, one: tuple, other: tuple, draw: random.Random) -> None:
    """Let one bar clock see the newest row of the other."""
    (there, rows), (here, seen) = one, other
    (op,) = (op for op in family("aggregations") if op.name == "latest")
    inputs = [pick(rows, "float", draw), pick(rows, "int", draw), there["feature_time"]]
    inputs += [there["known_row"], here["known_row"], here["feature_time"]]
    for group in plan.add(op, inputs, {}, [seen.time.clock]):
        seen.add(group[0])
    grow(plan, seen, draw, 2)


def read_some(plan: Plan, draw: random.Random) -> None:
    """Read about half of what the instructions write: what nobody reads may be left out."""
    for place, instruction in enumerate(plan.instructions):
        for first, width in zip(instruction.outputs, instruction.widths, strict=True):
            for k in range(width):
                if draw.random() < 0.5:
                    plan.read(f"{place}:{k}", Column(first.clock, first.place + k, first.kind))
