"""How often a folder of scans is listed and its tables are opened."""

import sys
from collections import Counter
from pathlib import Path

import adni_tables
import ida_tree
import nibabel as nib
import numpy as np
import pytest
from adni_tables import adnimerge_row, dxsum_row
from typer.testing import CliRunner

from pet_dcgan.cli.main import app

_seen: list[tuple[str, str]] = []
_listening = False


def _hear(event: str, words: tuple) -> None:
    """Notes which files are opened and which folders are listed."""
    if _listening and event in ("open", "os.scandir"):
        _seen.append((event, str(words[0])))


sys.addaudithook(_hear)


def run(*words):
    """Returns the exit code, listings by folder and openings by table."""
    global _listening
    _seen.clear()
    _listening = True
    try:
        result = CliRunner().invoke(app, [*map(str, words)])
    finally:
        _listening = False
    assert "Traceback" not in result.output
    listed = Counter(path for event, path in _seen if event == "os.scandir")
    opened = Counter(
        path
        for event, path in _seen
        if event == "open" and path.lower().endswith((".csv", ".tsv"))
    )
    return result, listed, opened


def once(root, *elsewhere):
    """Every folder of a tree, and its tables and those given, once each."""
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    tables = [*root.rglob("*.csv"), *root.rglob("*.tsv"), *elsewhere]
    return (
        dict.fromkeys(map(str, folders), 1),
        dict.fromkeys(map(str, tables), 1),
    )


def below(root, counts, *elsewhere):
    """What was counted below a folder and of the tables given."""
    return {
        path: count
        for path, count in counts.items()
        if Path(path).is_relative_to(root) or Path(path) in elsewhere
    }


@pytest.fixture
def root(tmp_path):
    """An IDA download with tables among its scans that nobody gave."""
    root = tmp_path / "scans"
    ida_tree.write_tree(root, ida_tree.cohort_rows(3))
    exams = [dxsum_row(n, "2012-05-05", DIAGNOSIS="2") for n in range(9)]
    adni_tables.write(root / "DXSUM.csv", *exams)
    adni_tables.write(root / "ADNIMERGE.csv", adnimerge_row())
    adni_tables.write(root / "other.csv", {"RID": "1", "FDG": "1.2"})
    return root


def write_bids(root, diagnosis):
    """Writes a BIDS data set of one subject with both of its tables."""
    home = root / "sub-ADNI999S9001" / "ses-M000" / "pet"
    home.mkdir(parents=True)
    image = nib.Nifti1Image(np.ones((9, 9, 9), "f4"), np.diag([9, 9, 9, 1]))
    nib.save(image, home / "sub-ADNI999S9001_ses-M000_trc-18FFDG_pet.nii")
    (root / "participants.tsv").write_text(
        f"participant_id\tdiagnosis\nsub-ADNI999S9001\t{diagnosis}\n"
    )
    (home.parent.parent / "sub-ADNI999S9001_sessions.tsv").write_text(
        "session_id\texamination_date\nses-M000\t2012-05-05\n"
    )
    (root / "notes.csv").write_text("a,b\n1,2\n")
    return root


def test_scan(root, tmp_path):
    account = tmp_path / "scans.csv"
    result, listed, opened = run("scan", root, "--csv", account)
    assert result.exit_code == 0
    assert "DXSUM.csv looks like DXSUM" in " ".join(result.output.split())
    assert (below(root, listed), below(root, opened)) == once(root)


def test_scan_with_tables_given(root, tmp_path):
    elsewhere = adni_tables.write(tmp_path / "D.csv", adnimerge_row())
    quality = {"RID": "9001", "PASS": "1", "EXAMDATE": "2012-05-05"}
    within = adni_tables.write(root / "PETQC.csv", quality)
    result, listed, opened = run(
        *("scan", root, "--diagnosis", root / "DXSUM.csv"),
        *("--diagnosis", elsewhere, "--qc", within),
    )
    assert result.exit_code == 0, result.output
    counted = below(root, listed), below(root, opened, elsewhere)
    assert counted == once(root, elsewhere)


@pytest.mark.parametrize("diagnosis", ["AD", ""])
def test_scan_of_a_bids_data_set(tmp_path, diagnosis):
    root = write_bids(tmp_path / "scans", diagnosis)
    result, listed, opened = run("scan", root)
    assert result.exit_code == (0 if diagnosis else 1)
    assert (below(root, listed), below(root, opened)) == once(root)


def test_scan_without_a_collection(root):
    next(root.glob("collection*.csv")).unlink()
    result, listed, opened = run("scan", root)
    assert result.exit_code == 1
    assert "expected an IDA collection CSV" in result.stderr
    assert (below(root, listed), below(root, opened)) == once(root)


def test_prepare(root, tmp_path):
    result, listed, opened = run(
        *("prepare", root, "--data-dir", tmp_path / "data"),
        *("--config", "axial_64", "--jobs", 1),
    )
    assert result.exit_code == 0, result.output
    assert (below(root, listed), below(root, opened)) == once(root)
