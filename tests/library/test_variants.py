"""What is told of variants names only what exists, and every topic can be asked for."""

from __future__ import annotations

import json

import pytest

from edge.cli_case import qf
from qf.errors import QuantflowError
from qf.op import FAMILIES, load
from qf.project.feature_types import library_files
from qf.project.variants import topics_of, variant_topics

TOPICS = variant_topics()


def known_names() -> set[str]:
    ops = {op.name for op in load(*(f for f in FAMILIES if f != "book")).values()}
    types = {path.stem for path in library_files("feature_types")}
    tables = {path.stem for path in library_files("regimes")}
    return ops | types | tables | {"weighted_mid"}  # the one that is a column


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_a_topic_names_what_exists(topic):
    named = {name for variant in topic.variants for name in variant.here}
    assert named <= known_names(), named - known_names()
    assert named, "a topic without anything of ours"


def test_no_two_topics_go_by_one_name():
    names = [word for topic in TOPICS.values() for word in (topic.name, *topic.also)]
    assert len(names) == len(set(names))


def test_a_topic_is_found_by_what_it_names_and_else_told_nearly():
    assert [topic.name for topic in topics_of("ofi")] == ["ofi"]
    assert "hurst" in [topic.name for topic in topics_of("hurst_rs_plain")]
    with pytest.raises(QuantflowError, match="QF294") as caught:
        topics_of("hurts")
    assert "hurst" in caught.value.near


def test_the_command_tells_them(tmp_path):
    asked = qf("explain ofi --variants", tmp_path)
    assert asked.code == 0 and ".50 to .60" in asked.out and "here   ofi" in asked.out
    assert max(map(len, asked.out.splitlines())) <= 100
    told = json.loads(qf("explain hurst --variants --json", tmp_path).out)
    assert any("37 %" in each["costs"] for each in told[0]["variants"])
    everything = qf("explain --variants", tmp_path)
    assert all(name in everything.out for name in TOPICS)
    wrong = qf("explain nothing_of_the_kind --variants", tmp_path)
    assert wrong.code == 2 and "QF294" in wrong.err
    assert "QF700" in qf("explain ofi --json", tmp_path).err
