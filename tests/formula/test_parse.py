"""A text means one tree: operators bind as documented, and a written tree reads back as itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qf.errors import DefinitionError
from qf.language.columns import ColumnTable
from qf.language.compile import compile_formula
from qf.language.parse import parse
from qf.language.source import Source
from qf.language.tree import BINARY, UNARY, Call, Name, Number, Text, Tree, write


def read(text: str) -> Tree:
    return parse(Source(text))


@pytest.mark.parametrize(
    ("text", "fenced"),
    [
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("a / b * c", "(a / b) * c"),
        ("a ** b ** c", "a ** (b ** c)"),
        ("-a ** 2", "-(a ** 2)"),
        ("2 ** -a", "2 ** (-a)"),
        ("-a * b", "(-a) * b"),
        ("a < b + 1", "a < (b + 1)"),
        ("not a < b", "not (a < b)"),
        ("not a and b", "(not a) and b"),
        ("a or b and c", "a or (b and c)"),
        ("a < b and b < c", "(a < b) and (b < c)"),
        ("a == -b", "a == (-b)"),
    ],
)
def test_operators_bind_as_documented(text, fenced):
    assert read(text) == read(fenced)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1e-9", Number(1e-9)),
        (".5", Number(0.5)),
        ("-3", Number(-3.0)),
        ("true", Number(1.0, "condition")),
        ("null", Number(0.0, "null")),
        ("'5s'", Text("5s")),
        ("a.b", Name("a.b")),
        ("f()", Call("f")),
        ("f(a, b=1,)", Call("f", (Name("a"),), (("b", Number(1.0)),))),
        ("a\n + b", Call("add", (Name("a"), Name("b")))),
    ],
)
def test_each_kind_of_word_is_read(text, tree):
    assert read(text) == tree


LEAVES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(Number),
    st.sampled_from([Number(1.0, "condition"), Number(0.0, "condition"), Number(0.0, "null")]),
    st.sampled_from(["price", "size", "cdm_trade_enriched.mid", "and_", "e1"]).map(Name),
    st.sampled_from(["5s", "200 bars", "it's"]).map(Text),
)


def _calls(below: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    one, two = st.tuples(below), st.tuples(below, below)
    named = st.lists(st.tuples(st.sampled_from(["x", "window"]), below), unique_by=lambda p: p[0])
    return st.one_of(
        st.builds(Call, st.sampled_from(sorted(BINARY)), two),
        st.builds(Call, st.sampled_from(sorted(UNARY)), one),
        st.builds(Call, st.just("f"), st.lists(below, max_size=3).map(tuple), named.map(tuple)),
    )


def _as_read(tree: Tree) -> Tree:
    """Return the tree with signed numbers folded, as the parser does."""
    if not isinstance(tree, Call):
        return tree
    given = tuple(_as_read(t) for t in tree.arguments)
    named = tuple((name, _as_read(t)) for name, t in tree.named)
    first = given[0] if given else None
    if tree.name == "neg" and isinstance(first, Number) and first.kind == "number":
        return Number(-first.value)
    return Call(tree.name, given, named)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@given(st.recursive(LEAVES, _calls, max_leaves=25))
def test_a_written_tree_reads_back_as_itself(tree):
    tree = _as_read(tree)
    again = read(write(tree))
    assert again == tree
    assert write(again) == write(tree)


@pytest.mark.parametrize(
    "text",
    [
        "a - (b - c)",
        "a - b - c",
        "a / (b * c)",
        "(a ** b) ** c",
        "a ** b ** c",
        "a ** -b",
        "(-2) ** a",
        "(-a) ** 2",
        "-(a + b)",
        "not (a and b)",
        "(not a) == b",
        "(a < b) == (c < d)",
        "a and (b and c)",
        "f(a, x=b + 1)",
    ],
)
def test_parentheses_are_written_only_where_they_mean_something(text):
    assert write(read(text)) == text


@given(st.text(max_size=60) | st.text("()+-*/<>=!,.\"' \nandortfx0159e_", max_size=80))
def test_any_text_is_a_graph_or_a_placed_error(text):
    try:
        graph = compile_formula(text, table=ColumnTable.tick(5))
    except DefinitionError as error:
        assert error.place is not None and error.code.startswith("QF")
        assert error.place.line <= text.count("\n") + 1
    else:
        assert graph.nodes


def test_every_caret_lies_under_the_word_it_speaks_of():
    text = "price +\n  wrong(size) * 2"
    with pytest.raises(DefinitionError) as caught:
        compile_formula(text, table=ColumnTable.tick(5))
    place = caught.value.place
    assert place is not None
    assert (place.line, place.column, place.length) == (2, 3, 5)
    assert place.text[place.column - 1 :][: place.length] == "wrong"


def test_a_chain_as_long_as_the_bounds_allow_compiles():
    text = "price" + "+price" * 255
    graph = compile_formula(text, table=ColumnTable.tick(5))
    assert len(graph.nodes) == 256
