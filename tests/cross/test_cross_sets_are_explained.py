"""`qf features` and `qf explain` know the features of cross sets and what they read."""

from __future__ import annotations

import json

import pytest

from edge.cli_case import qf
from qf.engines.lineage import explain_column
from qf.errors import QuantflowError

TABLE = "feature_vectors_majors"


def test_every_column_has_an_origin_and_its_runs(ran):
    project, reader = ran
    for column in reader.frame(TABLE, limit=1).columns:
        text = explain_column(project, TABLE, column)
        assert text.startswith(f"{TABLE}.{column}\n"), column
        assert "written by:" in text and "run 1" in text, column
    text = explain_column(project, TABLE, "eth_lead")
    assert "BTCUSDT.ret_5bar: features of base on " in text
    assert "ETHUSDT.ret_5bar: features of base on " in text
    assert "up to 2000 ms, then invalidate" in text
    assert "age of the oldest" in explain_column(project, TABLE, "lead_10_age_ms")


def test_an_unknown_column_has_near_names(ran):
    project, _ = ran
    with pytest.raises(QuantflowError) as refused:
        explain_column(project, TABLE, "eth_leed")
    assert refused.value.code == "QF532" and "eth_lead" in refused.value.near
    with pytest.raises(QuantflowError) as refused:
        explain_column(project, "feature_vectors_major", "eth_lead")
    assert refused.value.code == "QF531" and TABLE in refused.value.near


def test_the_commands_show_them(ran):
    project, _ = ran
    told = qf("features --search eth_lead", project.folder)
    assert "features over several symbols" in told.out
    assert "majors" in told.out and "ETHUSDT.ret_5bar - BTCUSDT.ret_5bar" in told.out
    (row,) = json.loads(qf("features eth_lead --json", project.folder).out)["cross_features"]
    assert (row["cross_set"], row["of"], row["symbols"]) == (
        "majors",
        "base",
        list(project.symbols),
    )
    for words in ("features eth_lead", "explain eth_lead"):
        page = qf(words, project.folder)
        assert "feature eth_lead of the cross set majors" in page.out, page.err
    assert "eth_lead" in qf("features eth_leed", project.folder).err
    assert "eth_lead" in qf("explain eth_leed", project.folder).err
