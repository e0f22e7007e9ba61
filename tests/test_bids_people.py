"""One label of a BIDS subject: one person, or one in each data set."""

import json

import pytest
import tree_files

from tfds_adni.cohort import Selection, survey
from tfds_adni.sources import Label, read_folder

RAW = {"Name": "x", "BIDSVersion": "1.8"}
SCAN = "sub-01/pet/sub-01_trc-18FFDG_pet"


def write(root, stem, content=b""):
    """An image; other content at its end makes it another person's."""
    path = tree_files.write_image(root / stem, "nii")
    path.write_bytes(path.read_bytes() + content)


def site(root, name, group, *, marked="dataset_description.json", scan=SCAN):
    """A data set of one subject."""
    place = root / name
    write(place, scan, name.encode())
    if marked:
        (place / marked).write_text(json.dumps(RAW))
    table = f"participant_id\tdiagnosis\nsub-01\t{group}\n"
    (place / "participants.tsv").write_text(table)


def found(root):
    return {r.image_id: r for r in read_folder(root).records}


@pytest.mark.parametrize("marked", ["dataset_description.json", ""])
def test_sites_side_by_side(tmp_path, marked):
    site(tmp_path, "siteA", "CN", marked=marked)
    site(tmp_path, "b/siteBB", "AD", marked=marked)
    write(tmp_path, f"siteA/derivatives/x/{SCAN}", b"derived")
    records = found(tmp_path)
    name = SCAN.split("/")[-1]
    assert {n: r.subject for n, r in records.items()} == {
        f"siteA/{name}": "siteA/sub-01",
        f"siteA/x_{name}": "siteA/sub-01",
        f"b/siteBB/{name}": "b/siteBB/sub-01",
    }
    assert records[f"siteA/{name}"].labels == (Label("CN", "participants.tsv"),)
    cohort = survey(tmp_path, Selection(visits="all"))
    assert cohort.stage_of_subject == {
        "siteA/sub-01": "NC",
        "b/siteBB/sub-01": "AD",
    }


def test_labels_of_one_site_alone_stay(tmp_path):
    site(tmp_path, "siteA", "CN")
    site(tmp_path, "siteB", "AD", scan=SCAN.replace("01", "02"))
    subjects = {r.subject for r in read_folder(tmp_path).records}
    assert subjects == {"sub-01", "sub-02"}


def test_a_subject_of_adni_is_one_person(tmp_path):
    for name in ("one", "two"):
        site(tmp_path, name, "CN", scan=SCAN.replace("01", "ADNI999S9001"))
    assert {r.subject for r in found(tmp_path).values()} == {"999_S_9001"}


def test_a_copy_of_a_data_set_is_of_the_same_people(tmp_path):
    for name in ("one", "two"):
        site(tmp_path, name, "CN")
        (tmp_path / name / f"{SCAN}.nii").write_bytes(b"the same content")
    assert {r.subject for r in read_folder(tmp_path).records} == {"sub-01"}


def test_a_data_set_in_another_is_of_the_same_people(tmp_path):
    for name in ("siteA", "siteA/backup", "siteB"):
        site(tmp_path, name, "CN")
    assert {r.subject for r in read_folder(tmp_path / "siteA").records} == {
        "sub-01"
    }
    subjects = [r.subject for r in read_folder(tmp_path).records]
    assert subjects == ["siteA/sub-01", "siteA/sub-01", "siteB/sub-01"]


def test_two_sites_in_a_data_set(tmp_path):
    site(tmp_path, "all", "CN")
    for name in ("all/siteA", "all/siteB"):
        site(tmp_path, name, "CN")
    problems = {r.subject: r.problem for r in read_folder(tmp_path).records}
    assert problems["all/siteA/sub-01"] == ""
    assert problems["sub-01"].startswith("one label of several people: ")


def test_derivatives_beside_two_data_sets_belong_to_neither(tmp_path):
    site(tmp_path, "siteA", "CN")
    site(tmp_path, "siteB", "AD")
    write(tmp_path, f"derivatives/x/{SCAN}", b"derived")
    (stray,) = [r for r in read_folder(tmp_path).records if r.problem]
    assert stray.problem == (
        "one label of several people: sub-01 of siteA and siteB; put the file "
        "into one of them"
    )


def test_derivatives_beside_one_data_set_are_of_its_people(tmp_path):
    site(tmp_path, "raw", "CN")
    write(tmp_path, f"petprep/{SCAN}", b"derived")
    facts = RAW | {"DatasetType": "derivative"}
    path = tmp_path / "petprep/dataset_description.json"
    path.write_text(json.dumps(facts))
    (tmp_path / "petprep/participants.tsv").write_text("participant_id\n")
    assert {r.subject for r in read_folder(tmp_path).records} == {"sub-01"}


def test_sessions_that_only_folders_name(tmp_path):
    for session in ("1", "2"):
        stem = f"sub-01/ses-{session}/pet/sub-01_trc-18FFDG_pet"
        write(tmp_path, stem, session.encode())
    assert {
        n: (r.visit, r.copy, r.subject) for n, r in found(tmp_path).items()
    } == {
        f"ses-{s}/sub-01_trc-18FFDG_pet": (s, "", "sub-01") for s in ("1", "2")
    }
