import gzip
import re
import shutil

import ida_tree
import pytest
from ida_tree import put

from tfds_adni.cohort import gather
from tfds_adni.sources import Label, read_folder

TWO_SUBJECTS = "the tables and the path name two subjects"
SECOND = "a second copy of the image (same content)"


@pytest.fixture
def tree(tmp_path):
    return ida_tree.write_tree(tmp_path / "scans", [ida_tree.row(1, "AD")])


@pytest.fixture
def twice(tree):
    """The same zip unpacked twice."""
    shutil.copytree(tree / "ADNI", tree / "again" / "ADNI")
    return tree


@pytest.fixture
def bare(tree):
    """A download without a table."""
    next(tree.glob("*.csv")).unlink()
    return tree


def only(folder):
    (record,) = read_folder(folder).records
    return record


def problems(folder):
    return {r.image_id: r.problem for r in read_folder(folder).records}


def reasons(tree):
    """Why scans are not used, by the top folder of their path."""
    return {
        path.relative_to(tree).parts[0]: decision.reason
        for decision in gather(tree).decisions
        for path in decision.record.paths
    }


def test_record_joins_file_and_table(tree):
    assert read_folder(tree).source == "ida"
    put(tree, "empty.csv", **{"DXSUM.csv": b"RID,DXCHANGE\n1,2\n"})
    record = only(tree)
    assert (record.subject, record.image_id) == ("999_S_9001", "900001")
    assert record.labels == (Label("AD", "collection CSV Group"),)
    assert record.date == "2012-05-05"
    assert (record.age, record.sex, record.visit) == (71.0, "F", "bl")
    assert record.description == ida_tree.DESCRIPTION
    assert record.problem == ""


@pytest.mark.parametrize(
    ("cells", "known"),
    [
        ({"Acq Date": "soon"}, {"date": "2012-05-05"}),  # of the path
        ({"Subject": "999_s_9001 ", "Sex": "male"}, {"sex": "M"}),
        ({"Group": "", "Age": "old"}, {"labels": (), "age": -1.0}),
        ({"Modality": "MRI"}, {"problem": "not PET (MRI)"}),
        ({"Subject": "999_S_9002"}, {"problem": TWO_SUBJECTS}),
    ],
)
def test_cells_as_people_have_them(tree, cells, known):
    ida_tree.write_csv(tree, [ida_tree.row(1, "AD", **cells)])
    base = {"problem": "", "image_id": "900001"}
    record = vars(only(tree))
    assert {name: record[name] for name in base | known} == base | known


def test_frames_of_one_image_id_are_one_scan(tree):
    frame = only(tree).paths[0]
    other = frame.with_name(frame.name.replace("_2012", "_2013"))
    shutil.copy(frame, other)
    assert only(tree).paths == (frame, other)
    other.unlink()
    other.symlink_to("nowhere.nii")
    lacking = "another frame of this image is missing or unreadable"
    assert sorted(r.problem for r in read_folder(tree).records) == [
        lacking,
        "symbolic link that leads nowhere",
    ]
    other.unlink()
    other.with_suffix(".img").touch()
    assert sorted(r.problem for r in read_folder(tree).records) == [
        "Analyze image without its header (.hdr)",
        lacking,
    ]


@pytest.mark.usefixtures("cache_home")
def test_other_formats_and_halves_beside_a_scan_do_not_matter(tree):
    frame = only(tree).paths[0]
    later = frame.name.replace("_2012", "_2013")
    frame.with_suffix(".hdr").write_text("")
    frame.with_name(later).with_suffix(".dcm").write_text("")
    records = read_folder(tree).records
    assert [r.problem for r in records if frame in r.paths] == [""]


def test_compressed_renamed_and_flattened_downloads(tree):
    frame = only(tree).paths[0]
    content = frame.read_bytes()
    noname = frame.with_name("NONAME.nii.gz")
    noname.write_bytes(gzip.compress(content))
    frame.unlink()
    assert only(tree).image_id == "900001"  # by the folder
    noname.unlink()
    put(tree, **{frame.name: content})
    assert only(tree).subject == "999_S_9001"


def test_file_without_a_row_or_an_id_is_kept(tree):
    put(tree, "999_S_9002_I900077.nii", "mystery.nii")
    records = {r.paths[0].name: r for r in read_folder(tree).records}
    stray = records["999_S_9002_I900077.nii"]
    assert (stray.problem, stray.unlisted) == ("", "not in the collection CSV")
    assert "no image id" in records["mystery.nii"].problem


def test_without_a_table_the_path_tells_what_it_can(bare):
    record = only(bare)
    assert (record.subject, record.date) == ("999_S_9001", "2012-05-05")
    assert record.description == ida_tree.DESCRIPTION
    assert (record.labels, record.problem, record.unlisted) == ((), "", "")
    record.paths[0].rename(bare / "x_I900001.nii")
    assert only(bare).problem == "no subject id in the path or a table"


def test_what_to_do_about_a_missing_table(bare):
    (bare / "search.csv").write_text("Subject ID,Sex,Age\n1,F,71\n")
    required = r"Image Data ID, Subject, Group .*Subject ID, Sex.* put the file"
    assert re.search(required, read_folder(bare).missing_tables())


def test_xml_goes_before_the_table_where_it_is_more_specific(tree):
    row = ida_tree.row(1, "LMCI")
    ida_tree.write_xml(tree, row, age="71.4", tracer="18F-AV45")
    record = only(tree)
    assert record.labels == (
        Label("LMCI", "XML DX Group"),
        Label("AD", "collection CSV Group"),
    )
    assert (record.age, record.tracer, record.visit) == (71.4, "AV45", "bl")


def test_xml_without_a_table(bare):
    ida_tree.write_xml(bare, ida_tree.row(1, "CN", Visit="m12"))
    record = only(bare)
    assert record.labels == (Label("CN", "XML DX Group"),)
    assert (record.visit, record.date, record.sex) == ("m12", "2012-05-05", "F")
    assert record.problem == ""


def test_xml_lists_an_image_that_the_table_lacks(tree):
    lone = ida_tree.row(2, "AD")
    ida_tree.save_las(ida_tree.head(), ida_tree.image_path(tree, lone))
    ida_tree.write_xml(tree, lone)
    records = read_folder(tree).records
    assert [(r.problem, r.unlisted) for r in records] == [("", "")] * 2


def test_broken_xml_matters_only_without_a_row_of_a_table(tree):
    ida_tree.write_xml(tree, ida_tree.row(1, "AD"))
    next(tree.rglob("*.xml")).write_text("<idaxs>")
    assert only(tree).problem == ""
    next(tree.glob("*.csv")).unlink()
    assert only(tree).problem == "its XML file cannot be read (it is not XML)"


def test_two_rows_that_name_two_subjects(tree):
    other = ida_tree.row(1, "AD", Subject="999_S_9002")
    ida_tree.write_csv(tree, [ida_tree.row(1, "AD"), other])
    assert "two rows of the collection CSV" in only(tree).problem


def test_names_above_the_folder_do_not_count(tmp_path):
    root = tmp_path / "998_S_0001" / "I7"
    ida_tree.write_tree(root, [ida_tree.row(1, "AD")])
    put(root, "mystery.nii")
    assert problems(root).keys() == {"900001", ""}
    assert problems(root)["900001"] == ""


def test_mri_is_known_by_its_name_where_there_is_no_table(bare):
    put(bare, "ADNI_999_S_9001_MR_MPRAGE_Br_20120506101112131_S1_I5.nii")
    assert problems(bare) == {"900001": "", "5": "not PET (MR)"}


def test_several_zips_side_by_side_are_one_cohort(tmp_path):
    for number in (1, 2):
        rows = [ida_tree.row(number, "AD")]
        ida_tree.write_tree(tmp_path / f"Phantom_{number}", rows)
    assert problems(tmp_path) == {"900001": "", "900002": ""}


def test_same_zip_unpacked_twice_is_used_once(twice):
    copies = [(r.problem, r.rank, r.copy) for r in read_folder(twice).records]
    assert copies == [("", 0, ""), ("", 1, SECOND)]
    assert reasons(twice) == {"ADNI": "", "again": SECOND}


@pytest.mark.parametrize("broken", ["ADNI", "again"])
def test_broken_copy_does_not_displace_a_sound_one(twice, broken):
    shutil.copytree(twice / "ADNI", twice / "third" / "ADNI")
    path = next((twice / broken).rglob("*.nii"))
    path.write_bytes(b"<html>" + bytes(path.stat().st_size))
    found = reasons(twice)
    assert found.pop(broken).startswith("unreadable")
    assert sorted(found.values()) == ["", found["third"]]
    assert found["third"].startswith("a second")


def test_copies_of_a_scan_that_is_not_used_have_its_reason(twice):
    row = ida_tree.row(1, "AD", Description="AV45 Coreg, Avg")
    other = ida_tree.row(2, "AD")
    ida_tree.write_tree(twice, [other])
    ida_tree.write_csv(twice, [row, other])
    assert gather(twice).summary()["another tracer (AV45)"].total() == 2
