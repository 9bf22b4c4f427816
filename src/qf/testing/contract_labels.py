"""The laws of labels: each takes a label op and raises QF820 where it is broken.

Options come from each label's own USER signature and numbers from a ladder, so a new file in
labels/ is held to the laws without a new test.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from qf.errors import QuantflowError
from qf.label_spec import LabelSpec, add_label, label_spec
from qf.op import Op, family
from qf.program import Plan
from qf.schema import NULL_INT
from qf.signature import parse_signature
from qf.testing.contract.compare import BROKEN_LAW, close, same_bits
from qf.testing.contract_bars import Columns, run

BARS = 150
CUTS = (1, 2, 30, 31, 90, 149)
COST = 0.003
_LADDER = (1, 5, 20, 60)
_WIDTHS = (0.001, 0.0004, 0.0, 0.01)
_BAR_INTS = [
    "bar_id",
    "feature_time",
    "known_row",
    "first_row",
    "close_row",
    "open_ticks",
    "second_ticks",
    "high_ticks",
    "low_ticks",
    "close_ticks",
    "side",
]
_BAR_FLOATS = ("close", "vwap", "volatility")


def random_bars(seed: int, bars: int = BARS) -> Columns:
    """Return a bar clock's columns: bars of one trade, ties in time, bars that close before."""
    draw = np.random.default_rng(seed)
    members = draw.choice([1, 2, 9], bars)
    ends = np.cumsum(members)
    steps = draw.integers(-40, 41, (bars, 9)).cumsum(axis=1) // 3
    base = 10_000 + np.cumsum(draw.integers(-9, 10, bars))
    paths = base[:, None] + np.where(np.arange(9) < members[:, None], steps, steps[:, :1])
    last = paths[np.arange(bars), members - 1]
    before = draw.random(bars) < 0.3
    volatility = np.abs(draw.normal(0.0, 0.001, bars))
    volatility[draw.random(bars) < 0.1] = draw.choice([np.nan, 0.0])
    return {
        "bar_id": np.arange(bars) + np.cumsum(draw.random(bars) < 0.1),
        "feature_time": 10**18 + np.cumsum(draw.choice([0, 1, 400_000_000], bars)),
        "known_row": ends - 1 + before,
        "first_row": ends - members,
        "close_row": ends - 1,
        "open_ticks": paths[:, 0],
        "second_ticks": np.where(members > 1, paths[:, 1], NULL_INT),
        "high_ticks": paths.max(axis=1),
        "low_ticks": paths.min(axis=1),
        "close_ticks": last,
        "side": draw.choice([1, -1, 0, NULL_INT], bars, p=[0.45, 0.45, 0.05, 0.05]),
        "close": last / 100,
        "vwap": last / 100 + draw.random(bars),
        "volatility": volatility,
    }


def label_specs(op: Op, seed: int = 0) -> Iterator[LabelSpec]:
    """Yield every combination of options that the label does not refuse, with drawn numbers."""
    draw = np.random.default_rng(seed)
    module: Any = sys.modules[op.module]
    parameters = parse_signature(module.USER).parameters
    options = [p for p in parameters if p.kind == "choice"]
    numbers = [p for p in parameters if p.kind != "choice" and p.name != "horizon"]
    for turn, chosen in enumerate(itertools.product(*(p.choices for p in options))):
        given: dict[str, Any] = {p.name: c for p, c in zip(options, chosen, strict=True)}
        unit = given.get("barrier_unit", "fraction")
        for parameter in numbers:
            ladder: tuple[float, ...] = _LADDER if parameter.kind == "int" else _WIDTHS
            number = ladder[draw.integers(4)]
            if "barrier" in parameter.name and parameter.kind == "float" and unit != "fraction":
                number *= 1000 if unit == "volatility" else 1 / COST
            if parameter.name.endswith("seconds"):
                number = (0.0, 1.0, 3.5, 0.0)[draw.integers(4)]
            given[parameter.name] = number
        try:
            yield label_spec(f"{op.name}_{turn}", op.name, given, COST)
        except QuantflowError:  # a refused option, such as one that needs the book
            continue


def label_plan(spec: LabelSpec) -> Plan:
    """Return a plan that is fed `random_bars` and reads the label's columns."""
    plan = Plan()
    plan.clock("bars")
    bar = {name: plan.feed(name, "int") for name in _BAR_INTS}
    bar |= {name: plan.feed(name) for name in _BAR_FLOATS}
    given = {name: bar[name] for name in ("volatility", "side")}
    for name, column in add_label(plan, spec, bar, "labels", given).items():
        plan.read(name, column)
    return plan


def decided_labels(spec: LabelSpec, bars: Columns) -> Columns:
    """Return what the definition says of whole columns, in the kernel's order."""
    named = {**bars, "position": bars["side"]}
    inputs = spec.op.signature.inputs
    columns = [named[spec.columns.get(i.name, i.name)].tolist() for i in inputs]
    rows = spec.op.rules["definition"](*columns, **spec.parameters)
    kinds = {o.name: np.int64 if o.kind == "int" else np.float64 for o in spec.op.signature.outputs}
    return {name: np.array([row[name] for row in rows], kind) for name, kind in kinds.items()}


def label_equals_definition(op: Op, start: int = 0) -> None:
    """Hold every label to the brute-force definition: the same rows, in the same order."""
    for seed, spec in enumerate(label_specs(op, start), start):
        bars = random_bars(seed)
        got, want = run(label_plan(spec), bars)["labels"], decided_labels(spec, bars)
        where = f"{spec.parameters}, bars {seed}"
        if len(got["label"]) != len(want["label"]):
            what = f"{len(got['label'])} labels, the definition says {len(want['label'])} ({where})"
            raise BROKEN_LAW(op=op.name, law="label_equals_definition", what=what)
        close(op, "label_equals_definition", got, want, where=where, tolerance=1e-15)


def label_ends_after_its_bar(op: Op) -> None:
    """Demand label_end >= feature_time, rows in order of label_end, one per bar at most."""
    for seed, spec in enumerate(label_specs(op)):
        got = run(label_plan(spec), random_bars(1000 + seed))["labels"]
        early = np.flatnonzero(got["label_end"] < got["feature_time"])
        back = np.flatnonzero(np.diff(got["label_end"]) < 0)
        twice = len(set(got["bar_id"].tolist())) != len(got["bar_id"])
        if len(early) or len(back) or twice:
            what = f"{len(early)} end before their bar, {len(back)} out of order, twice: {twice}"
            raise BROKEN_LAW(op=op.name, law="label_ends_after_its_bar", what=what)


def only_decided_labels_are_rows(op: Op, upto: int = 80) -> None:
    """Demand that bars yet to come change no label: what is written early is written for good."""
    for seed, spec in enumerate(label_specs(op)):
        bars = random_bars(2000 + seed)
        plan = label_plan(spec)
        early = run(plan, {name: column[:upto] for name, column in bars.items()})["labels"]
        whole = run(plan, bars)["labels"]
        kept = {name: column[: len(early[name])] for name, column in whole.items()}
        same_bits(op, "only_decided_labels_are_rows", early, kept, where=str(spec.parameters))
        if (whole["label_end"][len(early["label"]) :] < bars["feature_time"][upto - 1]).any():
            what = f"a label was decided, and not written until later ({spec.parameters})"
            raise BROKEN_LAW(op=op.name, law="only_decided_labels_are_rows", what=what)


def cutting_the_bars_changes_no_bit(op: Op) -> None:
    """Cut the bars, save and restore at each cut, in small blocks: no bit of a label changes."""
    for seed, spec in enumerate(label_specs(op)):
        cut_label(spec, 3000 + seed, CUTS, 7)


def cut_label(spec: LabelSpec, seed: int, cuts: Sequence[int], block: int) -> None:
    """Compare one label of bars cut at the given rows with that of one push."""
    bars = random_bars(seed)
    plan = label_plan(spec)
    whole = run(plan, bars)["labels"]
    parts = run(plan, bars, cuts, block)["labels"]
    where = f"{spec.parameters}, cut at {cuts}, blocks of {block}"
    law = "cutting_the_bars_changes_no_bit"
    if len(parts["label"]) != len(whole["label"]):
        raise BROKEN_LAW(op=spec.op.name, law=law, what=f"another number of labels ({where})")
    same_bits(spec.op, law, parts, whole, where=where)


def no_formula_can_call_it(op: Op) -> None:
    """Demand that the label's name means nothing to the language."""
    if op.name in {each.name for each in family("ops")}:
        raise BROKEN_LAW(op=op.name, law="no_formula_can_call_it", what="a function has its name")


LABEL_LAWS = (
    label_equals_definition,
    label_ends_after_its_bar,
    only_decided_labels_are_rows,
    cutting_the_bars_changes_no_bit,
    no_formula_can_call_it,
)
