"""The demo and its page, in a real browser: drawn, silent, self-contained."""

import json
from pathlib import Path

import pytest

from qf.demo.batch import OWN_FILES, run_demo, write_anew
from qf.demo.live import LiveResult, refuse_difference, run_live
from qf.engines.report_data import Facts, LiveFacts, collect
from qf.engines.report_page import render, write_page
from qf.errors import QuantflowError
from qf.project import open_project
from qf.store.read import Reader

# How many colours a canvas shows: one means that nothing was drawn on it.
COLOURS = """
canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return run_demo(tmp_path_factory.mktemp("demo") / "qf_demo")


@pytest.fixture(scope="module")
def browser(chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


class Visit:
    """A page opened from disk, with everything it said and asked for."""

    def __init__(self, browser, path, scheme="light"):
        self.said, self.asked = [], []
        self.page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("#foot:not(:empty)")
        self.page.wait_for_timeout(300)

    def canvases(self):
        return self.page.query_selector_all("canvas")

    def span(self):
        return self.page.evaluate(
            "charts.map(({chart}) => [chart.scales.x.min, chart.scales.x.max])"
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_draws_everything_and_asks_nothing(demo, browser, scheme):
    visit = Visit(browser, demo.page, scheme)
    assert visit.said == []
    assert visit.asked == [demo.page.as_uri()]
    # price, closings, two labels, fifteen features
    assert len(visit.canvases()) == 1 + 1 + 2 + 15
    assert all(canvas.evaluate(COLOURS) > 3 for canvas in visit.canvases())
    assert visit.page.evaluate("document.documentElement.dataset.theme") == scheme


def test_every_feature_clock_label_and_stream_is_named(demo, browser):
    project = open_project(demo.page.parent)
    text = Visit(browser, demo.page).page.inner_text("body")
    for feature in project.feature_sets[0].features:
        assert feature.name in text
    for bar in project.bars:
        assert bar.clock in text
    for label in project.labels:
        assert label.name in text
    for account in demo.run.symbols[0].accounts.values():
        assert f"{account['received']:,}" in text
    assert "NaN" not in text and "undefined" not in text.replace("undefined ", "")


def test_a_zoom_in_one_chart_is_a_zoom_in_all_and_can_be_undone(demo, browser):
    visit = Visit(browser, demo.page)
    whole = visit.span()
    box = visit.page.locator("#price .u-over").bounding_box()
    visit.page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 80)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 0.43 * box["width"], box["y"] + 90, steps=5)
    visit.page.mouse.up()
    visit.page.wait_for_timeout(200)
    near = visit.span()
    assert all(span == whole[0] for span in whole)
    assert all(span == pytest.approx(near[0], abs=1e-6) for span in near)
    assert (near[0][1] - near[0][0]) < 0.1 * (whole[0][1] - whole[0][0])
    visit.page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 80)
    assert "close" in visit.page.inner_text("#price-live")
    visit.page.click("#whole")
    visit.page.wait_for_timeout(200)
    assert visit.span() == whole
    visit.page.locator("#price .u-over").dblclick()
    visit.page.wait_for_timeout(200)
    assert visit.span() == whole
    assert visit.said == []


def test_the_theme_can_be_changed_and_everything_is_drawn_anew(demo, browser):
    visit = Visit(browser, demo.page)
    visit.page.click("#theme")
    visit.page.wait_for_timeout(200)
    assert visit.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert all(canvas.evaluate(COLOURS) > 3 for canvas in visit.canvases())
    assert visit.said == []


def test_the_page_holds_no_address_that_a_browser_would_fetch(demo):
    page = demo.page.read_text()
    assert "default-src 'none'" in page
    for mark in ("src=", 'href="http', "@import", "url(http", "fetch(", "XMLHttpRequest"):
        assert mark not in page, mark
    assert "The MIT License" in page  # the drawing library's


def test_text_from_a_run_cannot_leave_its_place(demo, browser, tmp_path):
    project = open_project(demo.page.parent)
    reader = Reader(project.paths.database, project.name, project.paths.parquet)
    evil = "</script><script>document.title='taken'</script><img src=x onerror=alert(1)>"
    path = write_page(reader, tmp_path / "page.html", Facts(warnings=(evil,), note=evil))
    visit = Visit(browser, path)
    assert evil in visit.page.inner_text("#warnings")
    assert "taken" not in visit.page.title()
    assert visit.asked == [path.as_uri()] and visit.said == []


def test_a_project_without_rows_still_makes_a_page(browser, tmp_path):
    empty = {
        "project": "nothing", "note": "", "warnings": [], "run": {}, "verdicts": [], "tables": [],
        "symbols": [],
    }  # fmt: skip
    path = tmp_path / "page.html"
    path.write_text(render(empty))
    visit = Visit(browser, path)
    assert "wrote no bar" in visit.page.inner_text("#subtitle")
    assert visit.said == []


def test_the_summary_counts_are_the_tables_own(demo):
    project = open_project(demo.page.parent)
    reader = Reader(project.paths.database, project.name, project.paths.parquet)
    data = collect(reader, Facts())
    symbol = data["symbols"][0]
    assert {row["name"]: row["bars"] for row in symbol["clocks"]} == demo.run.symbols[0].bars
    rows = {row["name"]: row["rows"] for row in data["tables"]}
    assert sum(row["rows"] for row in symbol["features"]) == rows["features"]
    assert sum(row["rows"] for row in symbol["labels"]) == rows["cdm_labels"]
    assert all(row["values"] > 0 for row in symbol["features"])
    for label in symbol["labels"]:
        if label["barriers"]:
            assert label["up"] > 0 and label["down"] > 0
            assert label["up"] + label["none"] + label["down"] == label["rows"]
    json.dumps(data, allow_nan=False)


def test_the_live_half_is_killed_and_equals_batch(demo, browser, tmp_path):
    told = []
    lived = run_live(tmp_path / "live", OWN_FILES, lambda *words: told.append(words))
    assert lived.restarts == 1 and lived.frames > 1_000
    assert lived.facts.equal and len(lived.facts.tables) >= 8
    count = len(lived.facts.tables)
    assert f"{count} of {count}" in lived.lines()[1]
    assert ("live", 4, 8, "kill -9") in told
    refuse_difference(lived)
    write_anew(demo, lived.facts)
    visit = Visit(browser, demo.page)
    shown = visit.page.inner_text("#parity")
    assert shown.count("the same, bit for bit") == len(lived.facts.tables)
    assert visit.said == [] and visit.asked == [demo.page.as_uri()]


def test_a_table_that_differs_is_an_error_and_is_seen(demo, browser, tmp_path):
    rows = (("cdm_lob_l2", 12, "aa" * 16, "aa" * 16), ("features", 7, "aa" * 16, "ab" * 16))
    facts = LiveFacts("a story", rows)
    with pytest.raises(QuantflowError, match=r"QF806.*features"):
        refuse_difference(LiveResult(tmp_path, 1, 1, {}, facts))
    write_anew(demo, facts)
    assert "DIFFERENT" in Visit(browser, demo.page).page.inner_text("#parity")


def test_a_second_demo_in_the_same_folder_uses_its_tape_again(demo):
    again = run_demo(demo.page.parent)
    assert again.run.symbols[0].tape.cached
    assert again.run.counts == demo.run.counts
    assert any(str(demo.page) in line for line in again.lines())


def test_the_demo_leaves_another_project_alone(tmp_path):
    from qf.project.scaffold import draft_project, write_project

    folder = tmp_path / "mine"
    write_project(folder, draft_project("mine", "crypto"))
    before = sorted(path for path in folder.rglob("*"))
    with pytest.raises(QuantflowError) as caught:
        run_demo(folder)
    assert caught.value.code == "QF800"
    assert sorted(Path(folder).rglob("*")) == before
