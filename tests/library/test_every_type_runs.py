"""Every feature type of the library on the seeded market: laws of its values, no two of them twins.

The market is computed once, by one project that has all types as features.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from house.walk import ROOT
from library.ranges import Range
from library.twins import twins, varies
from qf.errors import QuantflowError
from qf.gallery.market import Gallery, compute, graph_of
from qf.gallery.page import FOLDER, pictures
from qf.gallery.picture import MAX_BYTES, points_of
from qf.language.units import parse_unit
from qf.project.document import parse_document
from qf.project.feature_types import TypeBook, bind_parameters

PROBLEMS: list[QuantflowError] = []
BOOK = TypeBook(None, PROBLEMS)
TYPES = [found for found in map(BOOK.get, BOOK.names()) if found is not None]
EACH = pytest.mark.parametrize("found", TYPES, ids=lambda found: found.name)
# Types that have one value on this market, with their defaults.
CONSTANT = {
    "signal_coverage": "the feature that stands for its input has no gaps",
    "tick_rule_share": "no trade of it is at the mid",
}
NUMBERS = ("bps", "bits", "bars", "words")
UNSEEN = {"trade_intensity": "1/s"}  # its function is written out with the seconds as a number
LEAST_SHARE = 0.3  # of the bars behind the warm-up that have a value


@pytest.fixture(scope="module")
def gallery(tmp_path_factory) -> Gallery:
    return compute(tmp_path_factory.mktemp("gallery"))


def test_every_file_of_the_library_is_right():
    assert PROBLEMS == []


@EACH
def test_a_type_reads_what_it_says(found):
    graph = graph_of(found)
    said = {name.rpartition(".")[2] for name in found.required_inputs}
    families = {name.rpartition("_")[0] for name in graph.columns}
    assert set(graph.columns) <= said | {n for n in graph.columns if families & said}


@EACH
def test_a_type_has_values_and_they_lie_in_its_range(found, gallery):
    values = gallery.values[found.name]
    graph = gallery.graphs[found.name]
    rows = graph.warmup_rows if graph.clock != "tick" else 0
    assert np.isnan(values[:rows]).all()
    known = np.isfinite(values)
    first = int(np.argmax(known))
    assert known[first:].mean() > LEAST_SHARE, "too few values"
    assert known.sum() > len(values) // 3, "the market is too short for the defaults"
    by_table = set(graph.ops) & {"classify", "regime_factor", "regime_safe"}
    if not by_table:  # the tables' edges are those of real markets; this one may keep one state
        assert varies(values[known]) != (found.name in CONSTANT), "one value all day, or not so"
    params = bind_parameters(found, {}, parse_document("{}", found.name), ())
    assert Range(found.range, params).outside(values.tolist()) == []


@EACH
def test_a_type_has_the_unit_that_its_formula_gives(found):
    """Parts of a bar, of a basis point or of a bit are pure numbers to a formula."""
    computed = parse_unit(graph_of(found).unit)
    known = computed is not None and found.unit != "the signal's"
    if known and UNSEEN.get(found.name) != found.unit:
        assert pure(computed) == pure(parse_unit(spelt(found.unit))), found.unit


def spelt(unit: str) -> str:
    """Return a unit in the words of formulas: `1 per root of quote` is 1/quote^0.5."""
    unit = re.sub(r" per (bar|trade)$| unit$", "", unit).replace("size", "base", 1)
    return unit.replace(" per root of quote", "/quote^0.5").replace(" per base", "/base")


def pure(unit):
    kept = {"s" if symbol == "ms" else symbol: times for symbol, times in unit or ()}
    return {symbol: times for symbol, times in kept.items() if symbol not in NUMBERS}


def test_no_two_types_are_twins(gallery):
    """Two types that order all bars alike carry the same news; `variant_of` declares a reason."""
    declared = {frozenset((t.name, t.variant_of)) for t in TYPES if t.variant_of}
    found = [pair for pair in twins(gallery.values) if frozenset(pair) not in declared]
    assert found == [], "equal up to a monotone map: drop one, or say variant_of and why"


def test_a_variant_names_a_type_and_differs_in_its_formula():
    for found in TYPES:
        if found.variant_of:
            other = BOOK.get(found.variant_of)
            assert other is not None, f"{found.name}: no type {found.variant_of!r}"
            assert (other.formula, other.mode) != (found.formula, found.mode)


def test_a_renamed_and_a_rescaled_copy_are_found_and_relatives_are_not(gallery):
    draw = np.random.default_rng(3)
    x = draw.normal(0.0, 1.0, 500)
    x[:20] = np.nan
    noise = x * (1.0 + draw.normal(0.0, 1e-15, 500))
    columns = {
        "x": x,
        "scaled": 1e-4 * noise - 3.0,
        "turned": -x,
        "squashed": 1.0 / (1.0 + np.exp(-x)),
        "short": np.where(np.arange(500) < 300, np.nan, 2.0 * noise),
        "absolute": np.abs(x),
        "rounded": np.round(x, 1),
        "lagged": np.roll(x, 1),
        "nearly": x + 1e-2 * draw.normal(0.0, 1.0, 500),
    }
    columns["count"] = columns["clock"] = np.arange(500.0)
    family = {"x", "scaled", "turned", "squashed", "short"}
    pairs = twins(columns)
    assert {name for pair in pairs for name in pair} == family
    assert len(pairs) == 10
    planted = {**gallery.values, "planted": 10.0 * gallery.values["ofi"] + 1.0}
    assert ("ofi", "planted") in twins(planted)


def test_every_picture_is_there_and_shows_the_values_of_now(gallery):
    drawn = pictures(gallery)
    folder = ROOT / "docs" / FOLDER
    assert sorted(path.name for path in folder.iterdir()) == sorted(drawn), "make docs"
    for name, text in drawn.items():
        kept = (folder / name).read_text(encoding="utf-8")
        assert len(kept.encode()) <= MAX_BYTES, name
        before, now = points_of(kept), points_of(text)
        assert [x for x, _ in before] == [x for x, _ in now], f"{name} is out of date: make docs"
        far = sum(abs(a - b) > 1 for (_, a), (_, b) in zip(before, now, strict=True))
        assert far <= len(now) // 20, f"{name} is out of date: make docs"


def test_a_range_is_read_strictly():
    params = {"bins": 8}
    assert Range("[0, 1)").outside([0.0, 1.0, float("nan"), -0.1]) == [1.0, -0.1]
    assert Range("> -1").outside([-1.0, 5.0]) == [-1.0]
    assert Range("[0, ln(bins)]", params).outside([2.0794, 2.08]) == [2.08]
    assert Range("-1, 0 or 1").outside([-1.0, 0.5]) == [0.5]
    assert Range("any").outside([1e300]) == []
    for text in ("", "0 to 1", "[1, 0]", "[0; 1]", ">= x"):
        with pytest.raises(ValueError):
            Range(text, params)
