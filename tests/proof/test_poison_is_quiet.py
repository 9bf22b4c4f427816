"""No alarm where nothing leaks: the whole library, the walkthrough, the demo."""

from __future__ import annotations

import itertools
import json

import pytest

from qf.bar_clock import bar_rules
from qf.demo.batch import NAME, OWN_FILES
from qf.errors import QuantflowError
from qf.language.passes.across import compares_symbols
from qf.op import family
from qf.project import open_project
from qf.project.scaffold import draft_project, write_project
from qf.proof.poison import poison
from tests.acceptance.projects import make_project
from tests.formula.sample import compile_example
from tests.proof.leak_project import make

BARS = [
    {"type": "dollar", "threshold": 50000},
    {"type": "tick", "count": 7},
    {"type": "time", "seconds": 2},
    {"type": "volume", "threshold": 0.7, "overflow": "split"},
    {"type": "imbalance", "k": 2},
    {"type": "run", "window": 4},
    {"type": "hybrid", "volume": 1, "max_seconds": 3},
    {"type": "dollar", "threshold": 30000, "overflow": "carry", "reset": "day"},
    {"type": "imbalance_afml", "ticks": 20, "window": 200},
    {"type": "run_afml", "ticks": 20, "window": 200},
    {"type": "volatility", "bps": 10},
    {"type": "cusum", "bps": 5},
    {"type": "adaptive", "share": 0.002, "first": 30000},
]
STALENESS = [{"ttl_ms": 300, "action": name} for name in ("decay", "invalidate", "hold")]


def examples(engine="machine"):
    """Return a formula for every function that `engine` computes, and which of them read bars."""
    found, on_bars = {}, set()
    for op in (*family("ops"), *family("detectors")):
        if compares_symbols(op):  # tests/cross holds them to it
            continue
        try:
            graph = compile_example(op.example)
        except QuantflowError as error:
            assert error.code == "QF104", (op.name, error)  # the engine's own: no formula's
            continue
        if any(engine in used.gaps for used in graph.ops.values()):  # it says why
            continue
        known = f"where({op.example}, 1, 0)" if graph.kind == "bool" else op.example
        name = f"{op.name.rstrip('_')}_seen"
        found[name] = known
        if graph.clock != "tick":
            on_bars.add(name)
    return found, on_bars


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Give a project that uses every op, aggregation, normaliser, staleness rule, bar, label."""
    return library_for("machine", tmp_path_factory.mktemp("quiet") / "library")


@pytest.fixture(scope="module")
def twinned(tmp_path_factory):
    """Give the same without the ops that declare they have no Polars rule: both engines run it."""
    return library_for("polars", tmp_path_factory.mktemp("quiet") / "twinned")


def library_for(engine, folder):
    types, on_bars = examples(engine)
    make(folder, types, bars=BARS, bar_types=on_bars)
    path = folder / ".definitions" / "features" / "chosen.yml"
    chosen = json.loads(path.read_text())
    folds = [op.name for op in family("aggregations") if op.signature.inputs[0].name == "x"]
    folds = [name for name in folds if name not in ("last_int", "latest", "bit_or")]
    rules = [
        {"method": op.name} | ({} if op.name in ("none", "minmax") else {"window": 9})
        for op in family("normalizers")
    ]
    clocks = ["dollar_k_50000", "tick_k_7", "time_s_2", "volume_k_0p7_split", "imbalance_k_2"]
    turns = zip(*map(itertools.cycle, (folds, rules, [None, *STALENESS], clocks)), strict=True)
    for row, (fold, rule, stale, clock) in zip(chosen["signal_features"], turns, strict=False):
        row |= {"normalization": rule}
        if row["name"] in on_bars:  # made on the bars that `make` chose: nothing to fold
            continue
        row |= {"bar_aggregation": fold, "bar": clock}
        row |= {"staleness": stale} if stale else {}
    path.write_text(json.dumps(chosen))
    return open_project(folder)


def test_everything_of_the_library_is_in_the_project(library):
    features = [each for chosen in library.feature_sets for each in chosen.features]
    types, on_bars = examples()
    assert len(features) > 60 and on_bars
    assert {each.name for each in features if each.mode == "bar"} == on_bars
    assert {each.name for each in features} == set(types)
    for kind, used in (
        ("normalizers", {each.normalization.method for each in features}),
        ("staleness", {each.staleness.action for each in features if each.staleness}),
    ):
        assert {op.name for op in family(kind)} <= used, kind
    assert {spec.rule for spec in library.bars} == set(bar_rules())


def test_no_part_of_the_library_looks_ahead(library, twinned):
    both = poison(twinned, 1, engines=["machine", "polars"])
    assert both.clean, "\n".join(both.lines())
    assert both.engines == ["machine", "polars"]
    machine = poison(library, 6, seed=1, engines=["machine"])
    assert machine.clean, "\n".join(machine.lines())
    assert len(machine.kinds) == 9


def test_the_walkthrough_is_quiet(shared, shared_data, tmp_path):
    source = shared / "walkthrough" / "breakout_alpha"
    project = open_project(make_project(tmp_path / "breakout_alpha", shared_data, "spot", source))
    report = poison(project, 5, engines=["machine", "polars", "frames"])
    print("\n".join(report.lines()))
    assert report.clean, "\n".join(report.lines())
    empty = {name for name, rows in report.tables.items() if not rows}
    assert len(report.tables) >= 9
    assert not empty


def test_the_demo_is_quiet(tmp_path):
    folder = tmp_path / NAME
    write_project(folder, draft_project(NAME, "crypto", OWN_FILES))
    report = poison(open_project(folder), 2, engines=["machine", "polars", "frames"])
    assert report.clean, "\n".join(report.lines())


def test_the_same_seed_tries_the_same(tmp_path):
    project = open_project(make(tmp_path / "plain"))
    first, again, other = (poison(project, 4, seed, engines=["machine"]) for seed in (1, 1, 2))
    assert first.json() == again.json()
    assert first.rows != other.rows
