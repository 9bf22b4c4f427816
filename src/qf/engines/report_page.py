"""One HTML file that shows a run: price with its bar clocks, labels, features, and the accounting.

The file holds everything it needs: style, code, the drawing library (uPlot, MIT, vendored with
its licence beside this file) and the data. A content policy in its head forbids every request,
so it can be opened from disk, sent by mail or archived.
"""

from __future__ import annotations

import json
from pathlib import Path

from qf.engines.report_data import Facts, collect
from qf.store.read import Reader

PAGE = Path(__file__).resolve().parent / "page"
PARTS = {
    "/*uplot.css*/": "uPlot.min.css",
    "/*page.css*/": "page.css",
    "/*uplot.js*/": "uPlot.iife.min.js",
    "/*charts.js*/": "charts.js",
    "/*page.js*/": "page.js",
    "{{licence}}": "uPlot.LICENSE",
}


def write_page(run_reader: Reader, path: Path, facts: Facts | None = None) -> Path:
    """Write the page of what `run_reader` reads to `path` and return it.

    The file is replaced at once or not at all. Errors: those of the reader (QF60x).
    """
    page = render(collect(run_reader, facts or Facts()))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(page, encoding="utf-8")
    draft.replace(path)
    return path


def render(data: dict) -> str:
    """Return the page around `data`."""
    page = (PAGE / "page.html").read_text(encoding="utf-8")
    for mark, name in PARTS.items():
        page = page.replace(mark, (PAGE / name).read_text(encoding="utf-8").strip(), 1)
    # the data goes in last, so that nothing in it can be taken for a mark
    return page.replace("/*data*/", _inline(data), 1)


def _inline(data: dict) -> str:
    """Return JSON that cannot end its script element, whatever text it holds."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
