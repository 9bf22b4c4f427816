"""What a formula's state costs in a program that it shares with others.

A program computes what two formulas have in common once: equal nodes are one column, kept as far
back as the longest look-back on its clock. So a formula's bytes are those of the columns and op
states that nobody else needs, and its part in the others is told apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qf.language.graph import Graph

Key = tuple[object, ...]  # what makes two nodes of several graphs the same computation


@dataclass(frozen=True)
class StateShare:
    """Bytes of state of one formula among several."""

    own: int  # of columns and op states that no other formula has
    shared: int  # of those that others have too
    total: int  # of all the formulas together, each column counted once


def state_share(graphs: Mapping[str, Graph], name: str) -> StateShare:
    """Return what the formula `name` costs among `graphs`, which run in one program."""
    users: dict[Key, set[str]] = {}
    words: dict[Key, tuple[int, int]] = {}
    tails: dict[str, int] = {}
    for each, graph in graphs.items():
        for key, (size, columns, reach) in _parts(graph).items():
            users.setdefault(key, set()).add(each)
            words[key] = (size, columns)
            tails[graph.clock] = max(tails.get(graph.clock, 1), reach)
    sizes = {key: 8 * (size + many * tails[str(key[0])]) for key, (size, many) in words.items()}
    own = sum(size for key, size in sizes.items() if users[key] == {name})
    shared = sum(size for key, size in sizes.items() if name in users[key]) - own
    return StateShare(own, shared, sum(sizes.values()))


def _parts(graph: Graph) -> dict[Key, tuple[int, int, int]]:
    """Return words of op state, columns, and rows of the inputs read: per instruction and value.

    Values of one instruction are columns of their own with one state.
    """
    keys: list[Key] = []
    found: dict[Key, tuple[int, int, int]] = {}
    for node in graph.nodes:
        inputs = tuple(keys[place] for place in node.inputs)
        call = (graph.clock, node.name, inputs, node.parameters, node.column)
        keys.append((*call, node.output))
        found[keys[-1]] = (0, 1, 1)
        if node.column is None:
            op, given = graph.ops[node.name], dict(node.parameters)
            words = op.amount("slots", given) + op.amount("ints", given)
            found[call] = (words, 0, op.amount("lookback", given) + 1)
    return found
