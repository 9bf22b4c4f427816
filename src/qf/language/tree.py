"""What a formula text says: five kinds of node, each remembering where in the text it stood.

Operators are calls already (`a + b` is `add(a, b)`), so every pass knows one kind of work. Nodes
are frozen and compare by meaning: the span is not part of what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from qf.language.columns import ColumnInfo

Span = tuple[int, int]  # first character, one past the last


@dataclass(frozen=True, slots=True)
class Number:
    """A number; kind "condition" is true or false (1 or 0), kind "null" is the missing value."""

    value: float
    kind: str = "number"
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted text: a typed window, a duration or a choice."""

    value: str
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A name, perhaps dotted, that no pass has given a meaning yet."""

    value: str
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column."""

    column: ColumnInfo
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function at work on arguments: first those by position, then those by name."""

    name: str
    arguments: tuple[Tree, ...] = ()
    named: tuple[tuple[str, Tree], ...] = ()
    span: Span = field(default=(0, 0), compare=False)
    head: Span = field(default=(0, 0), compare=False)  # the function's name or operator alone
    marks: tuple[Span, ...] = field(default=(), compare=False)  # the names of `named`
    output: str = ""  # which of the function's values: `alarm` in cusum.alarm(…)

    @property
    def called(self) -> str:
        """Return what stands before the parenthesis: `cusum.alarm`."""
        return f"{self.name}.{self.output}" if self.output else self.name


Tree = Number | Text | Name | Leaf | Call

# infix text, precedence (higher binds tighter) and side of every operator, by the op it means
BINARY = {
    "or_": ("or", 1),
    "and_": ("and", 2),
    "lt": ("<", 4),
    "le": ("<=", 4),
    "gt": (">", 4),
    "ge": (">=", 4),
    "eq": ("==", 4),
    "ne": ("!=", 4),
    "add": ("+", 5),
    "sub": ("-", 5),
    "mul": ("*", 6),
    "div": ("/", 6),
    "pow": ("**", 8),
}
UNARY = {"not_": ("not ", 3), "neg": ("-", 7)}
ATOM = 9


def children(tree: Tree) -> tuple[Tree, ...]:
    """Return the arguments of a call, in order; other nodes have none."""
    if isinstance(tree, Call):
        return (*tree.arguments, *(value for _, value in tree.named))
    return ()


def walk(tree: Tree) -> Iterator[Tree]:
    """Yield every node, arguments before the call that takes them (no recursion)."""
    stack: list[tuple[Tree, bool]] = [(tree, False)]
    while stack:
        node, ready = stack.pop()
        below = () if ready else children(node)
        if not below:
            yield node
            continue
        stack.append((node, True))
        stack.extend((child, False) for child in reversed(below))


def count(tree: Tree) -> int:
    """Return the number of nodes."""
    return sum(1 for _ in walk(tree))


def transform(tree: Tree, rule: Callable[[Tree], Tree]) -> Tree:
    """Return the tree with `rule` applied to every node, arguments first (no recursion)."""
    made: list[Tree] = []
    for node in walk(tree):
        if isinstance(node, Call):
            total = len(node.arguments) + len(node.named)
            below = tuple(made[len(made) - total :])
            del made[len(made) - total :]
            plain, rest = below[: len(node.arguments)], below[len(node.arguments) :]
            named = tuple((name, new) for (name, _), new in zip(node.named, rest, strict=True))
            node = replace(node, arguments=plain, named=named)
        made.append(rule(node))
    return made[0]


def move(tree: Tree, span: Span) -> Tree:
    """Return the tree with every node at `span`: text that a function wrote stands at its call."""

    def rule(node: Tree) -> Tree:
        if isinstance(node, Call):
            return replace(node, span=span, head=span, marks=(span,) * len(node.named))
        return replace(node, span=span)

    return transform(tree, rule)


def say(name: str) -> str:
    """Return a function's name as a formula writes it: `and` for and_, `+` for add."""
    sign = BINARY.get(name) or UNARY.get(name)
    return sign[0].strip() if sign else name


def write_number(value: float) -> str:
    """Return the shortest text that reads back as the same float64."""
    text = repr(float(value))
    return text.removesuffix(".0")


def write(tree: Tree) -> str:
    """Return the formula text of a tree, with as few parentheses as mean the same."""
    made: list[tuple[str, int]] = []
    for node in walk(tree):
        if isinstance(node, Call):
            total = len(node.arguments) + len(node.named)
            below = made[len(made) - total :]
            del made[len(made) - total :]
            made.append(_write_call(node, below))
        else:
            made.append(_write_leaf(node))
    return made[0][0]


def _write_leaf(node: Tree) -> tuple[str, int]:
    if isinstance(node, Number):
        if node.kind == "null":
            return "null", ATOM
        if node.kind == "condition":
            return ("true" if node.value else "false"), ATOM
        negative = node.value < 0 or str(node.value).startswith("-")
        return write_number(node.value), UNARY["neg"][1] if negative else ATOM
    if isinstance(node, Text):
        return f'"{node.value}"', ATOM
    return (node.column.name if isinstance(node, Leaf) else str(node.value)), ATOM  # type: ignore[union-attr]


def _write_call(node: Call, below: list[tuple[str, int]]) -> tuple[str, int]:
    if node.name in BINARY and len(below) == 2 and not node.named and not node.output:
        sign, rank = BINARY[node.name]
        loose = 1 if rank == 4 else 0  # comparisons do not chain
        right_first = node.name == "pow"
        left = _fence(below[0], rank + (1 if right_first else loose))
        right = _fence(below[1], UNARY["neg"][1] if right_first else rank + 1)
        return f"{left} {sign} {right}", rank
    if node.name in UNARY and len(below) == 1 and not node.named and not node.output:
        sign, rank = UNARY[node.name]
        return sign + _fence(below[0], rank), rank
    plain = [text for text, _ in below[: len(node.arguments)]]
    rest = below[len(node.arguments) :]
    named = [f"{name}={text}" for (name, _), (text, _) in zip(node.named, rest, strict=True)]
    return f"{node.called}({', '.join([*plain, *named])})", ATOM


def _fence(written: tuple[str, int], least: int) -> str:
    text, rank = written
    return text if rank >= least else f"({text})"
