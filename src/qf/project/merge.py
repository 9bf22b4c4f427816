"""Edit a YAML file's text by its top-level sections, leaving every other byte as it is."""

from __future__ import annotations

from qf.project.document import Document, parse_document


def sections(document: Document) -> dict[str, tuple[int, int]]:
    """Return top-level key -> its lines [first, end), less what trails it."""
    lines = document.text.split("\n")
    starts = [(document.keys[(key,)].line, key) for key in document.value or {}]
    found = {}
    for place, (line, key) in enumerate(starts):
        end = starts[place + 1][0] if place + 1 < len(starts) else len(lines)
        while end > line + 1 and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
            end -= 1
        found[key] = (line, end)
    return found


def section_text(document: Document, key: str) -> str:
    """Return the lines of one top-level section."""
    first, end = sections(document)[key]
    return "\n".join(document.text.split("\n")[first:end])


def replace_sections(text: str, given: dict[str, str], source: str) -> str:
    """Return `text` with its top-level sections replaced by the given ones, new ones at the end.

    Errors: QF203-QF206 where a text is not a mapping in strict YAML.
    """
    for key, section in given.items():
        document = parse_document(text, source)
        lines = document.text.rstrip("\n").split("\n")
        places = sections(document)
        if key in places:
            first, end = places[key]
            lines[first:end] = section.split("\n")
        else:
            lines += ["", *section.split("\n")]
        text = "\n".join(lines) + "\n"
    return text
