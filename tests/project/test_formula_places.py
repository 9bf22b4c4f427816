"""An error inside a formula points at the right characters of its YAML file."""

from __future__ import annotations

import pytest

from qf.errors import Place, QuantflowError
from qf.project.document import parse_document
from qf.project.formula_place import formula_place

FORMS = {
    "double quotes": 'formula: "abs(one) + two"\n',
    "single quotes": "formula: 'abs(one) + two'\n",
    "plain": "formula: abs(one) + two\n",
    "folded": "name: x\nformula: >\n  abs(one)\n  + two\n",
    "folded and stripped": "formula: >-\n    abs(one)\n    + two\n",
    "literal": "formula: |\n  abs(one)\n  + two\n",
    "plain over two lines": "formula: abs(one)\n  + two\n",
    "quoted over two lines": 'formula: "abs(one)\n  + two"\n',
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("word", ["one", "two", "abs"])
def test_a_word_is_found_where_it_stands(form, word):
    document = parse_document(FORMS[form], "t.yml")
    text = document.value["formula"]
    before = text[: text.index(word)]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    error = QuantflowError("QF000", "wrong", Place("formula", line, column, "", len(word)))
    place = formula_place(document, ("formula",)).at(error).place
    assert place is not None
    row = FORMS[form].split("\n")[place.line - 1]
    assert row[place.column - 1 : place.column - 1 + place.length] == word
    assert place.source == "t.yml"


def test_escapes_inside_quotes_fall_back_to_the_whole_formula():
    document = parse_document('formula: "a \\u002b b"\n', "t.yml")
    error = QuantflowError("QF000", "wrong", Place("formula", 1, 5, "", 1))
    place = formula_place(document, ("formula",)).at(error).place
    assert place is not None and (place.line, place.column) == (1, 10)
