"""Go on in a new process from what another one saved: nothing is shared but files.

The first process writes the states and a request; this module, run as `python -m`, opens the
project and the tapes anew, compiles the plans, restores, pushes the rest, and answers with the
sums of the rows it made.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from qf.engines.sources import open_tape
from qf.engines.symbol_plan import SymbolPlan, plan_symbol
from qf.errors import RunError, diagnostic
from qf.program import Program
from qf.project import open_project
from qf.project.model import Project
from qf.proof.prove_path import HashingWriter, Rows, Subject, Sums, collect, outputs
from qf.proof.prove_schedule import Leg, Way
from qf.store.hashing import RowSums

NOT_RESTARTED = diagnostic("QF550", "the new process did not finish: {why}", RunError)


def restarted(subjects: Sequence[Subject], ways: Sequence[Way]) -> list[Sums]:
    """Return each symbol's sums when a new process goes on after the first leg. Errors: QF550."""
    with tempfile.TemporaryDirectory(prefix="qf_prove_") as name:
        folder, parts, asked = Path(name), [], []
        for place, (subject, way) in enumerate(zip(subjects, ways, strict=True)):
            state = folder / f"{place}.state"
            sums, sent = _until(subject, way.legs[0], state)
            parts.append(sums)
            asked.append(
                {
                    "symbol": subject.planned.instrument.symbol,
                    "state": state.name,
                    "sent": sent,
                    "legs": [asdict(leg) for leg in way.legs],
                }
            )
        first = subjects[0]
        request = {
            "project": str(first.project.folder.resolve()),
            "groups": sorted(first.project.tables),
            "span": first.span,
            "symbols": asked,
        }
        answers = _ask(folder, request)
    return [_added(one, answer) for one, answer in zip(parts, answers, strict=True)]


def _until(subject: Subject, leg: Leg, state: Path) -> tuple[Sums, list[Any]]:
    """Push the first leg, save to `state`, and return its sums and what its routes have sent."""
    planned = subject.fresh()
    writer = HashingWriter(planned, subject.project.name, subject.span)
    program: Program | None = None

    def kept():
        nonlocal program
        for made in outputs(planned.plan, (leg,), Rows(subject.blocks())):
            program = made[0]
            yield made

    collect(planned, kept(), writer)
    assert program is not None, "a leg has at least one row"
    state.write_bytes(program.save())
    return writer.sums, [route.before for route in planned.routes]


def _ask(folder: Path, request: dict[str, Any]) -> list[dict[str, list[int]]]:
    """Run this module in a new process and return its answer."""
    (folder / "request.json").write_text(json.dumps(request))
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "qf.proof.prove_restart", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        said = ran.stderr.strip().splitlines() or ["no word"]
        # a traceback ends with the error, which may have a hint below it
        why = [line for line in said if not line.startswith(" ")][-1]
        raise NOT_RESTARTED(why=why.removeprefix("qf.errors."))
    return json.loads((folder / "answer.json").read_text())


def _added(sums: Sums, answer: dict[str, list[int]]) -> Sums:
    return {name: found + RowSums(*answer[name]) for name, found in sums.items()}


def answer_request(folder: Path) -> None:
    """Do what `request.json` of a folder asks for and write `answer.json` there."""
    request = json.loads((folder / "request.json").read_text())
    project = open_project(Path(request["project"]))
    answers = [_rest(project, request, each, folder / each["state"]) for each in request["symbols"]]
    (folder / "answer.json").write_text(json.dumps(answers))


def _rest(
    project: Project, request: dict[str, Any], asked: dict[str, Any], state: Path
) -> dict[str, tuple[int, int, int]]:
    """Return the sums, by table, of what one symbol makes after the first leg."""
    tape = open_tape(project, asked["symbol"])
    planned: SymbolPlan = plan_symbol(project, tape.instrument, tape.continuity, request["groups"])
    for route, before in zip(planned.routes, asked["sent"], strict=True):
        route.go_on_from(before)
    start, end = request["span"]
    subject = Subject(project, tape, planned, (start, end))
    first, *legs = (Leg(**leg) for leg in asked["legs"])
    rows = Rows(subject.blocks())
    for _ in rows.pieces(first.rows, first.rows):
        pass  # what the other process has pushed
    writer = HashingWriter(planned, project.name, subject.span)
    made = outputs(planned.plan, legs, rows, saved=state.read_bytes())
    collect(planned, made, writer)
    return {name: sums.words for name, sums in writer.sums.items()}


if __name__ == "__main__":
    answer_request(Path(sys.argv[1]))
