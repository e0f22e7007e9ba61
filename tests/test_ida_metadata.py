import pytest

from tfds_adni.sources.ida_image import ImageMetadata
from tfds_adni.sources.ida_metadata import (
    missing_collection,
    read_collections,
    unreadable_tables,
)
from tfds_adni.sources.record import Label
from tfds_adni.sources.tree import walk

HEADER = "Image Data ID,Subject,Group,Sex,Age,Visit,Acq Date"
ROW = "I900001,999_S_9001,AD,F,71,bl,5/5/2012"


def deny(*_, **__):
    raise PermissionError(13, "Permission denied")


def collection(folder, *tables):
    for number, text in enumerate(tables):
        (folder / f"{number}.csv").write_text(text)
    return read_collections(walk(folder), {}).images


def test_columns_in_any_order_with_others_among_them(tmp_path):
    rows = collection(
        tmp_path,
        "Phase,AGE,Subject ID, Research Group ,Image ID,Study Date\n"
        "ADNI 2,71,999_s_9001,LMCI,900001,2012-05-05\n",
    )
    assert rows["900001"] == ImageMetadata(
        subject="999_S_9001",
        age="71",
        date="2012-05-05",
        labels=(Label("LMCI", "collection CSV Group"),),
    )


@pytest.mark.parametrize("cell", ["I900001", "900001", "i900001", "900001.0"])
def test_image_ids_as_people_have_them(tmp_path, cell):
    rows = f"{ROW.replace('I900001', cell)}\n{ROW[7:]}\nx,y,z\n"
    assert list(collection(tmp_path, f"{HEADER}\n{rows}")) == ["900001"]


def test_tables_are_joined_and_may_disagree_on_the_group(tmp_path):
    other = ROW.replace("AD", "MCI").replace("bl", "m12")
    second = ROW.replace("900001", "900002").replace("AD", "")
    rows = collection(
        tmp_path, f"{HEADER}\n{ROW}\n", f"{HEADER}\n{other}\n{second}\n"
    )
    assert [label.text for label in rows["900001"].labels] == ["AD", "MCI"]
    assert (rows["900001"].visit, rows["900001"].problem) == ("bl", "")
    assert rows["900002"].labels == ()


def test_rows_before_the_damage_of_a_table_count(tmp_path):
    second = ROW.replace("900001", "900002")
    damaged = f"{HEADER}\n{ROW}\n" + "x" * 200_000
    rows = collection(tmp_path, damaged, f"{HEADER}\n{second}\n")
    assert list(rows) == ["900001", "900002"]
    (line,) = unreadable_tables(walk(tmp_path))
    assert line.startswith("0.csv cannot be read to its end (field larger")


def test_what_lies_there_instead_of_a_collection(tmp_path, monkeypatch):
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
    monkeypatch.setattr("builtins.open", deny)
    text = missing_collection(walk(tmp_path))
    assert "dx.csv (unreadable: Permission denied)" in text
