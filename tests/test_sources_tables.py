import pytest

from tfds_adni.sources import spreadsheet
from tfds_adni.sources.collection import missing_collection, read_collections
from tfds_adni.sources.record import Label
from tfds_adni.sources.spreadsheet import (
    SheetCache,
    SheetError,
    age_in_years,
    iso_date,
    known,
    open_sheet,
    read_rows,
    sex_letter,
)
from tfds_adni.sources.tree import walk

HEADER = "Image Data ID,Subject,Group,Sex,Age,Visit,Acq Date"
ROW = "I900001,999_S_9001,AD,F,71,bl,5/5/2012"


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2/11/2016", "2016-02-11"),
        ("02/11/2016", "2016-02-11"),
        (" 2016-02-11 ", "2016-02-11"),
        ("2012-05-05 09:08:07.0", "2012-05-05"),
        ("2012-05-05T09:08:07", "2012-05-05"),
        ("2/30/2016", ""),
        ("13/1/2016", ""),
        ("5/5/12", ""),
        ("2/11/20167", ""),
        ("soon", ""),
        ("", ""),
    ],
)
def test_dates(text, date):
    assert iso_date(text) == date


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("71", 71),
        (" 71.5", 71.5),
        ("-4", -1),
        ("nan", -1),
        ("", -1),
        ("inf", -1),
    ],
)
def test_ages(text, age):
    assert age_in_years(text) == age


def test_sexes_and_missing_cells():
    assert [sex_letter(t) for t in ("female", "M", "X", "")] == [
        "F",
        "M",
        "",
        "",
    ]
    assert [known(t) for t in (" n/a", "-4", "NaN", " AD ")] == [
        "",
        "",
        "",
        "AD",
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"a,b\n1,\xc3\xa4\n",
        b"\xef\xbb\xbfa,b\r\n1,\xc3\xa4\r\n",
        b"a;b\n1;\xc3\xa4\n\n",
        b"a\tb\r1\t\xc3\xa4\r",
        b"a,b\n1,\xe4\n",
        "a,b\n1,ä\n".encode("utf-16"),
        b' "a" ,"b"\n" 1 ","\xc3\xa4"\n , \n',
    ],
)
def test_tables_as_spreadsheets_write_them(tmp_path, data):
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    sheet = open_sheet(path)
    assert sheet.header == ("a", "b")
    assert list(sheet.rows()) == [{"a": "1", "b": "ä"}]


def test_short_and_long_rows(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1\n1,2,3\n")
    assert list(read_rows(path)) == [{"a": "1"}, {"a": "1", "b": "2"}]


def test_empty_and_unreadable_tables(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text("")
    assert open_sheet(path).header == ()
    path.write_text("a\n" + "x" * 200_000)
    with pytest.raises(SheetError, match="field"):
        list(read_rows(path))
    monkeypatch.setattr(spreadsheet, "_MAX_BYTES", 9)
    with pytest.raises(SheetError, match="larger than"):
        list(read_rows(path))
    with pytest.raises(SheetError, match="No such file"):
        list(read_rows(tmp_path / "none.csv"))


def test_a_table_is_opened_once_by_whatever_name(tmp_path):
    path, link = tmp_path / "t.csv", tmp_path / "link.csv"
    path.write_text("a,b\n1,2\n")
    link.symlink_to(path)
    sheets = SheetCache()
    sheet = sheets.open(path)
    path.unlink()
    assert sheets.open(path) == sheet
    assert sheets.open(link).path == link
    assert list(sheets.open(link).rows()) == [{"a": "1", "b": "2"}]


def test_a_table_is_read_to_its_end_where_its_rows_are_wanted(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    sheets = SheetCache(lambda header: "c" in header)
    assert sheets.open(path).header == ("a", "b")
    with pytest.raises(ValueError, match="only the header"):
        next(sheets.open(path).rows())
    (row,) = sheets.open(path, whole=True).rows()
    assert row == {"a": "1", "b": "2"}
    path.write_text("a,c\n3,4\n")
    (row,) = SheetCache(lambda header: "c" in header).open(path).rows()
    assert row == {"a": "3", "c": "4"}


def collection(folder, *tables):
    for number, text in enumerate(tables):
        (folder / f"{number}.csv").write_text(text)
    return read_collections(walk(folder))


def test_columns_in_any_order_with_others_among_them(tmp_path):
    rows = collection(
        tmp_path,
        "Phase,AGE,Subject ID, Research Group ,Image ID,Study Date\n"
        "ADNI 2,71,999_s_9001,LMCI,900001,2012-05-05\n",
    )
    row = rows["900001"]
    assert row.subject == "999_S_9001"
    assert row.labels == (Label("LMCI", "collection CSV Group"),)
    assert (row.age, row.date, row.visit) == ("71", "2012-05-05", "")


@pytest.mark.parametrize("cell", ["I900001", "900001", "i900001", "900001.0"])
def test_image_ids_as_people_have_them(tmp_path, cell):
    text = f"{HEADER}\n{ROW.replace('I900001', cell)}\n"
    assert list(collection(tmp_path, text)) == ["900001"]


def test_rows_without_an_image_id_are_passed_over(tmp_path):
    assert collection(tmp_path, f"{HEADER}\n{ROW[7:]}\nx,y,z\n") == {}


def test_tables_are_joined_and_may_disagree_on_the_group(tmp_path):
    other = ROW.replace("AD", "MCI").replace("bl", "m12")
    second = ROW.replace("900001", "900002").replace("AD", "")
    rows = collection(
        tmp_path, f"{HEADER}\n{ROW}\n", f"{HEADER}\n{other}\n{second}\n"
    )
    assert [label.text for label in rows["900001"].labels] == ["AD", "MCI"]
    assert rows["900001"].visit == "bl"
    assert rows["900001"].problem == ""
    assert rows["900002"].labels == ()


def test_two_subjects_of_one_image_are_a_problem(tmp_path):
    other = ROW.replace("9001,", "9002,")
    row = collection(tmp_path, f"{HEADER}\n{ROW}\n{other}\n{ROW}\n")["900001"]
    assert "two subjects" in row.problem


def test_broken_tables_are_passed_over(tmp_path):
    wide = f"{HEADER}\n" + "x" * 200_000
    rows = collection(tmp_path, wide, f"{HEADER}\n{ROW}\n")
    assert list(rows) == ["900001"]


def test_what_lies_there_instead_of_a_collection(tmp_path):
    assert "found no CSV file" in missing_collection(walk(tmp_path))
    (tmp_path / "dx.csv").write_text("RID,DXCHANGE\n1,2\n")
    search = "Subject ID,Sex,Age,Description,Type\n"
    (tmp_path / "idaSearch_5_05_2012.csv").write_text(search)
    text = missing_collection(walk(tmp_path))
    assert "dx.csv (RID, DXCHANGE)" in text
    assert "idaSearch_5_05_2012.csv (an advanced-search CSV" in text
    for number in range(2):
        (tmp_path / f"z{number}.csv").write_text("")
    assert "and 1 more" in missing_collection(walk(tmp_path))


def test_an_unreadable_table_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("x")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    text = missing_collection(walk(tmp_path))
    assert "a.csv (unreadable: Permission denied)" in text
