"""The laws about numbers: each runs one op on every case and raises QF820 where it is broken."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from qf.op import Op
from qf.schema import NULL_INT
from qf.testing.contract.cases import ROWS, Case, cases_of, has_kernel
from qf.testing.contract.compare import BROKEN_LAW, close, missing, same_bits, sizes_near
from qf.testing.contract.runs import (
    Columns,
    fresh,
    push,
    run_compiled,
    run_definition,
    run_plain,
    run_polars,
    run_whole,
    twin,
)

LONG = 1_500  # rows that pass the restarts of the longest stretch
POISON = (-7.25e5, 3.5e6)  # two values: one could be right by chance


def kernel_equals_definition(op: Op) -> None:
    """Hold the kernel to the definition on every market, missing rows included."""
    if not has_kernel(op) or "definition" in op.gaps:
        return
    for case in cases_of(op):
        got = run_whole(case)
        want = run_definition(case)
        sizes = sizes_near(want, op.amount("memory", case.bound))
        close(op, "kernel_equals_definition", got, want, where=case.where, sizes=sizes)


def long_runs_do_not_drift(op: Op) -> None:
    """Hold the kernel to the definition late in a long run: many restarts, jumps that have left.

    The definition is asked at a few rows only, so that it may be slow.
    """
    if not has_kernel(op) or "definition" in op.gaps:
        return
    rows = 3_000
    for market, role in (("jumps", "flow"), ("calm", "price"), ("nulls", "free")):
        case = replace(next(cases_of(op)), market=market, role=role)
        asked = [*range(rows - 1, 2_000, -131)]
        got = run_whole(case, rows)
        want = run_definition(case, rows, tuple(asked))
        late = {name: column[asked] for name, column in got.items()}
        near = sizes_near(got, op.amount("memory", case.bound))
        sizes = {name: size[asked] for name, size in near.items()}
        where = f"rows {asked}; {case.where}"
        close(op, "long_runs_do_not_drift", late, want, where=where, sizes=sizes)


def polars_equals_definition(op: Op) -> None:
    """Hold the Polars rule to the definition, missing rows included."""
    if "polars" in op.gaps or "definition" in op.gaps or not has_kernel(op):
        return
    for case in cases_of(op):
        got = run_polars(case, case.columns())
        want = run_definition(case)
        sizes = sizes_near(want, op.amount("memory", case.bound))
        close(op, "polars_equals_definition", got, want, where=case.where, sizes=sizes)


def null_in_stays_defined(op: Op) -> None:
    """Demand that missing inputs give what the definition says, and that the op heals.

    Every fifth value is missing up to row 90 and none after it; `memory` rows later each row has
    a value again where it has one without the holes. Infinities and half-made integers never
    come out.
    """
    if not has_kernel(op):
        return
    law = "null_in_stays_defined"
    for case in _first_cases(op):
        holed = {name: column.copy() for name, column in case.columns().items()}
        draw = np.random.default_rng(5)
        for one in op.signature.inputs:
            hide = (draw.random(ROWS) < 0.2) & (np.arange(ROWS) < 90)
            hide[:1] = True
            if one.kind == "float":
                holed[one.name][hide] = np.nan
            elif one.kind == "int" and one.name != "bits":
                holed[one.name][hide] = NULL_INT
        with_holes = run_compiled(case, holed)
        whole = run_whole(case)
        memory = op.amount("memory", case.bound)
        for name, column in with_holes.items():
            if column.dtype == np.float64 and np.isinf(column).any():
                raise BROKEN_LAW(op=op.name, law=law, what=f"{name} is infinite ({case.where})")
            late = np.arange(ROWS) >= 90 + memory
            stuck = late & missing(column) & ~missing(whole[name])
            if memory and stuck.any():
                row = int(np.argmax(stuck))
                raise BROKEN_LAW(
                    op=op.name,
                    law=law,
                    what=f"{name} is still missing at row {row}, {row - 89} rows after the last "
                    f"hole, though memory is {memory} ({case.where})",
                )


def warmup_is_exact(op: Op) -> None:
    """Demand the first value at row `warmup`: never before it, and on some market just there.

    A time window may be too short to hold the rows that a value needs; some other must then do.
    """
    if not has_kernel(op):
        return
    law = "warmup_is_exact"
    firsts: dict[tuple[tuple[str, object], ...], list[int]] = {}
    in_time = any(parameter.kind == "duration" for parameter in op.signature.parameters)
    for case in cases_of(op):
        made = run_whole(case)
        have = np.logical_or.reduce([~missing(c) for c in made.values() if c.dtype == np.float64])
        if not np.shape(have):  # only integer outputs: these need no history by themselves
            have = np.ones(ROWS, bool)
        first = int(np.argmax(have)) if have.any() else ROWS
        warmup = op.amount("warmup", case.bound)
        if first < warmup:
            what = f"a value at row {first}, warm-up is {warmup} ({case.where})"
            raise BROKEN_LAW(op=op.name, law=law, what=what)
        if case.market != "nulls" and warmup < ROWS and _says_anything(case):
            firsts.setdefault(() if in_time else case.parameters, []).append(first - warmup)
    for parameters, late in firsts.items():
        if min(late) > 0:
            what = f"no value before row warm-up + {min(late)} on any market ({dict(parameters)})"
            raise BROKEN_LAW(op=op.name, law=law, what=what)


def _says_anything(case: Case) -> bool:
    """Say whether the definition has any value here (`missing()` never has)."""
    if "definition" in case.op.gaps:
        return True
    return any(not missing(column).all() for column in run_definition(case).values())


def the_past_never_changes_when_the_future_does(op: Op, cuts: Sequence[int] = (3, 40, 151)) -> None:
    """Replace everything after a cut by garbage: no bit before it may change, in one push."""
    if not has_kernel(op):
        return
    law = "the_past_never_changes_when_the_future_does"
    for case in _first_cases(op):
        columns = case.columns()
        whole = run_whole(case)
        for cut in cuts:
            for poison in POISON:
                other = {name: column.copy() for name, column in columns.items()}
                for one in op.signature.inputs:
                    _spoil(other, one.name, one.kind, cut, poison)
                got = run_compiled(case, other)
                past = {name: column[:cut] for name, column in got.items()}
                want = {name: column[:cut] for name, column in whole.items()}
                same_bits(op, law, past, want, where=f"future spoilt from row {cut}; {case.where}")


def _spoil(columns: Columns, name: str, kind: str, cut: int, poison: float) -> None:
    column = columns[name]
    if kind == "time":  # stays in order: another future, not an impossible one
        column[cut:] += np.int64(abs(poison)) * np.arange(1, len(column) - cut + 1)
    else:
        column[cut:] = column.dtype.type(poison)


def cutting_the_stream_changes_no_bit(
    op: Op, cuts: Sequence[int] = (1, 2, 23, 24, 25, 100, 101, 192, 1100), block: int = 32
) -> None:
    """Cut the stream, and at each cut save, and restore into another program: no bit changes."""
    if not has_kernel(op):
        return
    for case in _first_cases(op):
        check_cut(case, cuts, block)


def check_cut(case: Case, cuts: Sequence[int], block: int) -> None:
    """Compare one case cut at the given rows, in blocks of `block`, with the case in one push."""
    rows = LONG if cuts and max(cuts) >= ROWS else ROWS
    columns = case.columns(rows)
    whole = run_whole(case, rows)
    program, saved = fresh(case, block)
    twins = program, twin(case, block)
    parts = []
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < rows}), rows]
    for turn, (low, high) in enumerate(itertools.pairwise(edges)):
        program = twins[turn % 2]
        program.restore(saved)
        parts.append(push(program, {name: c[low:high].copy() for name, c in columns.items()}))
        saved = program.save()
    got = {name: np.concatenate([part[name] for part in parts]) for name in whole}
    where = f"cut at {edges[1:-1]}, blocks of {block}; {case.where}"
    same_bits(case.op, "cutting_the_stream_changes_no_bit", got, whole, where=where)


def plain_python_equals_compiled(op: Op) -> None:
    """Demand that the kernel's text means in Python what it means compiled.

    Bit for bit for exact ops, else within four units in the last place (libm may differ).
    """
    if not has_kernel(op):
        return
    law = "plain_python_equals_compiled"
    for case in _first_cases(op):
        got, want = run_plain(case, (0, 57, 64, ROWS), POISON[0]), run_whole(case)
        close(op, law, got, want, where=case.where, tolerance=0.0 if op.tolerance == 0.0 else 1e-15)


def lookback_is_enough(op: Op) -> None:
    """Poison all history older than `lookback` rows: no bit may change."""
    if not has_kernel(op) or not op.signature.inputs:
        return
    for case in _first_cases(op):
        edges = (0, 1, 30, 31, 48, 49, 100, 170, ROWS)
        one, other = (run_plain(case, edges, poison) for poison in POISON)
        where = f"older than {op.amount('lookback', case.bound)} rows poisoned; {case.where}"
        same_bits(op, "lookback_is_enough", other, one, where=where)


def memory_is_enough(op: Op) -> None:
    """Demand that a row older than `memory` rows no longer matters (to 1e-8 of the largest value).

    Quality bits travel over exactly that many rows, so it must not be too small.
    """
    if not has_kernel(op):
        return
    for case in _first_cases(op):
        memory = op.amount("memory", case.bound)
        start = 60 + memory
        if memory == 0 or start >= ROWS:
            continue
        columns = {name: column.copy() for name, column in case.columns().items()}
        want = run_whole(case)
        for one in op.signature.inputs:
            if one.kind == "float":  # every value up to row 60 differs, and stays in its range
                columns[one.name][:61] = columns[one.name][60::-1] + (one.name[:4] != "cond")
        got = run_compiled(case, columns)
        sizes = {
            name: max(float(np.abs(c[~missing(c)]).max(initial=0)) for c in (want[name], got[name]))
            for name in want
        }
        late = {name: column[start:] for name, column in got.items()}
        still = {name: column[start:] for name, column in want.items()}
        where = f"rows 0..60 changed, memory {memory}; {case.where}"
        allowed = max(1e-8, op.tolerance)
        close(op, "memory_is_enough", late, still, where=where, tolerance=allowed, sizes=sizes)


def _first_cases(op: Op) -> list[Case]:
    """Return one calm, one holed and one tied case of every parameter set."""
    cases = list(cases_of(op))
    wanted = [("calm", "free"), ("nulls", "free"), ("ties", "price")]
    first = [c for c in cases if c.parameters == cases[0].parameters]
    chosen = [c for c in first if (c.market, c.role) in wanted]
    others: dict[object, Case] = {}
    for case in cases:
        if case.parameters != cases[0].parameters:
            others.setdefault(case.parameters, case)
    return chosen + list(others.values())
