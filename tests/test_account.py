"""What a user sees of a cohort: printable texts, a card, warnings."""

import re
from collections import Counter

import adni_tables
import pytest
from adni_tables import adnimerge_row, dxsum_row, verdict

from tfds_adni.cohort.account import (
    cohort_card,
    printable,
    warnings_of,
    warnings_of_tables,
)
from tfds_adni.cohort.selection import Selection
from tfds_adni.sources.tree import walk
from tfds_adni.tables import read_diagnosis


@pytest.mark.parametrize("text", ["", "a.nii", "Fälle/データ.nii"])
def test_printable_text_is_left_alone(text):
    assert printable(text) == text


def test_a_card_counts_by_stage_and_escapes_what_users_wrote():
    counts = {"used": Counter(NC=1, AD=2), "<b>odd</b>" * 9: Counter("?")}
    shown = cohort_card(counts, ["<i>a</i>"], phantom=True)
    assert "4 found, 3 used, 1 skipped" in shown
    used = shown[shown.index(">used<") :].split("</tr>")[0]
    assert [cell.split("<")[0] for cell in used.split("<td>")[1:]] == [
        *("1", "0", "2", "0", "3")
    ]
    assert "Phantom" in shown
    assert "&lt;b&gt;odd&lt;/b&gt;" * 9 in shown
    assert "&lt;i&gt;a" in shown
    assert "<b>odd" not in shown
    plain = cohort_card({}, [], phantom=False)
    assert "0 found" in plain
    assert "Phantom" not in plain


def lines(*used, stages=("NC", "MCI", "AD"), **options):
    people = dict(enumerate(stages))
    return warnings_of(used, Selection(**options), people)


@pytest.mark.parametrize(
    ("used", "options", "words"),
    [
        (
            [verdict(1), verdict(2), verdict(3, "NC", level="averaged")],
            {},
            r"2 uniform_8mm, 1 averaged\): .* --level uniform_8mm$",
        ),
        (
            [verdict(1), verdict(2, label_source="DXSUM; other says MCI")],
            {},
            "disagree on the stage of 1 of the 2 scans used",
        ),
        (
            [verdict(1, visit="m12"), verdict(2, visit="sc"), verdict(3)],
            {},
            "^1 of the 3 subjects have no baseline scan",
        ),
        ([verdict(1)], {"stages": ("NC",)}, "earliest scan is AD: the split"),
        *(
            (
                [verdict(1, label_source=source), verdict(2)],
                {"visits": "all"},
                "^1 scans are labelled with the group at enrolment",
            )
            for source in ("collection CSV Group", "participants.tsv")
        ),
    ],
)
def test_one_warning(used, options, words):
    (line,) = lines(*used, **options)
    assert "\n" not in line
    assert re.search(words, line)


def test_no_warning():
    assert lines(verdict(1), verdict(2, visit="v11")) == []
    enrolled = verdict(1, label_source="XML DX Group")
    assert lines(enrolled) == []
    assert lines(verdict(1, label_source="sessions.tsv"), visits="all") == []
    assert lines(verdict(1, visit="m12"), visits="all") == []


def test_tables_that_lie_there_and_are_not_given(tmp_path):
    given = adni_tables.write(tmp_path / "a" / "D1.csv", dxsum_row())
    adni_tables.write(tmp_path / "b" / "D2.csv", dxsum_row(DXCHANGE="1"))
    adni_tables.write(tmp_path / "M.CSV", adnimerge_row())
    quality = {"RID": "1", "PASS": "1", "EXAMDATE": "2012-05-05"}
    adni_tables.write(tmp_path / "Q.csv", quality)
    adni_tables.write(tmp_path / "other.csv", {"RID": "1", "FDG": "1.2"})
    enrolment = {"RID": "1", "VISCODE": "bl", "DIAGNOSIS": "5"}
    adni_tables.write(tmp_path / "CLIELG.csv", enrolment)
    selection = Selection(diagnosis=[given])
    found = warnings_of_tables(walk(tmp_path), selection, [])
    assert [line.split(" and ")[0] for line in found] == [
        "M.CSV looks like ADNIMERGE",
        "Q.csv looks like PETQC",
        "D2.csv looks like DXSUM",
    ]
    assert f"--qc {tmp_path / 'Q.csv'}" in found[1]
    assert f"--diagnosis {tmp_path / 'M.CSV'}" in found[0]


def test_rows_whose_columns_contradict_each_other(tmp_path):
    row = dxsum_row(DIAGNOSIS="1", DXCHANGE="3")
    path = adni_tables.write(tmp_path / "elsewhere" / "D.csv", row)
    (tmp_path / "scans").mkdir()
    (line,) = warnings_of_tables(
        walk(tmp_path / "scans"), Selection(), [read_diagnosis(path)]
    )
    assert line.startswith("1 rows of D.csv name two stages")


def test_collection_that_cannot_be_read_to_its_end(tmp_path):
    head = "Image Data ID,Subject,Group\nI1,999_S_0001,CN\n"
    (tmp_path / "a.csv").write_text(head)
    assert warnings_of_tables(walk(tmp_path), Selection(), []) == []
    # longer than any cell that Python reads
    (tmp_path / "b.csv").write_text(head + "I2,999_S_0002," + "x" * 200_000)
    (line,) = warnings_of_tables(walk(tmp_path), Selection(), [])
    assert line.startswith("b.csv cannot be read to its end (field larger")
    assert line.endswith("download it again")
