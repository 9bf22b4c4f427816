"""Move an error inside a formula's text to where the formula stands in its YAML file."""

from __future__ import annotations

from dataclasses import dataclass

from qf.errors import QuantflowError
from qf.project.document import Document, Path_


@dataclass(frozen=True)
class FormulaPlace:
    """Where a formula's text stands; `spots` holds line and column (from 0) of each character."""

    document: Document
    path: Path_
    text: str
    spots: tuple[tuple[int, int], ...] = ()

    def at(self, error: QuantflowError) -> QuantflowError:
        """Return `error`, its line and column in the formula turned into the file's."""
        where = error.place
        if where is None or not self.spots:
            return error.at(self.document.place(self.path))
        lines = self.text.split("\n")
        before = sum(len(line) + 1 for line in lines[: where.line - 1])
        offset = min(before + max(0, where.column - 1), len(self.text) - 1)
        line, column = self.spots[offset]
        last_line, last_column = self.spots[min(offset + where.length, len(self.spots)) - 1]
        length = last_column - column + 1 if last_line == line else where.length
        row = self.document.text.split("\n")[line]
        return error.at(self.document.at(line, column, min(length, max(1, len(row) - column))))


def formula_place(document: Document, path: Path_) -> FormulaPlace:
    """Return the place of the text scalar at `path`, character by character where possible."""
    text: str = document.value
    for step in path:
        text = text[step]  # type: ignore[index]
    mark = document.values[path]
    lines = document.text.split("\n")
    line, column = mark.line, mark.column
    if mark.style in ("|", ">"):
        line, column = line + 1, 0
    elif mark.style in ("'", '"'):
        column += 1
    spots: list[tuple[int, int]] = []
    for character in text:
        if character.isspace():
            spots.append((line, column))
            if line < len(lines) and column < len(lines[line]) and lines[line][column].isspace():
                column += 1
            continue
        while line < len(lines) and (column >= len(lines[line]) or lines[line][column].isspace()):
            line, column = (line, column + 1) if column < len(lines[line]) else (line + 1, 0)
        if line >= len(lines) or lines[line][column] != character:
            return FormulaPlace(document, path, text)  # an escape inside quotes: point at it whole
        spots.append((line, column))
        column += 1
    return FormulaPlace(document, path, text, tuple(spots))
