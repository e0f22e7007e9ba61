import gzip
import shutil

import ida_tree
import pytest

from tfds_adni.sources import read_folder


@pytest.fixture
def tree(tmp_path):
    return ida_tree.write_tree(tmp_path / "scans", [ida_tree.row(1, "AD")])


def only(folder):
    (record,) = read_folder(folder)
    return record


def test_record_joins_file_and_table(tree):
    record = only(tree)
    assert record.subject == "999_S_9001"
    assert record.image_id == "900001"
    assert record.group == "AD"
    assert record.date == "2012-05-05"
    assert (record.age, record.sex, record.visit) == (71.0, "F", "bl")
    assert record.description == ida_tree.DESCRIPTION
    assert record.problem == ""


@pytest.mark.parametrize(
    ("cells", "field", "value"),
    [
        ({"Image Data ID": "900001"}, "image_id", "900001"),
        ({"Acq Date": "2012-05-05"}, "date", "2012-05-05"),
        ({"Acq Date": "soon"}, "date", ""),
        ({"Age": "old"}, "age", -1.0),
        ({"Age": "-4"}, "age", -1.0),
        ({"Sex": "male"}, "sex", "M"),
        ({"Sex": ""}, "sex", ""),
        ({"Modality": "MRI"}, "problem", "not PET (MRI)"),
    ],
)
def test_cells_as_people_have_them(tmp_path, cells, field, value):
    rows = [ida_tree.row(1, "AD", **cells)]
    record = only(ida_tree.write_tree(tmp_path / "scans", rows))
    assert getattr(record, field) == value


def test_frames_of_one_image_id_are_one_scan(tree):
    frame = only(tree).paths[0]
    shutil.copy(frame, frame.with_name(frame.name.replace("_2012", "_2013")))
    assert len(only(tree).paths) == 2


def test_id_from_the_folder_and_compressed_files(tree):
    frame = only(tree).paths[0]
    with gzip.open(frame.with_name("NONAME.nii.gz"), "wb") as file:
        file.write(frame.read_bytes())
    frame.unlink()
    assert only(tree).image_id == "900001"


def test_flattened_download(tree):
    frame = only(tree).paths[0]
    frame.rename(tree / frame.name)
    assert only(tree).subject == "999_S_9001"


def test_file_without_a_row_or_an_id_is_kept_with_its_problem(tree):
    frame = only(tree).paths[0]
    shutil.copy(frame, tree / "999_S_9002_I900077.nii")
    shutil.copy(frame, tree / "mystery.nii")
    problems = {r.paths[0].name: r.problem for r in read_folder(tree)}
    assert problems["999_S_9002_I900077.nii"] == "not in the collection CSV"
    assert "no image id" in problems["mystery.nii"]


def test_other_tables_beside_the_collection_are_passed_over(tree):
    (tree / "DXSUM.csv").write_text("RID,DXCHANGE\n1,2\n")
    (tree / "empty.csv").write_text("")
    assert only(tree).group == "AD"


def test_missing_folder_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="pet-dcgan phantom"):
        read_folder(tmp_path / "nowhere")


def test_file_instead_of_a_folder(tmp_path):
    (tmp_path / "scans.zip").write_text("")
    with pytest.raises(NotADirectoryError, match="unpack"):
        read_folder(tmp_path / "scans.zip")


def test_folder_without_images(tmp_path):
    ida_tree.write_csv(tmp_path, [ida_tree.row(1, "AD")])
    with pytest.raises(FileNotFoundError, match="found none"):
        read_folder(tmp_path)


def test_no_table_at_all(tree):
    next(tree.glob("*.csv")).unlink()
    with pytest.raises(ValueError, match="found no CSV file"):
        read_folder(tree)


def test_table_without_the_columns_is_named_with_what_it_has(tree):
    next(tree.glob("*.csv")).write_text("Subject ID,Sex,Age\n1,F,71\n")
    with pytest.raises(
        ValueError, match=r"Image Data ID, Subject, Group .*Subject ID, Sex"
    ):
        read_folder(tree)
