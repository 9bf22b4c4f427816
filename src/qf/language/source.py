"""A formula text and where it stands, so that every error can put a caret under the word."""

from __future__ import annotations

from dataclasses import dataclass

from qf.errors import Place


@dataclass(frozen=True)
class Source:
    """A formula's text; `place` is where its first character stands, if it came out of a file."""

    text: str
    place: Place | None = None

    def spot(self, span: tuple[int, int]) -> Place:
        """Return the place of the characters `span[0]` to `span[1]` of the text."""
        first, last = span
        before = self.text[:first]
        line = before.count("\n")
        column = first - (before.rfind("\n") + 1) + 1
        words = self.text.split("\n")[line]
        length = max(1, min(last, first + len(words) - column + 1) - first)
        if self.place is None:
            return Place("formula", line + 1, column, words, length)
        if line == 0:
            shift = max(self.place.column, 1) - 1
            text = self.place.text
            if text[shift : shift + len(words)] != words:
                text, shift = words, 0  # the file folds or escapes the text: quote the formula
            return Place(self.place.source, self.place.line, shift + column, text, length)
        return Place(self.place.source, self.place.line + line, column, words, length)
