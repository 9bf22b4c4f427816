"""Prove on a project's own tape that its tables do not depend on how they are computed.

1. what a run does is done once and every table hashed: this is what the others must equal;
2. the same tape is pushed in other ways: other blocks, random cuts, kills and restores, a new
   process, one row at a time, several programs in threads (prove_schedule draws them from a seed);
3. what the project has stored for the range is hashed too;
4. for a way that differs, the plan is searched for the first instruction whose output differs.

It computes with the program, the collector and the writer of a run, and stores nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from qf.clock import wall_ns
from qf.compile import compile_kernels
from qf.engines.run import refuse_empty
from qf.engines.sources import open_tape
from qf.engines.symbol_plan import plan_symbol
from qf.engines.symbol_run import BLOCK_ROWS, run_symbol
from qf.errors import QuantflowError, diagnostic
from qf.project.model import Project
from qf.proof.prove_cross import CrossProof
from qf.proof.prove_find import Finding, find
from qf.proof.prove_path import HashingWriter, Subject, Sums, hashes_of, sums_of
from qf.proof.prove_report import RUN, Proof, Tried
from qf.proof.prove_restart import restarted
from qf.proof.prove_schedule import Effort, Way, draw_ways
from qf.proof.prove_stored import compare_stored
from qf.store.lock import project_lock

NOTHING = diagnostic("QF552", "the project names no symbol to prove", hint="list it under symbols")

# Ways of which the first difference is looked for: each costs as much as itself once more.
SEARCHED = 3

Progress = Callable[[str, int, int, str], None]


def prove(
    project: Project,
    start: int | None = None,
    end: int | None = None,
    effort: Effort | None = None,
    progress: Progress | None = None,
) -> Proof:
    """Compute a project's tables for [start, end) (ns) in many ways and compare their hashes.

    Errors: QF3xx, QF500-QF503, QF510, QF552. A way that fails with an error counts as different.
    """
    effort = effort or Effort()
    report = progress or (lambda stage, done, total, note: None)
    subjects = _subjects(project, (start, end), report)
    compile_kernels([op for each in subjects for op in each.planned.plan.ops()], report)
    cross = CrossProof(subjects)
    reference, sums = _run(subjects, cross)
    share = replace(effort, by_row=max(1, effort.by_row // len(subjects)))
    drawn = [draw_ways(each.rows, share) for each in subjects]
    ways = list(zip(*drawn, strict=True))
    tried = [reference]
    for place, chosen in enumerate(ways):
        report("prove", place, len(ways), chosen[0].name)
        apart = cross.hashes(effort.seed + place)
        tried.append(_try(subjects, chosen, sums, reference, apart))
    report("prove", len(ways), len(ways), "")
    differing = [way for way, each in zip(ways, tried[1:], strict=True) if not each.equal]
    return Proof(
        project=project.name,
        subjects=tuple(subjects),
        effort=effort,
        tried=tuple(tried),
        stored=tuple(compare_stored(subjects, reference.hashes)),
        findings=tuple(_search(subjects, differing[:SEARCHED], report)),
    )


def _subjects(
    project: Project, span: tuple[int | None, int | None], report: Progress
) -> list[Subject]:
    """Return every symbol with its tape, its plan and its rows counted."""
    if not project.symbols:
        raise NOTHING()
    subjects = []
    with project_lock(project.folder, wall_ns(), project.paths.lock):
        for symbol in project.symbols:
            tape = open_tape(project, symbol, lambda done, s=symbol: report("ingest", done, 0, s))
            refuse_empty(tape, symbol, *span)
            planned = plan_symbol(project, tape.instrument, tape.continuity)
            subjects.append(Subject(project, tape, planned, span).counted())
    return subjects


def _run(subjects: Sequence[Subject], cross: CrossProof) -> tuple[Tried, list[Sums]]:
    """Do what a run does, with a writer that hashes."""
    began, sums = time.perf_counter(), []
    project = subjects[0].project
    for each in subjects:
        planned = each.fresh()
        writer = HashingWriter(planned, project.name, each.span)
        run_symbol(project, each.tape, planned, writer, each.span[1], lambda *told: None)
        writer.finish()
        sums.append(writer.sums)
    does = f"what qf run does: batches of {project.micro_batch_size:,}, blocks of {BLOCK_ROWS:,}"
    rows = {name: sum(each[name].rows for each in sums if name in each) for name in _names(sums)}
    seconds = time.perf_counter() - began
    hashes = hashes_of(subjects, sums) | cross.reference()
    return Tried(RUN, does, hashes, seconds, True, rows=rows | cross.rows), sums


def _names(sums: Iterable[Sums]) -> list[str]:
    return sorted({name for each in sums for name in each})


def _try(
    subjects: Sequence[Subject],
    ways: Sequence[Way],
    sums: Sequence[Sums],
    reference: Tried,
    cross: dict[str, str],
) -> Tried:
    """Compute every symbol in its own way of one kind and compare with the run.

    `cross` are the hashes of the cross sets' tables, computed in a way of their own.
    """
    began, error = time.perf_counter(), ""
    hashes: dict[str, str] = {}
    try:
        if ways[0].restart:
            found = restarted(subjects, ways)
        elif ways[0].threads > 1:
            found = _threaded(subjects, ways, sums)
        else:
            found = [sums_of(each, way) for each, way in zip(subjects, ways, strict=True)]
        hashes = hashes_of(subjects, found) | cross
    except QuantflowError as failure:
        error = f"{failure.code} {failure.sentence}"
    does = ways[0].does
    if len(ways) > 1:
        does += f"; the other {len(ways) - 1} symbols alike"
    seconds = time.perf_counter() - began
    return Tried(ways[0].name, does, hashes, seconds, hashes == reference.hashes, error)


def _threaded(subjects: Sequence[Subject], ways: Sequence[Way], sums: Sequence[Sums]) -> list[Sums]:
    """Return each symbol's sums from programs that run at once; of two that differ the wrong one.

    Every symbol runs; where there are fewer than threads, several programs of one run.
    """
    copies = -(-ways[0].threads // len(subjects))
    with ThreadPoolExecutor(ways[0].threads) as pool:
        running = [
            [pool.submit(sums_of, each, way) for _ in range(copies)]
            for each, way in zip(subjects, ways, strict=True)
        ]
        found = [[one.result() for one in each] for each in running]
    return [
        next((one for one in each if _words(one) != _words(mine)), each[0])
        for each, mine in zip(found, sums, strict=True)
    ]


def _words(sums: Sums) -> dict[str, tuple[int, int, int]]:
    return {name: each.words for name, each in sums.items()}


def _search(
    subjects: Sequence[Subject], differing: Sequence[Sequence[Way]], report: Progress
) -> list[Finding]:
    """Return the first difference of every way that differs, each column once.

    A difference that needs several threads or a new process does not show again here.
    """
    findings: dict[tuple[str, int, str], Finding] = {}
    for place, ways in enumerate(differing):
        report("search", place, len(differing), ways[0].name)
        for subject, way in zip(subjects, ways, strict=True):
            found = find(subject, way)
            if found is not None:
                findings.setdefault((found.symbol, found.instruction, found.column), found)
                break
    if differing:
        report("search", len(differing), len(differing), "")
    return list(findings.values())
