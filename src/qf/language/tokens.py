"""Cut a formula text into tokens: numbers, quoted texts, names and marks. Nothing is executed.

A name is letters, digits and `_`, dotted where it names a table (`cdm_trade_enriched.price`).
A number is `1`, `1.5`, `.5`, `1e-9`. A text stands in " or ' and knows no escapes.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from qf.errors import diagnostic
from qf.language.source import Source
from qf.language.tree import Span

MAX_BYTES = 4096

TOO_LONG = diagnostic(
    "QF100",
    "the formula has {size} bytes; the limit is {limit}",
    hint="move a part of it into a function of its own: an op file with a formula",
)
BAD_CHARACTER = diagnostic("QF101", "{character!r} has no meaning in a formula")
OPEN_TEXT = diagnostic("QF102", "this text has no closing quote")

WORDS = ("and", "or", "not", "true", "false", "null")
_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)"
    r"|(?P<text>\"[^\"\n]*\"|'[^'\n]*')"
    r"|(?P<mark>\*\*|<=|>=|==|!=|[-+*/<>(),=])",
    re.ASCII,
)


class Token(NamedTuple):
    """One word of a formula; kind is number, text, name, word, mark or end."""

    kind: str
    text: str
    span: Span


def tokenize(source: Source, limit: int = MAX_BYTES) -> list[Token]:
    """Return the tokens of a text, closed by one of kind `end`. Errors: QF100-QF102."""
    text = source.text
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > limit:
        raise TOO_LONG(size=size, limit=limit)
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            spot = source.spot((at, at + 1))
            if text[at] in "\"'":
                raise OPEN_TEXT(place=spot)
            raise BAD_CHARACTER(character=text[at], place=spot, hint=_suggest(text[at]))
        kind = str(match.lastgroup)
        if kind == "name" and match[0] in WORDS:
            kind = "word"
        if kind != "space":
            tokens.append(Token(kind, match[0], match.span()))
        at = match.end()
    tokens.append(Token("end", "", (len(text), len(text) + 1)))
    return tokens


def _suggest(character: str) -> str:
    return {
        "^": "a power is written **",
        "&": "write: and",
        "|": "write: or",
        "!": "write: not, or != for unequal",
        "[": "an earlier value is lag(x, rows)",
        ";": "a formula is one expression",
        "%": "a remainder is x - y * floor(x / y)",
    }.get(character, "")
