"""What the library tells of popular variants of its estimators: one file per topic, found by name.

A topic is asked for by its name, by another name it goes by, or by anything of ours it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from qf.errors import diagnostic, nearest
from qf.project.document import read_document
from qf.project.feature_types import LIBRARY, WRONG_FILE, library_files
from qf.project.structs.variants_file import VariantsFile
from qf.project.validate import try_validate

NO_TOPIC = diagnostic(
    "QF294", "the library tells of no variants of {name!r}", hint="it tells of: {known}"
)


@dataclass(frozen=True)
class Variant:
    """One way that people compute an estimator; `here` names what we have of it."""

    name: str
    by: str
    does: str
    costs: str
    here: tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    """The variants of one estimator."""

    name: str
    title: str
    also: tuple[str, ...]
    about: str
    variants: tuple[Variant, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """Return every name the topic is found by."""
        named = [name for variant in self.variants for name in variant.here]
        return (self.name, *self.also, *dict.fromkeys(named))


def variant_topics() -> Mapping[str, Topic]:
    """Return every topic by name. Errors: QF20x, QF21x, QF236 where a file is wrong."""
    topics = (_read(path) for path in library_files("variants"))
    return {topic.name: topic for topic in topics}


def topics_of(name: str) -> list[Topic]:
    """Return the topic called `name`, or those that name it. Errors: QF294."""
    known = variant_topics()
    if name in known:
        return [known[name]]
    found = [topic for topic in known.values() if name in topic.words]
    if not found:
        words = {word for topic in known.values() for word in topic.words}
        raise NO_TOPIC(name=name, known=", ".join(known), near=nearest(name, words))
    return found


def _read(path: Path) -> Topic:
    source = f"qf/{path.relative_to(LIBRARY.parent).as_posix()}"
    document = read_document(path, source)
    row, errors = try_validate(VariantsFile, document, "a topic of variants")
    if row is None:
        raise errors[0]
    if row.topic != path.stem:
        raise WRONG_FILE(path=source, name=row.topic, place=document.place(("topic",)))
    variants = tuple(
        Variant(each.name, each.by, _line(each.does), _line(each.costs), each.here)
        for each in row.variants
    )
    return Topic(row.topic, row.title, row.also, _line(row.about), variants)


def _line(text: str) -> str:
    return " ".join(text.split())
