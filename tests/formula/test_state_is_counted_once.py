"""What a feature's state costs: columns that several features read count once."""

from qf.language.columns import ColumnTable
from qf.language.compile import compile_formula
from qf.language.state_share import state_share


def graphs(**texts: str):
    return {n: compile_formula(text, table=ColumnTable.tick()) for n, text in texts.items()}


def test_a_formula_alone_owns_all_that_its_graph_says() -> None:
    alone = graphs(a="rolling_std(price, 20) / price")
    share = state_share(alone, "a")
    assert (share.own, share.shared) == (share.total, 0)
    assert share.total == alone["a"].state_bytes


def test_two_equal_formulas_own_nothing_and_cost_as_much_as_one() -> None:
    one = state_share(graphs(a="rolling_std(price, 20)"), "a")
    both = state_share(graphs(a="rolling_std(price, 20)", b="rolling_std(price, 20)"), "a")
    assert (both.own, both.shared, both.total) == (0, one.total, one.total)


def test_what_is_owned_and_what_is_shared_add_up() -> None:
    texts = {
        "a": "rolling_mean(price, 50) - price",
        "b": "rolling_mean(price, 50) / rolling_std(size, 10)",
        "c": "lag(size, 200)",
    }
    made = graphs(**texts)
    shares = {name: state_share(made, name) for name in made}
    total = shares["a"].total
    assert {share.total for share in shares.values()} == {total}
    without = state_share({name: made[name] for name in ("a", "c")}, "a").total
    assert total - without == shares["b"].own  # the longest look-back is c's, with and without b
    assert sum(share.own for share in shares.values()) < total
    assert shares["a"].shared > 0
