"""A new project is whole or absent, private where it must be, and overwrites nothing."""

from __future__ import annotations

import os
import stat

import pytest

from qf.errors import QuantflowError
from qf.project.document import parse_document
from qf.project.merge import replace_sections, section_text
from qf.project.opening import open_project
from qf.project.scaffold import CaptureChoice, draft_project, templates, write_project

FIELDS = {"base": "BTC", "quote": "USD", "asset_type": "inverse", "tick_size": "0.1"}
PERP = CaptureChoice(
    "btcusd_perp_capture",
    "binance_coinm",
    "BTCUSD_PERP",
    "/data/some dir/*.gz",
    "ns",
    {**FIELDS, "lot_size": "1", "contract_size": "100", "valid_from": None},
)


def files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("name", templates())
def test_a_project_has_what_the_interface_names(name, tmp_path):
    folder = tmp_path / "p"
    write_project(folder, draft_project("p", name))
    found = files(folder)
    for path in (
        "quantflow_project.yml",
        ".local_config.yml",
        "dagster_workspace.yaml",
        ".gitignore",
        "README.md",
    ):
        assert path in found
    for kind in ("features", "feature_types", "feed_providers", "ops"):
        assert (folder / ".definitions" / kind).is_dir()
    assert stat.S_IMODE(os.stat(folder / ".local_config.yml").st_mode) == 0o600
    assert ".local_config.yml" in (folder / ".gitignore").read_text().split()
    assert not any("{{" in (folder / path).read_text() for path in found)
    assert open_project(folder, environment={}).name == "p"


def test_nothing_is_overwritten_and_nothing_is_left_half_made(tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "mine.txt").write_text("kept")
    with pytest.raises(QuantflowError, match="not empty"):
        write_project(folder, draft_project("p", "blank"))
    assert files(tmp_path) == ["p/mine.txt"]
    draft = draft_project("q", "blank")
    draft.files["README.md/impossible"] = b"a file below a file"
    with pytest.raises(OSError):
        write_project(tmp_path / "q", draft)
    assert files(tmp_path) == ["p/mine.txt"] and len(os.listdir(tmp_path)) == 1


def test_an_empty_folder_may_become_the_project(tmp_path):
    (tmp_path / "p").mkdir()
    write_project(tmp_path / "p", draft_project("p", "blank"))
    assert open_project(tmp_path / "p", environment={}).name == "p"


def test_a_capture_becomes_provider_instrument_and_symbol(tmp_path):
    folder = tmp_path / "p"
    write_project(folder, draft_project("p", "crypto", None, PERP))
    project = open_project(folder, environment={})
    assert project.symbols == ("BTCUSD_PERP",)
    (provider,) = project.providers
    assert (provider.name, provider.path) == ("btcusd_perp_capture", "/data/some dir/*.gz")
    row = project.instrument("binance_coinm", "BTCUSD_PERP")
    assert row is not None
    assert (row.tick_size, row.lot_size, row.contract_size) == ("0.1", "1", "100")
    assert project.instrument("binance_spot", "BTCUSDT") is not None, "the template's row stays"


def test_a_folder_of_definitions_wins_over_the_template(tmp_path):
    source = tmp_path / "source"
    (source / ".definitions" / "features").mkdir(parents=True)
    (source / ".definitions" / "features" / "mine.yml").write_text(
        "name: mine\nexecution_features:\n  - { name: cost, type: spread_bps }\n"
    )
    (source / "project_sections.yml").write_text(
        "# mine\nfeature_engine:\n  features:   # one\n"
        "    - { name: mine, type: mine, bar: tick_k_50 }\n\n"
        "# a section that the template does not have\nalerts: []\n"
    )
    (source / "local_config.yml").write_text("local_cache: { path: elsewhere }\n")
    draft = draft_project("p", "crypto", source)
    diff = draft.diff()
    assert "+    - { name: mine, type: mine, bar: tick_k_50 }" in diff
    assert "elsewhere" not in diff, "the local configuration is never shown"
    write_project(tmp_path / "p", draft)
    project = open_project(tmp_path / "p", environment={})
    assert [found.name for found in project.feature_sets] == ["mine"]
    assert project.local.cache_path == "elsewhere"
    text = (tmp_path / "p" / "quantflow_project.yml").read_text()
    assert "features:   # one" in text and "alerts: []" in text and "costs:" in text


def test_a_link_among_the_definitions_is_refused(tmp_path):
    (tmp_path / "source" / ".definitions").mkdir(parents=True)
    (tmp_path / "source" / ".definitions" / "x.yml").symlink_to("/etc/hostname")
    with pytest.raises(QuantflowError, match="link"):
        draft_project("p", "crypto", tmp_path / "source")


def test_replacing_a_section_leaves_every_other_line_alone():
    text = "# head\na: 1\n\n# about b\nb:\n  - x   # why\n\n# about c\nc: 3\n"
    made = replace_sections(text, {"b": "b: [y]", "d": "d: 4"}, "t.yml")
    assert made == "# head\na: 1\n\n# about b\nb: [y]\n\n# about c\nc: 3\n\nd: 4\n"
    document = parse_document(text, "t.yml")
    assert section_text(document, "b") == "b:\n  - x   # why"
