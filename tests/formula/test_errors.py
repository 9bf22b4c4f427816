"""The whole text of every error of the language is pinned: code, sentence, caret, names, next step.

A golden file is: lines naming the surroundings (`clock:`, `universe:`, `with`, `input`), the
formula, `---`, the text. With QF_UPDATE=1 in the environment the texts are written anew (then read
the diff).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import qf.lower.to_polars  # noqa: F401  declares its diagnostics
from qf.errors import DIAGNOSTICS, DefinitionError, Place, QuantflowError
from qf.language.columns import ColumnInfo, ColumnTable
from qf.language.compile import compile_formula

FOLDER = Path(__file__).parent / "errors"
FILES = sorted(FOLDER.glob("*.txt"))
TICK, BARS = ColumnTable.tick(5), ColumnTable.bars("dollar_k_50000")
RETURNS = {"ret": ColumnInfo("ret", clock="dollar_k_50000")}
ETH = ColumnTable("dollar_k_50000", ("ETHUSDT",), RETURNS)
COMPARED = ColumnTable("dollar_k_50000", ("BTCUSDT",), RETURNS, members=(None, ETH))
HEADS = ("clock:", "universe:", "with ", "input ")

# bounds, warnings and functions of several values have tests of their own; two come while running
ELSEWHERE = {"QF100", "QF105", "QF106", "QF117", "QF118", "QF130", "QF135", "QF136", "QF137"}
ELSEWHERE |= {"QF139", "QF140", "QF134", "QF141"}


def surroundings(head: list[str]) -> dict[str, Any]:
    given: dict[str, Any] = {"table": TICK, "known": (BARS,), "params": {}, "inputs": {}}
    for line in head:
        word, _, rest = line.partition(" ")
        if word == "clock:":
            given |= {"table": BARS, "known": (TICK,)}
        elif word == "universe:":
            given |= {"table": COMPARED, "known": (ETH,)}
        elif word == "with":
            name, _, value = rest.partition("=")
            given["params"][name] = float(value)
        else:
            name, kind, unit, clock = rest.replace(":", "").split()
            given["inputs"][name] = ColumnInfo("breakout_strength", kind, unit, clock)
    return given


def message_of(text: str, given: dict[str, Any]) -> str:
    with pytest.raises(DefinitionError) as caught:
        compile_formula(text, **given)
    return str(caught.value)


def split(path: Path) -> tuple[list[str], str, str]:
    above, _, golden = path.read_text().partition("---\n")
    lines = above.removesuffix("\n").split("\n")
    head = [line for line in lines if line.startswith(HEADS)]
    return head, "\n".join(lines[len(head) :]), golden


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_whole_message_is_as_pinned(path):
    head, text, golden = split(path)
    message = message_of(text, surroundings(head)) + "\n"
    if os.environ.get("QF_UPDATE"):
        path.write_text("\n".join([*head, text]) + "\n---\n" + message)
    assert message == golden or os.environ.get("QF_UPDATE")


def test_every_error_of_the_language_is_pinned():
    pinned = "".join(path.read_text() for path in FILES)
    codes = {code for code in DIAGNOSTICS if code.startswith("QF1")}
    assert sorted(code for code in codes - ELSEWHERE if code not in pinned) == []


def test_no_pinned_message_shows_the_python_behind_it():
    for path in FILES:
        golden = split(path)[2]
        assert golden.startswith("QF") and "Traceback" not in golden and "<qf" not in golden


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("QF100", "price + " * 600 + "price"),
        ("QF105", "(" * 70 + "price" + ")" * 70),
        ("QF105", "-" * 70 + "price"),
        ("QF106", "price" + "+price" * 300),
        ("QF117", " + ".join(["weighted_depth(100)"] * 30)),
    ],
    ids=["bytes", "parentheses", "signs", "parts", "written out"],
)
def test_a_formula_out_of_bounds_is_refused(code, text):
    with pytest.raises(DefinitionError) as caught:
        compile_formula(text, table=ColumnTable.tick(100))
    assert caught.value.code == code


def test_state_is_computed_and_refused_before_anything_is_allocated():
    text = " + ".join(f"lag(rolling_sum(price, {90_000 + i}), {90_000 + i})" for i in range(50))
    with pytest.raises(DefinitionError) as caught:
        compile_formula(text, table=TICK)
    assert caught.value.code == "QF137"


def test_putting_different_units_together_is_a_warning_that_names_both():
    graph = compile_formula("price + size", table=TICK)
    (warning,) = graph.warnings
    assert warning.code == "QF130" and "unlike units, quote/base and base" in str(warning)
    assert compile_formula("price * size + value", table=TICK).warnings == ()


def test_an_error_is_placed_in_the_file_the_formula_came_from():
    line = 'formula: "rolling_sdt(close, window)"'
    place = Place("types/breakout.yml", 14, 11, line)
    with pytest.raises(QuantflowError) as caught:
        compile_formula("rolling_sdt(close, window)", table=BARS, place=place)
    spot = caught.value.place
    assert spot is not None
    assert (spot.source, spot.line, spot.column, spot.length) == ("types/breakout.yml", 14, 11, 11)
    assert spot.text == line
