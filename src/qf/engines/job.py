"""A symbol's share of a run as text: it can be done by a thread, a process or another machine.

    ingest    the symbol's sources become its tape               -> where the tape is
    compute   its missing rows are made, into files of a spool   -> intent, files, done

A job and its answer are JSON. What is large goes through files below the project's folder, which
every worker must see: the tape, the saved states, the spool. A worker that does not read the very
definitions that the owner reads refuses, so a mixture of two states of a project is never stored.
"""

from __future__ import annotations

import hashlib
import json
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from qf.engines.parts import code_hash
from qf.engines.row_stream import RowStream
from qf.engines.run_result import SymbolResult
from qf.engines.sources import open_tape as ingest_symbol
from qf.engines.symbol_work import Asked, Clear, Done, Intent, SymbolWork
from qf.errors import DefinitionError, Place, QuantflowError, RefusedError, RunError, diagnostic
from qf.project import open_project
from qf.project.model import Project
from qf.store.change import RunWriter
from qf.store.spool import Spool
from qf.store.stored_features import StoredFeatures
from qf.tape.tape_file import TapeFile, open_tape

OTHER_PROJECT = diagnostic(
    "QF560",
    "the worker on {host} reads other definitions or other code of {folder} than this process",
    RunError,
    "let every worker have this folder and this version of qf; a project that was changed in "
    "Python runs with `executor: local` only",
)
NO_FOLDER = diagnostic(
    "QF561",
    "the worker on {host} does not see the project's folder {folder}",
    RunError,
    "put the project on a disk that all workers share, at the same path",
)

Report = Callable[[str, int, int, str], None]  # stage, done, total, symbol
KINDS = {each.__name__: each for each in (DefinitionError, RefusedError, RunError)}


def fingerprint(project: Project) -> str:
    """Return the hash of everything of a project that decides what a symbol's rows are."""
    shown = [
        project.definitions_hash,
        sorted(project.tables),
        project.symbols,
        [(spec.clock, dict(spec.params)) for spec in project.bars],
        [(spec.name, dict(spec.params), spec.clocks) for spec in project.labels],
        [[f.name for f in each.features] for each in project.feature_sets],
        [project.snapshots, project.enrich, project.costs, project.engine, project.sources],
        [project.history_start_ns, project.micro_batch_size],
        [(p.name, repr(dict(p.settings)), repr(dict(p.options))) for p in project.providers],
        [code_hash(), version("qf")],
    ]
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Answer:
    """What became of a compute job."""

    intent: Intent
    done: Done
    files: dict[str, tuple[str, int]]  # table -> file, rows to be read there


def ingest_job(project: Project, symbol: str, renew: bool) -> str:
    """Return the job that makes a symbol's tape."""
    return json.dumps({"do": "ingest", **_of(project, symbol), "renew": renew})


def compute_job(
    project: Project,
    tape: TapeFile,
    asked: Asked,
    ledger: Mapping[str, Any],
    scratch: Path,
) -> str:
    """Return the job that makes a symbol's missing rows."""
    return json.dumps(
        {
            "do": "compute",
            **_of(project, tape.instrument.symbol),
            "tape": str(tape.folder),
            "cached": tape.cached,
            "asked": {**asdict(asked), "groups": sorted(asked.groups)},
            "ledger": dict(ledger),
            "scratch": str(scratch),
        }
    )


def _of(project: Project, symbol: str) -> dict[str, str]:
    return {"project": str(project.folder), "mark": fingerprint(project), "symbol": symbol}


def carry_out(
    text: str, report: Report, project: Project | None = None, stream: RowStream | None = None
) -> str:
    """Do a job and return its answer; what the library refuses is an answer too.

    Without a project the one in the job's folder is opened; it stays open for the next job. With a
    stream, rows are handed over there, and written to files besides.
    """
    job = json.loads(text)
    try:
        with _opened(job, project) as found:
            if job["do"] == "ingest":
                made = _ingest(found, job, report)
            else:
                made = _compute(found, job, report, stream)
    except QuantflowError as error:
        made = {"error": _told(error)}
    return json.dumps(made)


def read_tape(text: str) -> TapeFile:
    """Return the tape that an ingest job has made. Errors: those of the job."""
    told = _read(text)
    return open_tape(Path(told["tape"]), told["cached"], told["kept_files"])


def read_answer(text: str, tape: TapeFile) -> Answer:
    """Return what a compute job has made. Errors: those of the job."""
    told = _read(text)
    intent = dict(told["intent"])
    intent["clears"] = [
        Clear(row["table"], row["parts"], (row["span"][0], row["span"][1]))
        for row in intent["clears"]
    ]
    result = dict(told["result"])
    if result["agreements"]:
        from qf.engines.polars_run import Agreement

        result["agreements"] = [Agreement(**row) for row in result["agreements"]]
    done = Done(SymbolResult(tape=tape, **result), told["log"], told["ledger"])
    files = {name: (path, rows) for name, (path, rows) in told["files"].items()}
    return Answer(Intent(**intent), done, files)


def _ingest(project: Project, job: Mapping[str, Any], report: Report) -> dict[str, Any]:
    symbol = job["symbol"]
    tape = ingest_symbol(
        project, symbol, lambda done: report("ingest", done, 0, symbol), job["renew"]
    )
    return {"tape": str(tape.folder), "cached": tape.cached, "kept_files": tape.kept_files}


def _compute(
    project: Project, job: Mapping[str, Any], report: Report, stream: RowStream | None
) -> dict[str, Any]:
    tape = open_tape(Path(job["tape"]), job["cached"])
    given = job["asked"]
    asked = Asked(**{**given, "span": tuple(given["span"]), "groups": frozenset(given["groups"])})
    work = SymbolWork(project, tape, asked, job["ledger"], report)
    intent = work.intent()
    # An attempt has a folder of its own: one that was cut short leaves nothing that is read.
    Path(job["scratch"]).mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{job['symbol']}-", dir=job["scratch"]))
    spool = Spool(folder)
    if stream is not None:
        stream.begin(intent)
        spool = Spool(folder, stream.give)
    writer = RunWriter(None, project.name, spool)
    work.make(
        writer, StoredFeatures(project.paths.parquet, project.name, intent.venue, intent.symbol)
    )
    done = work.done(writer)
    result = asdict(replace(done.result, tape=None, barriers={}))
    del result["tape"]
    to_read = writer.counts if stream is None else Counter()
    return {
        "intent": asdict(intent),
        "log": done.log,
        "ledger": done.ledger,
        "result": result,
        "files": {name: (path, to_read[name]) for name, path in spool.finish().items()},
    }


class _Desk:
    """The project that is open in this process: functions of one project can be loaded at a time.

    Jobs of the same project share it, one of another project waits until they have ended.
    """

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._project: Project | None = None
        self._key, self._users = ("", ""), 0

    @contextmanager
    def open(self, folder: str, mark: str) -> Iterator[Project]:
        """Hold the project in a folder, of this fingerprint. Errors: QF2xx, QF560, QF561."""
        with self._turn:
            self._turn.wait_for(lambda: not self._users or self._key == (folder, mark))
            if self._key != (folder, mark):
                self._key = ("", "")
                self._project = _same(folder, mark)
                self._key = (folder, mark)
            self._users += 1
        try:
            assert self._project is not None
            yield self._project
        finally:
            with self._turn:
                self._users -= 1
                self._turn.notify_all()


_DESK = _Desk()


@contextmanager
def _opened(job: Mapping[str, Any], project: Project | None) -> Iterator[Project]:
    if project is not None:
        yield project
        return
    with _DESK.open(job["project"], job["mark"]) as found:
        yield found


def _same(folder: str, mark: str) -> Project:
    host = socket.gethostname()
    if not Path(folder).is_dir():
        raise NO_FOLDER(host=host, folder=folder)
    project = open_project(folder)
    if fingerprint(project) != mark:
        raise OTHER_PROJECT(host=host, folder=folder)
    return project


def _told(error: QuantflowError) -> dict[str, Any]:
    return {
        "kind": type(error).__name__,
        "code": error.code,
        "sentence": error.sentence,
        "place": asdict(error.place) if error.place else None,
        "near": error.near,
        "hint": error.hint,
    }


def _read(text: str) -> dict[str, Any]:
    """Return an answer's values, or raise what the worker was refused."""
    told = json.loads(text)
    error = told.get("error")
    if error is None:
        return told
    place = Place(**error["place"]) if error["place"] else None
    kind = KINDS.get(error["kind"], RunError)
    raise kind(error["code"], error["sentence"], place, tuple(error["near"]), error["hint"])
