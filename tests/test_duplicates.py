import shutil

import ida_tree
import pytest

from tfds_adni.cohort import gather


@pytest.fixture
def tree(tmp_path):
    """One scan unpacked twice."""
    root = ida_tree.write_tree(tmp_path / "scans", [ida_tree.row(1, "AD")])
    shutil.copytree(root / "ADNI", root / "again" / "ADNI")
    return root


def reasons(tree):
    account = gather(tree).account(tree)
    tops = (path.split("/")[0] for path in account["path"])
    return dict(zip(tops, account["reason"], strict=True))


def test_the_same_scan_twice_is_used_once(tree):
    assert reasons(tree) == {
        "ADNI": "",
        "again": "a second copy of an image (the same content)",
    }


def test_another_file_of_one_image_id_is_named_as_such(tree):
    path = next((tree / "again").rglob("*.nii"))
    ida_tree.save_las(ida_tree.head(5), path)
    assert reasons(tree)["again"] == (
        "a second file of one image id (other content)"
    )


@pytest.mark.parametrize("broken", ["ADNI", "again"])
def test_a_broken_copy_does_not_stand_in_the_way(tree, broken):
    path = next((tree / broken).rglob("*.nii"))
    path.write_bytes(b"<html>" + bytes(path.stat().st_size))
    found = reasons(tree)
    assert found.pop(broken).startswith("unreadable")
    assert list(found.values()) == [""]


def test_of_three_copies_one_is_used(tree):
    shutil.copytree(tree / "ADNI", tree / "third" / "ADNI")
    next((tree / "ADNI").rglob("*.nii")).write_bytes(b"")
    found = reasons(tree)
    assert found["ADNI"].startswith("unreadable")
    assert found["again"] == ""
    assert found["third"].startswith("a second")


def test_the_archives_own_file_goes_before_what_was_made_of_it(tree):
    path = next((tree / "again").rglob("*.nii"))
    (tree / "A").mkdir()
    path.rename(tree / "A" / f"w{path.name}")
    found = reasons(tree)
    assert (found["ADNI"], found["A"][:13]) == ("", "a second copy")


def test_copies_of_a_scan_that_is_not_used_have_its_reason(tree):
    row = ida_tree.row(1, "AD", Description="AV45 Coreg, Avg")
    other = ida_tree.row(2, "AD")
    ida_tree.write_tree(tree, [other])
    ida_tree.write_csv(tree, [row, other])
    found = gather(tree).summary()
    assert found["another tracer (AV45)"].total() == 2
