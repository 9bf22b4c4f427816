"""The YAML reader accepts plain data by YAML 1.2's rules and refuses the rest, with places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qf.errors import QuantflowError
from qf.project.document import MAX_BYTES, Document, parse_document, read_document
from qf.project.scaffold import quoted


def value(text: str) -> object:
    return parse_document(f"x: {text}\n", "test.yml").value["x"]


def code(text: str) -> str:
    with pytest.raises(QuantflowError) as caught:
        parse_document(text, "test.yml")
    assert caught.value.place is not None or caught.value.code == "QF202"
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("yes", "yes"),
        ("off", "off"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("12:30:00", "12:30:00"),
        ("1_000", "1_000"),
        ("2024-08-08", "2024-08-08"),
        ("0o17", 15),
        ("017", 17),
        ("0x1F", 31),
        ("-3", -3),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("0.0005", 0.0005),
        ('"12"', "12"),
        ("'true'", "true"),
    ],
)
def test_a_scalar_means_what_yaml_1_2_says(text, meaning):
    found = value(text)
    assert found == meaning and type(found) is type(meaning)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2\n", "QF205"),
        ("a: {b: 1, b: 2}\n", "QF205"),
        ("a: &x 1\n", "QF204"),
        ("a: *x\n", "QF204"),
        ("a:\n  <<: {b: 1}\n", "QF204"),
        ("a: !!str 1\n", "QF204"),
        ("a: !mine 1\n", "QF204"),
        ("a: 1\n---\nb: 2\n", "QF204"),
        ("? [a]\n: 1\n", "QF204"),
        ("a: " + "[" * 32 + "]" * 32, "QF206"),
        ("a: [1\n", "QF203"),
        ("a: \x07\n", "QF203"),
        (f"a: {'9' * 41}\n", "QF203"),
        ("a: " + "x" * MAX_BYTES, "QF202"),
    ],
)
def test_what_is_not_plain_data_is_refused_with_its_place(text, expected):
    assert code(text) == expected


def test_depth_and_size_up_to_the_limit_are_accepted():
    assert parse_document("a: " + "[" * 31 + "]" * 31, "t").value
    assert parse_document("a: " + "x" * (MAX_BYTES - 3), "t").value


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "x.yml"
    path.write_bytes(b"a: \xff\n")
    with pytest.raises(QuantflowError, match="UTF-8"):
        read_document(path, "x.yml")
    with pytest.raises(QuantflowError, match="regular file"):
        read_document(tmp_path, "folder.yml")


def test_every_value_and_key_has_its_place():
    document = parse_document("a:\n  - b: 1\n    c: [x, yy]\n", "t.yml")
    assert _spot(document, ("a", 0, "c", 1)) == (3, 12, 2)
    assert _spot(document, ("a", 0, "c"), key=True) == (3, 5, 1)
    assert _spot(document, ("a", 0, "missing")) == (2, 5, 1), "the nearest thing that is there"


def _spot(document: Document, path: tuple, key: bool = False) -> tuple[int, int, int]:
    place = document.place(path, key)
    return place.line, place.column, place.length


def test_a_secret_document_never_quotes_itself():
    document = parse_document("key: canary\n", "t.yml", secret=True)
    assert "canary" not in document.place(("key",)).render()
    with pytest.raises(QuantflowError) as caught:
        parse_document("key: [canary\nother: }", "t.yml", secret=True)
    assert "canary" not in str(caught.value)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), inner, max_size=4)
    ),
    max_leaves=12,
)


def _flow(found: object) -> str:
    """Return plain data as YAML flow text, every text in double quotes."""
    if isinstance(found, dict):
        return "{" + ", ".join(f'"{key}": {_flow(item)}' for key, item in found.items()) + "}"
    if isinstance(found, list):
        return "[" + ", ".join(map(_flow, found)) + "]"
    if isinstance(found, str):
        body = "".join(f"\\U{ord(letter):08x}" for letter in found)
        return f'"{body}"'
    return {None: "null", True: "true", False: "false"}.get(found, str(found))  # type: ignore


@given(PLAIN.filter(lambda found: not _surrogate(found)))
def test_plain_data_comes_back_as_it_was(found):
    text = f"x: {_flow(found)}\n"
    assert parse_document(text, "t").value == {"x": found}


def _surrogate(found: object) -> bool:
    if isinstance(found, str):
        return any(0xD800 <= ord(letter) <= 0xDFFF for letter in found)
    rows = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return any(map(_surrogate, rows))


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=60))
def test_any_text_is_read_or_refused_but_never_fails_otherwise(text):
    try:
        document = parse_document(text, "t.yml")
    except QuantflowError as error:
        assert error.code.startswith("QF20")
    else:
        assert document.values or document.value is None


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=30))
def test_what_init_writes_is_read_back(text):
    assert parse_document(f"x: {quoted(text)}\n", "t").value == {"x": text}
