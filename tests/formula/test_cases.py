"""Each pass does what its fixture says, and what it does changes no bit of the answer."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from formula.sample import (
    compile_plainly,
    context_of,
    graph_of,
    market,
    run_graph,
    same_bits,
)
from qf.errors import DefinitionError
from qf.language.context import Value, functions
from qf.language.parse import parse
from qf.language.passes import ORDER
from qf.language.passes.fold import fold
from qf.language.passes.inline import inline
from qf.language.passes.resolve import resolve
from qf.language.passes.share import share
from qf.language.source import Source
from qf.language.tree import write
from qf.op import Op
from qf.signature import parse_signature

FOLDER = Path(__file__).parent / "cases"
COLUMNS = market(400, seed=5)


class Case(NamedTuple):
    """Two lines of a fixture, and the parameters named above them."""

    before: str
    after: str
    params: dict[str, Value]


def read_cases(name: str) -> list[Case]:
    cases, params, before = [], {}, ""
    for line in (FOLDER / f"{name}.txt").read_text().splitlines():
        if line.startswith("with "):
            pairs = (pair.split("=") for pair in line.split()[1:])
            params = {name: _value(text) for name, text in pairs}
        elif line.startswith(";"):
            cases.append(Case(before, line[1:].strip(), params))
            params = {}
        elif line and not line.startswith("#"):
            before = line
    return cases


def _value(text: str) -> Value:
    return text == "true" if text in ("true", "false") else int(text)


def cases_of(name: str):
    return pytest.mark.parametrize("case", read_cases(name), ids=lambda case: case.before)


def made_of_a_formula(signature: str, text: str) -> Op:
    def none(**parameters: object) -> int:
        return 0

    parsed = parse_signature(signature)
    op = Op(parsed, "ops", "", "map", none, none, None, none, none, 0.0, "x", "", "")
    op.formula(text)
    return op


SHARE_OF = made_of_a_formula("share_of(x, window: 2..1000 = 10)", "x / rolling_sum(x, window)")
FUNCTIONS = {**functions(), "share_of": SHARE_OF}


@cases_of("inline")
def test_inline_writes_functions_and_parameters_out(case):
    context = context_of(case.before, case.params, FUNCTIONS)
    assert write(inline(parse(context.source), context)) == case.after


@cases_of("inline")
def test_what_inline_writes_means_the_same(case):
    whole = compile_plainly(case.before, case.params, functions=FUNCTIONS)
    written = compile_plainly(case.after, without=(inline,))
    assert same_bits(run_graph(whole, COLUMNS), run_graph(written, COLUMNS))


@cases_of("fold")
def test_fold_computes_what_is_constant(case):
    context = context_of(case.before)
    tree = resolve(inline(parse(context.source), context), context)
    assert write(fold(tree, context)) == case.after


@cases_of("fold")
def test_folding_changes_no_bit(case):
    plain = compile_plainly(case.before, without=(fold,))
    folded = compile_plainly(case.before)
    assert same_bits(run_graph(plain, COLUMNS), run_graph(folded, COLUMNS))


@cases_of("share")
def test_share_makes_equal_parts_one_node(case):
    graph = compile_plainly(case.before)
    assert " | ".join(node.write() for node in graph.nodes) == case.after


@cases_of("share")
def test_sharing_changes_no_bit(case):
    apart = compile_plainly(case.before, without=(share,))
    once = compile_plainly(case.before)
    assert len(once.nodes) <= len(apart.nodes)
    assert same_bits(run_graph(apart, COLUMNS), run_graph(once, COLUMNS))


def test_every_pass_has_a_fixture():
    names = {run.__name__ for run in ORDER} - {"resolve"} | {"share"}
    assert names == {path.stem for path in FOLDER.glob("*.txt")}


def test_a_function_defined_by_itself_is_refused():
    endless = made_of_a_formula("share_of(x, window: 2..1000 = 10)", "share_of(x, window) + 1")
    context = context_of("share_of(price)", functions={**FUNCTIONS, "share_of": endless})
    with pytest.raises(DefinitionError) as caught:
        inline(parse(context.source), context)
    assert caught.value.code == "QF118"


def test_what_a_function_writes_stands_at_its_call():
    context = context_of("price + book_imbalance(2)")
    tree = inline(parse(context.source), context)
    graph = graph_of(fold(resolve(tree, context), context), context)
    spans = {node.span for node in graph.nodes if node.name in ("div", "sub")}
    assert spans == {(8, 25)}
    assert Source("price + book_imbalance(2)").text[8:25] == "book_imbalance(2)"
