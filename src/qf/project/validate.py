"""Hold a document against a struct, and turn every complaint into a placed diagnostic."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from qf.errors import QuantflowError, diagnostic, nearest, share_of_hundred
from qf.project.document import Document, Path_

UNKNOWN_KEY = diagnostic(
    "QF210", "unknown key {key!r} in {where}", hint="the keys here are: {known}"
)
MISSING_KEY = diagnostic("QF211", "{where} needs the key {key!r}")
NOT_OFFERED = diagnostic("QF212", "{where} must be one of {expected}{was}")
BAD_VALUE = diagnostic("QF213", "{where} {why}{was}")

Shape = TypeVar("Shape")

_KINDS = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "dict_type": "must be a section of keys",
    "model_type": "must be a section of keys",
    "model_attributes_type": "must be a section of keys",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must not be empty",
    "too_short": "needs {min_length} items",
    "too_long": "takes {max_length} items",
}
_PATTERNS = {
    "^[a-z][a-z0-9_]*$": "must be a name in small letters, digits and _",
    "^[0-9]+(\\.[0-9]+)?$": "must be a decimal written as text, such as '0.01'",
}
_DECIMAL_KEYS = ("tick_size", "lot_size", "contract_size", "price_scale", "scale")


def validate(shape: type[Shape], document: Document, what: str) -> Shape:
    """Return the document as `shape`. Errors: QF210-QF213, the first in the file's order."""
    found, errors = try_validate(shape, document, what)
    if errors:
        raise errors[0]
    assert found is not None
    return found


def try_validate(
    shape: Any, document: Document, what: str
) -> tuple[Any | None, list[QuantflowError]]:
    """Return the document as `shape` or None, and every complaint in the file's order."""
    try:
        return TypeAdapter(shape).validate_python(_tuples(document.value)), []
    except ValidationError as error:
        rows = error.errors(include_url=False)
    seen: set[str] = set()
    errors = []
    for row in rows:
        for each in _diagnose(row, document, what):
            if str(each) not in seen:
                seen.add(str(each))
                errors.append(each)
    return None, sorted(errors, key=_order)


def _order(error: QuantflowError) -> tuple[int, int]:
    return (error.place.line, error.place.column) if error.place else (0, 0)


def _tuples(value: Any) -> Any:
    """Return `value` with every list as a tuple: structs hold no lists."""
    if isinstance(value, dict):
        return {key: _tuples(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(inner) for inner in value)
    return value


def _diagnose(row: Any, document: Document, what: str) -> list[QuantflowError]:
    """Return the diagnostics of one complaint of the validation library."""
    path = _path(row["loc"], document)
    where = _where(path, what)
    context = row.get("ctx", {})
    kind = row["type"]
    if kind == "unknown_key":
        return [
            UNKNOWN_KEY(
                key=key,
                where=where,
                known=", ".join(context["known"]),
                place=document.place((*path, key), key=True),
                near=nearest(key, context["known"]),
            )
            for key in context["unknown"]
        ]
    if kind in ("missing", "union_tag_not_found"):
        key = row["loc"][-1] if kind == "missing" else context["discriminator"].strip("'")
        return [MISSING_KEY(where=where, key=key, place=document.place(path, key=bool(path)))]
    value = row.get("input")
    if kind == "union_tag_invalid":
        key = context["discriminator"].strip("'")
        path, value = (*path, key), value.get(key) if isinstance(value, dict) else value
        where = _where(path, what)
    expected = context.get("expected", context.get("expected_tags"))
    if kind in ("literal_error", "union_tag_invalid") and expected:
        names = re.findall(r"'([^']*)'", expected)
        return [
            NOT_OFFERED(
                where=where,
                expected=", ".join(names),
                was=_was(value, document),
                place=document.place(path),
                near=nearest(str(value), names),
            )
        ]
    why = _why(kind, context, row["msg"], path)
    hint = "" if document.secret else share_of_hundred(value)
    place = document.place(path)
    return [BAD_VALUE(where=where, why=why, was=_was(value, document), place=place, hint=hint)]


def _why(kind: str, context: dict[str, Any], message: str, path: Path_) -> str:
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], "is not of the right form")
    if kind == "string_type" and path and path[-1] in _DECIMAL_KEYS:
        return "must be a decimal in quotes, such as '0.01'"
    if kind in _KINDS:
        return _KINDS[kind].format(**context)
    return message[0].lower() + message[1:]


def _was(value: Any, document: Document) -> str:
    if document.secret or isinstance(value, (dict, tuple, list)):
        return ""
    shown = (
        {None: "empty", True: "true", False: "false"}.get(value)
        if not isinstance(value, (int, float, str)) or isinstance(value, bool)
        else None
    )
    return f", was {shown or repr(value)}"


def _path(location: tuple[str | int, ...], document: Document) -> Path_:
    """Return the part of a location that exists in the file (unions add steps of their own)."""
    path: Path_ = ()
    value = document.value
    for step in location:
        if isinstance(value, dict) and step in value:
            value = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            continue
        path = (*path, step)
    return path


def _where(path: Path_, what: str) -> str:
    """Return a path as a reader writes it: `state_engine.bars[0].type`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text or what
