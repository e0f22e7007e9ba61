"""Damaged or hostile text becomes one line, never a traceback."""

import pytest

from pet_dcgan.utils import foreign_text
from pet_dcgan.utils.foreign_text import one_line, parse_object, read_object


def test_one_line_keeps_words_and_drops_terminal_codes():
    text = "no\tsuch\r\n model \x1b]0;title\x07 \u202egnp \x9b2J"
    assert one_line(text) == "no such model ?]0;title? ?gnp ?2J"


def test_one_line_is_short():
    assert one_line("x" * 10**6) == "x" * 200 + "..."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"[" * 10**6, "brackets within brackets"),
        (b'{"a": ' * 10**5, "brackets within brackets"),
        (b'{"a": ' + b"9" * 5000 + b"}", "digits"),
        (b'{"a": "\xff"}', "byte 7 is no UTF-8"),
        (b'{"a": 1', "delimiter"),
        (b"", "Expecting value"),
        (b"[1]", "found list"),
        (b"null", "found null"),
        (b"true", "found true or false"),
        (b"1.5", "found number"),
        (b'"a"', "found text"),
        (b'{"a": NaN}', "NaN for a number"),
        (b'{"a": -Infinity}', "-Infinity for a number"),
    ],
)
def test_what_is_no_object_is_one_line(text, words):
    with pytest.raises(ValueError, match=words) as caught:
        parse_object(text, source="config.json")
    assert "config.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_object_is_read(tmp_path):
    path = tmp_path / "facts.json"
    path.write_text('{"name": "grün"}', encoding="utf-8")
    assert read_object(path) == {"name": "grün"}


def test_a_file_without_end_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(foreign_text, "MOST_BYTES", 4)
    path = tmp_path / "facts.json"
    path.write_text('{"a": 1}')
    with pytest.raises(ValueError, match="found more"):
        read_object(path)
