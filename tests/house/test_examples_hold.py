"""The examples of docs/adding.md are dropped in as files and held to the suites, as they stand."""

from __future__ import annotations

import importlib.util
import re
import sys

import pytest

from house.walk import ROOT
from qf import op as contract
from qf.feeds.record import Quarantine
from qf.project import open_project
from qf.project.project_ops import load_project_ops, unload_project_ops
from qf.project.scaffold import draft_project, write_project
from qf.testing.contract import broken_laws
from qf.testing.contract.laws import cutting_the_stream_changes_no_bit
from qf.testing.contract_bars import RULE_LAWS
from qf.testing.contract_labels import LABEL_LAWS

BLOCK = re.compile(r"```(?:python|yaml)\n# (\S+)\n(.*?)```", re.DOTALL)
EXAMPLES = dict(BLOCK.findall((ROOT / "docs/adding.md").read_text()))


@pytest.fixture
def built_in(tmp_path):
    """Load an example as a module of the package, and forget it afterwards."""
    contract.load()  # all of them first: what is put back afterwards must be whole
    before, names = dict(contract.BOOK), []

    def load(place):
        path = tmp_path / place.rsplit("/", 1)[-1]
        path.write_text(EXAMPLES[place])
        name = place.removeprefix("src/").removesuffix(".py").replace("/", ".")
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        names.append(name)
        spec.loader.exec_module(module)
        return module

    yield load
    for name in names:
        del sys.modules[name]
    contract.BOOK.clear()
    contract.BOOK.update(before)


def test_every_row_of_the_table_has_an_example():
    families = {place.split("/")[-2] for place in EXAMPLES}
    assert families >= {"ops", "signal", "bars", "feeds", "labels", "detectors"}


@pytest.mark.parametrize("place", [p for p in EXAMPLES if p.startswith(".definitions/ops/")])
def test_a_function_keeps_every_law(place, tmp_path):
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text(EXAMPLES[place])
    try:
        (op,) = load_project_ops(tmp_path, {}, trusted=True)
        assert broken_laws(op) == []
    finally:
        unload_project_ops()


def test_a_feature_type_opens_with_its_project(tmp_path):
    place = ".definitions/feature_types/signal/trade_imbalance.yml"
    folder = tmp_path / "example"
    write_project(folder, draft_project("example", "crypto"))
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    (folder / place).write_text(EXAMPLES[place])
    features = folder / ".definitions/features/flow.yml"
    features.write_text(
        "name: flow\ndescription: One feature.\npattern: breakout\nhorizon_type: intraday\n"
        "mode: tick_to_bar\nnormalization: { warmup_bars: 10 }\nsignal_features:\n"
        "  - name: imbalance\n    type: trade_imbalance\n    inputs: [cdm_trade_enriched]\n"
        "    normalization: { method: none }\n    output_type: scalar\n"
        "    bar_aggregation: last\n"
    )
    text = (folder / "quantflow_project.yml").read_text()
    text = text.replace("type: microstructure_breakout", "type: flow")
    (folder / "quantflow_project.yml").write_text(text)
    (feature,) = open_project(folder).feature_sets[0].features
    assert (feature.type.name, feature.params["window"]) == ("trade_imbalance", 100)


def test_a_bar_rule_keeps_every_law(built_in):
    rule = built_in("src/qf/bars/move.py").op
    assert [law(rule) for law in RULE_LAWS] == [None] * len(RULE_LAWS)


def test_a_label_keeps_every_law(built_in):
    label = built_in("src/qf/labels/next_move.py").op
    assert [law(label) for law in LABEL_LAWS] == [None] * len(LABEL_LAWS)


def test_a_detector_gives_the_same_bits_however_it_is_cut(built_in):
    detector = built_in("src/qf/detectors/jump.py").op
    assert cutting_the_stream_changes_no_bit(detector) is None
    assert [said for said in broken_laws(detector) if "definition" in said] == []


def test_a_venue_reads_its_frame_and_refuses_the_rest(built_in):
    venue = built_in("src/qf/feeds/plain_venue.py")
    frame = b'{"id": 7, "t": 1700000000000, "p": "1.50", "q": "2", "buy": true}'
    (trade,) = venue.parse(frame, 0)
    assert (trade.stream, trade.direction, trade.bids) == ("trade", 1, (("1.50", "2"),))
    with pytest.raises(Quarantine):
        venue.parse(b"{", 0)
