from unittest import mock

import pytest

from tfds_adni.tables import spreadsheet
from tfds_adni.tables.spreadsheet import (
    SheetCache,
    SheetError,
    TableError,
    describe_columns,
    read_rows,
    read_table,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "t.csv"


@pytest.mark.parametrize(
    "data",
    [
        b"a,b\n1,\xc3\xa4\n",
        b"\xef\xbb\xbfa,b\r\n1,\xc3\xa4\r\n",
        b"sep=;\r\na;b\r\n1;\xc3\xa4\r\n",
        b"a;b\n1;\xc3\xa4\n\n",
        b"a\tb\r1\t\xc3\xa4\r",
        b"a,b\n1,\xe4\n",
        "a,b\n1,ä\n".encode("utf-16"),
        b' "a" ,"b"\n" 1 ","\xc3\xa4"\n , \n',
    ],
)
def test_tables_as_programs_write_them(path, data):
    path.write_bytes(data)
    sheet = SheetCache().open(path)
    assert sheet.header == ("a", "b")
    assert list(sheet.rows()) == [{"a": "1", "b": "ä"}]
    assert read_table(path, ("B", "DX"))[1] == [{"B": "ä"}]


def test_short_and_long_rows(path):
    path.write_text("a,b\n1\n\n1,2,3\n")
    assert list(read_rows(path)) == [{"a": "1"}, {"a": "1", "b": "2"}]
    _, rows = read_table(path, ("A", "B"))
    assert rows == [{"A": "1", "B": ""}, {"A": "1", "B": "2"}]


def test_rows_before_a_damaged_one_are_read(path, monkeypatch):
    path.write_text("a\n1\n" + "x" * 200_000)
    rows = read_rows(path)
    assert next(rows) == {"a": "1"}
    with pytest.raises(SheetError, match="field"):
        next(rows)
    monkeypatch.setattr(spreadsheet, "_MAX_BYTES", 9)
    with pytest.raises(SheetError, match="larger than"):
        next(read_rows(path))
    with pytest.raises(SheetError, match="No such file"):
        next(read_rows(path.with_name("none.csv")))


def test_table_is_opened_once_under_whatever_name(path):
    link = path.with_name("link.csv")
    link.symlink_to(path)
    path.write_text("a,b\n1,2\n")
    sheets = SheetCache()
    sheet = sheets.open(path)
    path.unlink()
    assert sheets.open(path) == sheet
    assert sheets.open(link).path == link
    assert list(sheets.open(link).rows()) == [{"a": "1", "b": "2"}]


def test_table_is_read_to_its_end_where_its_rows_are_wanted(path):
    path.write_text("a,b\n1,2\n")
    sheets = SheetCache(lambda header: "c" in header)
    assert sheets.open(path).header == ("a", "b")
    with pytest.raises(ValueError, match="only the header"):
        next(sheets.open(path).rows())
    assert list(sheets.open(path, whole=True).rows()) == [{"a": "1", "b": "2"}]
    path.write_text("a,c\n3,4\n")
    (row,) = SheetCache(lambda header: "c" in header).open(path).rows()
    assert row == {"a": "3", "c": "4"}


def test_first_of_two_columns_of_one_name_is_read(path):
    path.write_text("dx,DX\n1,2\n")
    assert read_table(path, ("DX",))[1] == [{"DX": "1"}]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no rows in"),
        (b"RID,DX\n", "no rows in"),
        (b"PK\x03\x04 and more", "archive or an Excel file"),
        (b"\xd0\xcf\x11\xe0 and more", "archive or an Excel file"),
        (b'RID\n"' + b"x" * 200_000, "cannot read .* as a table"),
    ],
)
def test_files_that_are_no_table(path, content, words):
    path.write_bytes(content)
    with pytest.raises(TableError, match=words) as caught:
        read_table(path, ("RID",))
    assert "\n" not in str(caught.value)


def test_missing_table_folder_and_unreadable_table(path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="no table at"):
        read_table(path, ())
    with pytest.raises(TableError, match="give the CSV itself"):
        read_table(path.parent, ())
    path.touch()
    denied = mock.Mock(side_effect=PermissionError(13, "Permission denied"))
    monkeypatch.setattr("builtins.open", denied)
    with pytest.raises(PermissionError):
        read_table(path, ())


def test_columns_in_an_error_are_few_and_printable():
    assert describe_columns("abcdefg") == "the columns A, B, C, D, E, F"
    assert describe_columns(["", "\x01\x02"]) == "no column names"
