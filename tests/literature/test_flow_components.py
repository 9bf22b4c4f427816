"""The integrated flow: a principal component that numpy agrees with and that knows no future."""

from __future__ import annotations

import numpy as np

import qf

NAMES = "abcdefghij"
CALL = "first_component(a, b, c, d, e, f, g, h, i, j, {rows})"


def component(table, rows):
    """Return the op's values over the columns of a table."""
    columns = {name: np.ascontiguousarray(table[:, k]) for k, name in enumerate(NAMES)}
    return qf.formula(CALL.format(rows=rows), columns=list(NAMES)).run(columns)


def factor_model(rows, seed):
    """Return ten columns that share one factor, and its loadings."""
    draw = np.random.default_rng(seed)
    loadings = np.linspace(0.5, 1.5, 10)
    factor = draw.normal(0.0, 1.0, (rows, 1))
    return factor * loadings + draw.normal(0.0, 0.3, (rows, 10)) + 40.0, loadings


def test_the_weights_are_numpys_first_eigenvector_of_the_stretch_before():
    table, _ = factor_model(600, seed=1)
    found = component(table, 100)
    assert np.isnan(found[:100]).all()
    for stretch in range(1, 6):
        past = table[100 * (stretch - 1) : 100 * stretch]
        vector = np.linalg.eigh(np.cov(past, rowvar=False))[1][:, -1]
        vector *= np.sign(vector.sum()) / np.abs(vector).sum()
        now = slice(100 * stretch, 100 * (stretch + 1))
        assert np.allclose(found[now], table[now] @ vector, rtol=1e-10)


def test_a_planted_factor_is_found():
    """The loading of one column has an error of about .3 / sqrt(rows), .01 here."""
    table, loadings = factor_model(2_000, seed=2)
    later = np.vstack([table[:1_000], np.eye(10) * 1.0])
    weights = component(later, 1_000)[1_000:]
    assert np.abs(weights - loadings / loadings.sum()).max() < 0.01


def test_columns_given_as_zero_weigh_nothing():
    table, _ = factor_model(300, seed=3)
    text = "first_component(a, b, c, 0, 0, 0, 0, 0, 0, 0, 100)"
    columns = {name: np.ascontiguousarray(table[:, k]) for k, name in enumerate("abc")}
    found = qf.formula(text, columns=list("abc")).run(columns)
    vector = np.linalg.eigh(np.cov(table[100:200, :3], rowvar=False))[1][:, -1]
    vector *= np.sign(vector.sum()) / np.abs(vector).sum()
    assert np.allclose(found[200:], table[200:, :3] @ vector, rtol=1e-10)


def test_one_flow_of_all_levels_beats_the_best_level_where_one_cause_moves_them_all():
    """Levels see the cause with noise of their own: the best level alone explains half."""
    draw = np.random.default_rng(4)
    rows, levels = 4_000, 5
    cause = draw.normal(0.0, 1.0, rows)
    change = cause + draw.normal(0.0, 0.3, rows)
    flows = {f"ofi_{k}": cause + draw.normal(0.0, 1.0, rows) for k in range(levels)}
    depth = {f"{s}_size_{k}": np.full(rows, 8.0) for s in ("bid", "ask") for k in range(levels)}
    found = qf.formula("integrated_ofi(5, 2, 500)").run({**flows, **depth})
    move = change + np.r_[np.nan, change[:-1]]
    best = flows["ofi_0"] + np.r_[np.nan, flows["ofi_0"][:-1]]
    known = np.isfinite(found)
    assert known[501:].all()

    def explained(flow):
        return np.corrcoef(flow[known], move[known])[0, 1] ** 2

    print({"integrated": round(explained(found), 3), "best level": round(explained(best), 3)})
    assert explained(best) < 0.55
    assert explained(found) > 0.7
    assert abs(np.std(found[known] * 8.0) / np.sqrt(2.0 * 1.2) - 1.0) < 0.1
