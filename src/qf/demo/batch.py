"""The demo's batch half: a seeded market, a batch run, a page to look at.

1. make a project from the crypto template and the demo's own market and labels (once: a second
   demo in the same folder runs the same project again);
2. run it like any project: tape, book, bars, labels, features, tables;
3. read the tables back and draw them into one self-contained HTML file;
4. open that file where a browser is wanted.
"""

from __future__ import annotations

import webbrowser
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from qf.engines.report_data import Facts, LiveFacts, describe_features
from qf.engines.report_page import write_page
from qf.engines.run import RunResult, run_project
from qf.errors import diagnostic
from qf.project import open_project
from qf.project.document import read_document
from qf.project.model import Project
from qf.project.scaffold import PROJECT_FILE, draft_project, write_project
from qf.store.read import Reader

NOT_A_DEMO = diagnostic(
    "QF800",
    "{folder} holds the project {name!r}, which is not the demo",
    hint="choose another folder: qf demo --folder NAME",
)

NAME = "qf_demo"
OWN_FILES = Path(__file__).resolve().parent / "project"
PAGE_FILE = "report.html"

Progress = Callable[[str, int, int, str], None]


@dataclass
class DemoResult:
    """What the demo came to: the run, where the page is, whether a browser took it."""

    run: RunResult
    page: Path
    warnings: list[str] = field(default_factory=list)
    opened: bool = False

    def lines(self) -> list[str]:
        """Return where everything is, for a person."""
        shown = "opened in the browser" if self.opened else "open it in any browser"
        return [
            f"page:    {self.page} ({shown})",
            f"project: {self.page.parent}",
            f"next:    edit it, then: qf run --project {self.page.parent}",
        ]


def run_demo(folder: Path, progress: Progress | None = None) -> DemoResult:
    """Make and run the demo project in `folder` and write its page there.

    Errors: QF283 where the folder holds something else, QF800 where it holds another project,
    and those of a run.
    """
    report = progress or (lambda stage, done, total, note: None)
    folder = folder.resolve()
    project = _project(folder)
    run = run_project(project, progress=report)
    report("page", 0, 1, "")
    page = write_page(_reader(project), folder / PAGE_FILE, facts_of(project, run))
    report("page", 1, 1, "")
    return DemoResult(run, page, [*project.notes, *run.warnings])


def write_anew(result: DemoResult, live: LiveFacts) -> None:
    """Write the page again, with what the live half found."""
    project = open_project(result.page.parent)
    write_page(_reader(project), result.page, replace(facts_of(project, result.run), live=live))


def facts_of(project: Project, run: RunResult) -> Facts:
    """Return what a run knows and the tables do not hold."""
    return Facts(
        accounts={each.symbol: each.accounts for each in run.symbols},
        warnings=tuple(run.warnings),
        features=describe_features(project),
        note=", ".join(provider.kind for provider in project.providers) + " data",
    )


def _project(folder: Path) -> Project:
    file = folder / PROJECT_FILE
    if not file.exists():
        write_project(folder, draft_project(NAME, "crypto", OWN_FILES))
    written = read_document(file, PROJECT_FILE).value
    name = written.get("name") if isinstance(written, dict) else None
    if name != NAME:
        raise NOT_A_DEMO(folder=folder.name, name=name)
    return open_project(folder)


def _reader(project: Project) -> Reader:
    return Reader(project.paths.database, project.name, project.paths.parquet)


def show_page(result: DemoResult) -> None:
    """Hand the page to the desktop's browser, and note whether one took it."""
    try:
        result.opened = webbrowser.open(result.page.as_uri())
    except webbrowser.Error:
        result.opened = False
