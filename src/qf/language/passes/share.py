"""Make equal sub-expressions one node: what is written twice is computed once.

(price - rolling_mean(price, 5)) / rolling_mean(price, 5)     five nodes become four
"""

from __future__ import annotations

from dataclasses import replace

from qf.language.graph import Node


def share(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Return the nodes without repeats; the last stays the value."""
    kept: list[Node] = []
    place_of: dict[object, int] = {}
    moved: list[int] = []
    for node in nodes:
        node = replace(node, inputs=tuple(moved[i] for i in node.inputs))
        if node.key not in place_of:
            place_of[node.key] = len(kept)
            kept.append(node)
        moved.append(place_of[node.key])
    return tuple(kept[: moved[-1] + 1])
