import pytest

from tfds_adni.tables.delimited import (
    TableError,
    found_columns,
    open_table,
    read_table,
)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("RID,Note\n1, Zürich \n", "utf-8"),
        ("RID;Note\n1;Zürich\n", "utf-8-sig"),
        ("RID\tNote\n1\tZürich\n", "utf-16"),
        ('"RID","Note"\r\n"1","Zürich"\r\n', "latin-1"),
    ],
)
def test_as_programs_write_tables(tmp_path, text, encoding):
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(encoding))
    assert open_table(path).header == ("RID", "Note")
    assert read_table(open_table(path), ("NOTE", "DX")) == [{"NOTE": "Zürich"}]


def test_short_rows_have_empty_cells_and_empty_rows_are_passed_over(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1\n\n1,2,3\n")
    rows = read_table(open_table(path), ("A", "B"))
    assert rows == [{"A": "1", "B": ""}, {"A": "1", "B": "2"}]


def test_of_two_columns_of_one_name_nothing_is_mixed(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("dx,DX\n1,2\n")
    assert read_table(open_table(path), ("DX",)) == [{"DX": "1"}]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "expected rows"),
        (b"RID,DX\n", "expected rows"),
        (b"PK\x03\x04 and more", "archive or an Excel file"),
        (b"\xd0\xcf\x11\xe0 and more", "archive or an Excel file"),
        (b'RID\n"' + b"x" * 200_000, "cannot be read as one"),
    ],
)
def test_what_is_no_table(tmp_path, content, words):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(TableError, match=words) as caught:
        read_table(open_table(path), ("RID",))
    assert "\n" not in str(caught.value)


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="found nothing at"):
        open_table(tmp_path / "t.csv")
    with pytest.raises(TableError, match="give the CSV itself"):
        open_table(tmp_path)


def test_columns_in_an_error_are_few_and_printable():
    assert found_columns("abcdefg") == "the columns A, B, C, D, E, F"
    assert found_columns(["", "\x01\x02"]) == "no column names"
