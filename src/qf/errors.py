"""Every failure the library can name: a code, one sentence, the place, near names, the next step.

    QuantflowError
      DefinitionError   the user's files or command line are wrong              exit code 2
      RefusedError      a gate said no: the work is sound, the answer is "no"   exit code 1
      RunError          data, disk, engine or network failed at run time        exit code 3

A module declares its diagnostics next to the code that raises them, with `diagnostic(...)`;
codes are unique over the whole package. The parts are data; `str(error)` formats them once.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Point at `length` characters of a text: line and column count from 1."""

    source: str
    line: int
    column: int = 0
    text: str = ""
    length: int = 1

    def render(self) -> str:
        """Return the arrow line, and the quoted line with its caret where the text is known."""
        where = f"  --> {self.source}:{self.line}" + (f":{self.column}" if self.column else "")
        if not self.text:
            return where
        margin = f"{self.line:>5} | "
        caret = " " * (len(margin) - 2) + "| " + " " * (self.column - 1) + "^" * max(1, self.length)
        return f"{where}\n{margin}{self.text}\n{caret}"


class QuantflowError(Exception):
    """Carry code, sentence, place, near names and hint as data."""

    exit_code = 3

    def __init__(
        self,
        code: str,
        sentence: str,
        place: Place | None = None,
        near: tuple[str, ...] = (),
        hint: str = "",
    ) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.place, self.near, self.hint = (
            code,
            sentence,
            place,
            near,
            hint,
        )

    def at(self, place: Place) -> QuantflowError:
        """Return the same error at `place` (used where the raiser cannot know the file)."""
        return type(self)(self.code, self.sentence, place, self.near, self.hint)

    def __str__(self) -> str:
        lines = [f"{self.code} {self.sentence}"]
        if self.place is not None:
            lines.append(self.place.render())
        if self.near:
            lines.append("  did you mean: " + ", ".join(self.near))
        if self.hint:
            lines.append(f"  next: {self.hint}")
        return "\n".join(lines)


class DefinitionError(QuantflowError):
    """Report a mistake in a definition, a file or the command line."""

    exit_code = 2


class RefusedError(QuantflowError):
    """Report that a gate refused: nothing is broken, the answer is no."""

    exit_code = 1


class RunError(QuantflowError):
    """Report a failure of data, disk, engine or network while running."""

    exit_code = 3


@dataclass(frozen=True)
class Diagnostic:
    """One kind of error: code, sentence as a template, class, usual next step."""

    code: str
    sentence: str
    kind: type[QuantflowError]
    hint: str = ""

    def __call__(
        self,
        *,
        place: Place | None = None,
        near: Iterable[str] = (),
        hint: str = "",
        **values: object,
    ) -> QuantflowError:
        """Build the error (the caller raises it); `values` fill the sentence and the hint."""
        return self.kind(
            self.code,
            self.sentence.format(**values),
            place,
            tuple(near),
            hint or self.hint.format(**values),
        )


DIAGNOSTICS: dict[str, Diagnostic] = {}


def diagnostic(
    code: str, sentence: str, kind: type[QuantflowError] = DefinitionError, hint: str = ""
) -> Diagnostic:
    """Declare one diagnostic; a second one with the same code refuses to load."""
    row = Diagnostic(code, sentence, kind, hint)
    if code in DIAGNOSTICS and dataclasses.astuple(DIAGNOSTICS[code])[:2] != (code, sentence):
        raise ValueError(f"diagnostic {code} is declared twice")
    DIAGNOSTICS[code] = row
    return row


def nearest(name: str, known: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """Return up to `count` known names that look like `name`, best first."""
    return tuple(difflib.get_close_matches(name, sorted(known), n=count, cutoff=0.6))


def share_of_hundred(value: object) -> str:
    """Return the next step where a percentage stands for a fraction, "" for anything else."""
    if not isinstance(value, str):
        return ""
    percent = re.fullmatch(r"\s*(-?\d{1,9}(?:\.\d{1,9})?)\s*%\s*", value)
    return f"write it as a fraction: {float(percent[1]) / 100:.12g}" if percent else ""
