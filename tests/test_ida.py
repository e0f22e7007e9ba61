import gzip
import re
import shutil

import ida_tree
import pytest

from tfds_adni.sources import read_folder
from tfds_adni.sources.record import Label


@pytest.fixture
def tree(tmp_path):
    return ida_tree.write_tree(tmp_path / "scans", [ida_tree.row(1, "AD")])


def only(folder):
    (record,) = read_folder(folder).records
    return record


def test_record_joins_file_and_table(tree):
    record = only(tree)
    assert record.subject == "999_S_9001"
    assert record.image_id == "900001"
    assert record.labels == (Label("AD", "collection CSV Group"),)
    assert record.date == "2012-05-05"
    assert (record.age, record.sex, record.visit) == (71.0, "F", "bl")
    assert record.description == ida_tree.DESCRIPTION
    assert record.problem == ""


@pytest.mark.parametrize(
    ("cells", "field", "value"),
    [
        ({"Image Data ID": "900001"}, "image_id", "900001"),
        ({"Acq Date": "2012-05-05"}, "date", "2012-05-05"),
        ({"Acq Date": "soon"}, "date", "2012-05-05"),
        ({"Subject": "999_s_9001 "}, "subject", "999_S_9001"),
        ({"Group": ""}, "labels", ()),
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


@pytest.mark.parametrize("fault", ["link", "orphan"])
def test_a_scan_that_lacks_a_frame_is_not_used(tree, fault):
    frame = only(tree).paths[0]
    other = frame.with_name(frame.name.replace("_2012", "_2013"))
    if fault == "link":
        other.symlink_to("nowhere.nii")
    else:
        other.with_suffix(".img").write_text("")
    found = {r.paths[0].name: r.problem for r in read_folder(tree).records}
    assert "another frame" in found[frame.name]
    assert len(found) == 2
    assert all(found.values())


def test_other_formats_and_halves_beside_a_scan_do_not_matter(tree):
    frame = only(tree).paths[0]
    frame.with_suffix(".hdr").write_text("")
    later = frame.name.replace("_2012", "_2013")
    frame.with_name(later).with_suffix(".dcm").write_text("")
    problems = [
        r.problem for r in read_folder(tree).records if frame in r.paths
    ]
    assert problems == [""]


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
    records = {r.paths[0].name: r for r in read_folder(tree).records}
    stray = records["999_S_9002_I900077.nii"]
    assert stray.unlisted == "not in the collection CSV"
    assert not stray.problem
    assert "no image id" in records["mystery.nii"].problem


def test_other_tables_beside_the_collection_are_passed_over(tree):
    (tree / "DXSUM.csv").write_text("RID,DXCHANGE\n1,2\n")
    (tree / "empty.csv").write_text("")
    assert only(tree).labels[0].text == "AD"


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


def test_without_a_table_the_path_tells_what_it_can(tree):
    next(tree.glob("*.csv")).unlink()
    record = only(tree)
    assert (record.subject, record.date) == ("999_S_9001", "2012-05-05")
    assert record.description == ida_tree.DESCRIPTION
    assert record.labels == ()
    assert record.problem == ""


def test_what_to_do_about_a_missing_table(tree):
    next(tree.glob("*.csv")).write_text("Subject ID,Sex,Age\n1,F,71\n")
    wanted = r"Image Data ID, Subject, Group .*Subject ID, Sex.* put the file"
    assert re.search(wanted, read_folder(tree).missing_tables())


def test_xml_goes_before_the_table_where_it_is_more_specific(tree):
    ida_tree.write_xml(
        tree, ida_tree.row(1, "LMCI"), age="71.4", tracer="18F-AV45"
    )
    record = only(tree)
    assert [label.text for label in record.labels] == ["LMCI", "AD"]
    assert [label.source for label in record.labels] == [
        "XML DX Group",
        "collection CSV Group",
    ]
    assert (record.age, record.tracer, record.visit) == (71.4, "AV45", "bl")


def test_xml_without_a_table(tree):
    next(tree.glob("*.csv")).unlink()
    ida_tree.write_xml(tree, ida_tree.row(1, "CN", Visit="m12"))
    record = only(tree)
    assert record.labels == (Label("CN", "XML DX Group"),)
    assert (record.visit, record.date, record.sex) == ("m12", "2012-05-05", "F")
    assert record.problem == ""


def test_xml_vouches_for_an_image_the_table_lacks(tree):
    lone = ida_tree.row(2, "AD")
    ida_tree.save_las(ida_tree.head(), ida_tree.image_path(tree, lone))
    ida_tree.write_xml(tree, lone)
    assert [r.problem for r in read_folder(tree).records] == ["", ""]


def test_broken_xml_matters_only_where_no_table_speaks(tree):
    ida_tree.write_xml(tree, ida_tree.row(1, "AD"))
    next(tree.rglob("*.xml")).write_text("<idaxs>")
    assert only(tree).problem == ""
    next(tree.glob("*.csv")).unlink()
    assert only(tree).problem == "its XML file cannot be read (it is no XML)"


def test_tables_and_path_have_to_name_one_subject(tree):
    ida_tree.write_csv(tree, [ida_tree.row(1, "AD", Subject="999_S_9002")])
    assert only(tree).problem == "the tables and the path name two subjects"


def test_two_rows_that_name_two_subjects(tree):
    other = ida_tree.row(1, "AD", Subject="999_S_9002")
    ida_tree.write_csv(tree, [ida_tree.row(1, "AD"), other])
    assert "two subjects" in only(tree).problem


def test_no_subject_anywhere(tree):
    next(tree.glob("*.csv")).unlink()
    only(tree).paths[0].rename(tree / "x_I900001.nii")
    assert only(tree).problem == "no subject id in the path or a table"


def test_names_above_the_folder_do_not_count(tmp_path):
    root = tmp_path / "998_S_0001" / "I7"
    ida_tree.write_tree(root, [ida_tree.row(1, "AD")])
    record = only(root)
    assert (record.subject, record.problem) == ("999_S_9001", "")
    (root / "mystery.nii").write_text("")
    assert "" in {r.image_id for r in read_folder(root).records}


def test_mri_is_known_by_its_name_where_no_table_speaks(tree):
    next(tree.glob("*.csv")).unlink()
    name = "ADNI_999_S_9001_MR_MPRAGE_Br_20120506101112131_S1_I5.nii"
    (tree / name).write_text("")
    problems = {r.image_id: r.problem for r in read_folder(tree).records}
    assert problems == {"900001": "", "5": "not PET (MR)"}


def test_leaf_folders_named_after_the_series(tree):
    leaf = only(tree).paths[0].parent
    leaf.rename(leaf.with_name("S900036"))
    assert only(tree).image_id == "900001"


def test_several_zips_side_by_side_are_one_cohort(tmp_path):
    root = tmp_path / "scans"
    for number in (1, 2):
        rows = [ida_tree.row(number, "AD")]
        ida_tree.write_tree(root / f"Phantom_{number}", rows)
    assert [r.problem for r in read_folder(root).records] == ["", ""]


def test_the_same_zip_unpacked_twice(tree):
    shutil.copytree(tree / "ADNI", tree / "again" / "ADNI")
    copies = [(r.problem, r.rank, r.copy) for r in read_folder(tree).records]
    assert copies == [
        ("", 0, ""),
        ("", 1, "a second copy of an image (the same content)"),
    ]


def test_ida_downloads_are_recognised(tree):
    assert read_folder(tree).source == "ida"
