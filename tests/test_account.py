import os
from pathlib import Path

import pytest
from adni_tables import verdict

from tfds_adni.cohort.account import printable


def test_columns_and_a_row_for_every_file():
    frames = (Path("a/f1.nii"), Path("a/f2.nii"))
    table = account_of([verdict(1, paths=frames)], Path("a"))
    assert tuple(table.columns) == COLUMNS
    assert list(table["path"]) == ["f1.nii", "f2.nii"]
    assert list(table["used"]) == [True, True]
    assert dict(table.iloc[0]) == {
        "path": "f1.nii",
        "subject": "999_S_9001",
        "image_id": "900001",
        "visit": "bl",
        "date": "2012-05-05",
        "tracer": "FDG",
        "level": "uniform_8mm",
        "stage": "AD",
        "label_source": "DXSUM",
        "used": True,
        "reason": "",
    }


def test_no_scan_is_a_table_with_its_columns():
    assert tuple(account_of([]).columns) == COLUMNS


def test_paths_elsewhere_stay_whole():
    table = account_of([verdict(paths=(Path("/b/f.nii"),))], Path("/a"))
    assert table["path"][0] == "/b/f.nii"
    assert account_of([verdict()])["path"][0] == "I900001.nii"


def test_counts_by_reason_and_stage():
    scans = [
        verdict(1),
        verdict(2, "NC", "no diagnosis within 180 days: 200 days away"),
        verdict(3, "", "no diagnosis within 180 days: 300 days away"),
        verdict(4, "NC", "later visit"),
    ]
    assert summarise(scans) == {
        "used": {"AD": 1},
        "no diagnosis within 180 days": {"NC": 1, "?": 1},
        "later visit": {"NC": 1},
    }


@pytest.mark.parametrize("text", ["", "a.nii", "Fälle/データ.nii"])
def test_printable_text_is_left_alone(text):
    assert printable(text) == text


def test_names_that_are_not_utf8_can_be_written(tmp_path):
    name = os.fsdecode(b"M\xfcller.nii")
    table = account_of([verdict(paths=(Path(name),), reason=f"odd {name}")])
    table.to_csv(tmp_path / "scans.csv", index=False)
    text = (tmp_path / "scans.csv").read_text("utf-8")
    assert r"M\xfcller.nii" in text
    assert r"odd M\xfcller.nii" in text
