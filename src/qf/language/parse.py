"""Read tokens into a tree by precedence climbing; all bounds of a text are held here.

Loosest to tightest: or, and, not, comparison (does not chain), + -, * /, unary -, ** (right).
"""

from __future__ import annotations

from qf.errors import diagnostic
from qf.language.source import Source
from qf.language.tokens import MAX_BYTES, Token, tokenize
from qf.language.tree import BINARY, UNARY, Call, Name, Number, Span, Text, Tree, count

MAX_DEPTH, MAX_NODES = 64, 512

UNEXPECTED = diagnostic("QF103", "expected {expected}, found {found}")
TOO_DEEP = diagnostic("QF105", "the formula nests deeper than {limit} levels")
TOO_MANY = diagnostic("QF106", "the formula has {size} parts; the limit is {limit}")
CHAINED = diagnostic(
    "QF107", "comparisons do not chain", hint="write: a < b and b < c, or use parentheses"
)
NAMED_TWICE = diagnostic("QF108", "the argument {name!r} is given twice")
PLAIN_AFTER_NAMED = diagnostic("QF109", "an argument without a name stands after one with a name")
EMPTY = diagnostic("QF110", "the formula is empty")
HUGE_NUMBER = diagnostic("QF111", "{text} is too large for a float64")

_OPERATORS = {sign: (op, rank) for op, (sign, rank) in BINARY.items()}
_COMPARISON = 4


def parse(source: Source, bounded: bool = True) -> Tree:
    """Return the tree of a formula text; an op's own text is not `bounded`. Errors: QF100-QF111."""
    reader = _Reader(source, bounded)
    if reader.token.kind == "end":
        raise EMPTY(place=source.spot((0, 1)))
    tree = reader.expression(0)
    if reader.token.kind != "end":
        raise reader.unexpected("an operator or the end")
    size = count(tree)
    if bounded and size > MAX_NODES:
        raise TOO_MANY(size=size, limit=MAX_NODES)
    return tree


class _Reader:
    """Walk the tokens once; `token` is the next one."""

    def __init__(self, source: Source, bounded: bool) -> None:
        self.source = source
        self.tokens = tokenize(source, MAX_BYTES if bounded else 64 * MAX_BYTES)
        self.at = self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, mark: str) -> Token:
        if self.token.text != mark or self.token.kind != "mark":
            raise self.unexpected(f"'{mark}'")
        return self.take()

    def unexpected(self, expected: str) -> Exception:
        token = self.token
        found = "the end" if token.kind == "end" else repr(token.text)
        if token.text == "=":
            return UNEXPECTED(
                expected=expected,
                found=found,
                place=self.source.spot(token.span),
                hint="equality is written ==",
            )
        return UNEXPECTED(expected=expected, found=found, place=self.source.spot(token.span))

    def expression(self, least: int) -> Tree:
        """Read operands joined by operators that bind at least as tightly as `least`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TOO_DEEP(limit=MAX_DEPTH, place=self.source.spot(self.token.span))
        left = self.operand()
        compared = False
        while True:
            token = self.token
            op, rank = _OPERATORS.get(token.text, ("", -1))
            if token.kind not in ("mark", "word") or rank < max(least, 1):
                break
            if rank == _COMPARISON:
                if compared:
                    raise CHAINED(place=self.source.spot(token.span))
                compared = True
            self.take()
            # ** is right-associative and takes a signed exponent: 2 ** -x ** 2
            right = self.expression(UNARY["neg"][1] if op == "pow" else rank + 1)
            left = Call(op, (left, right), (), (left.span[0], right.span[1]), token.span)
        self.depth -= 1
        return left

    def operand(self) -> Tree:
        token = self.token
        if token.text in ("-", "not") and token.kind in ("mark", "word"):
            self.take()
            op = "neg" if token.text == "-" else "not_"
            below = self.expression(UNARY[op][1])
            span = (token.span[0], below.span[1])
            if op == "neg" and isinstance(below, Number) and below.kind == "number":
                return Number(-below.value, "number", span)
            return Call(op, (below,), (), span, token.span)
        if token.text == "(" and token.kind == "mark":
            self.take()
            tree = self.expression(0)
            self.expect(")")
            return tree
        if token.kind == "number":
            return self.number()
        if token.kind == "text":
            self.take()
            return Text(token.text[1:-1], token.span)
        if token.kind == "word" and token.text in ("true", "false", "null"):
            self.take()
            kind = "null" if token.text == "null" else "condition"
            return Number(float(token.text == "true"), kind, token.span)
        if token.kind == "name":
            self.take()
            if self.token.text == "(" and self.token.kind == "mark":
                return self.call(token)
            return Name(token.text, token.span)
        raise self.unexpected("a number, a name or '('")

    def number(self) -> Number:
        token = self.take()
        value = float(token.text)
        if value in (float("inf"), float("-inf")):
            raise HUGE_NUMBER(text=token.text, place=self.source.spot(token.span))
        return Number(value, "number", token.span)

    def call(self, head: Token) -> Call:
        self.expect("(")
        plain: list[Tree] = []
        named: list[tuple[str, Tree]] = []
        marks: list[Span] = []
        while not (self.token.kind == "mark" and self.token.text == ")"):
            token = self.token
            if token.kind == "name" and self.tokens[self.at + 1].text == "=":
                self.at += 2
                if token.text in [name for name, _ in named]:
                    raise NAMED_TWICE(name=token.text, place=self.source.spot(token.span))
                named.append((token.text, self.expression(0)))
                marks.append(token.span)
            elif named:
                raise PLAIN_AFTER_NAMED(place=self.source.spot(token.span))
            else:
                plain.append(self.expression(0))
            if self.token.text != ",":
                break
            self.take()
        close = self.expect(")")
        span = (head.span[0], close.span[1])
        name, dot, output = head.text.rpartition(".")
        if not dot:
            name, output = head.text, ""
        return Call(name, tuple(plain), tuple(named), span, head.span, tuple(marks), output)
