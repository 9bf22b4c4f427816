"""A topic of estimators: how popular variants differ, what that costs, and what we have of each."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from qf.project.structs.struct import Name, Struct, Text

Sentence = Annotated[str, Field(min_length=10, max_length=2_000)]


class TopicVariantRow(Struct):
    """One variant; `here` names our functions, types, bars, labels or detectors of it."""

    name: Annotated[str, Field(min_length=3, max_length=80)]
    by: Text = ""
    does: Sentence
    costs: Sentence
    here: tuple[Name, ...] = ()


class VariantsFile(Struct):
    """A file of `library/variants`."""

    topic: Name
    title: Annotated[str, Field(min_length=3, max_length=80)]
    also: tuple[Name, ...] = ()
    about: Sentence
    variants: Annotated[tuple[TopicVariantRow, ...], Field(min_length=2)]
