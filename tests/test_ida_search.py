"""The tables of LONI's search since October 2024."""

import adni_tables
import ida_tree
import pytest

from tfds_adni import Selection, survey
from tfds_adni.sources import Label, read_folder

GROUPS = ("CN", "LMCI", "AD")


def image(number, group="", **other):
    """A row of the list of images; with a group it is merged."""
    entry = {"entry_research_group": group, "entry_age": "70.2"}
    entry["entry_date"] = "2011-05-05"
    return {
        "image_id": str(900000 + number),
        "subject_id": f"999_S_{9000 + number}",
        "study_id": str(1000 + number),
        "image_visit": "ADNI2 Month 12",
        "image_date": "2012-05-05",
        "modality": "PET",
        "image_type": "Pre-processed",
        "image_description": ida_tree.DESCRIPTION,
        **(entry if group else {}),
    } | other


def entry(number, group, **other):
    """A row of the study entry."""
    return {
        "subject_id": f"999_S_{9000 + number}",
        "entry_age": "70.2",
        "entry_date": "2011-05-05",
        "entry_visit": "sc",
        "entry_research_group": group,
    } | other


@pytest.fixture
def root(tmp_path):
    """Three scans without a table."""
    rows = [ida_tree.row(n, "") for n in range(1, 4)]
    ida_tree.write_tree(tmp_path, rows)
    next(tmp_path.glob("*.csv")).unlink()
    return tmp_path


def write(root, name, *rows):
    return adni_tables.write(root / f"FDG_{name}_15Jan2026.csv", *rows)


@pytest.mark.parametrize("merged", [True, False])
def test_images_with_the_groups_at_entry(root, merged):
    numbered = list(enumerate(GROUPS, start=1))
    write(
        root,
        "All_Images",
        *(image(n, group if merged else "") for n, group in numbered),
    )
    if not merged:
        write(root, "Study_Entry", *(entry(n, g) for n, g in numbered))
    source = "All Images" if merged else "Study Entry"
    source += " entry_research_group"
    first, *_ = read_folder(root).records
    assert first.labels == (Label("CN", source),)
    assert (first.date, first.visit) == ("2012-05-05", "ADNI2 Month 12")
    assert first.age == 71.2  # a year after the entry
    assert first.description == ida_tree.DESCRIPTION
    cohort = survey(root, Selection(visits="all"))
    assert [d.stage for d in cohort.used] == ["NC", "MCI", "AD"]
    assert cohort.label_sources == {source: 3}
    assert any("group at enrolment" in line for line in cohort.warnings)


def test_entries_without_a_list_of_images(root):
    write(root, "Study_Entry", *(entry(n, "AD") for n in range(1, 4)))
    assert len(survey(root).used) == 3


def test_entries_that_contradict_each_other(root):
    rows = [entry(1, "AD"), entry(1, "CN", entry_visit="bl")]
    write(root, "Study_Entry", *rows, entry(2, "AD"), entry(3, "AD"))
    reason = survey(root).decisions[0].reason
    assert reason.startswith("rows of one image contradict each other: Study")


def test_a_list_that_lacks_an_image_or_a_date_of_entry(root):
    rows = [image(n, "AD", entry_date="") for n in (1, 2)]
    write(root, "All_Images", *rows)
    decisions = survey(root).decisions
    assert [d.reason for d in decisions] == [
        "",
        "",
        "not in the collection CSV",
    ]
    assert decisions[0].record.age == -1


def test_a_list_without_groups_names_the_table_to_add(root):
    write(root, "All_Images", *map(image, range(1, 4)))
    cohort = survey(root)
    with pytest.raises(ValueError, match="LONI's new list of images") as caught:
        cohort.require_used(root)
    line = str(caught.value)
    assert "FDG_All_Images_15Jan2026.csv" in line
    assert "Study_Entry" in line
    assert "--diagnosis" in line
    assert "\n" not in line


def test_other_tables_with_image_ids_are_no_list(root):
    row = {"Subject": "999_S_9001", "Image ID": "900001", "Scan Date": "x"}
    write(root, "PET_META_LIST", row)
    assert {r.unlisted for r in read_folder(root).records} == {""}
