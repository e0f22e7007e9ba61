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

_seen: list[str] = []
_listening = False


def _listen(event: str, words: tuple) -> None:
    """Notes which tables are opened and which folders are listed."""
    if not _listening or event not in ("open", "os.scandir"):
        return
    path = str(words[0])
    if event == "os.scandir" or path.lower().endswith((".csv", ".tsv")):
        _seen.append(path)


sys.addaudithook(_listen)


def run(*words, root, others=(), code=0):
    """Runs a command; each folder and each table is read exactly once."""
    global _listening
    _seen.clear()
    _listening = True
    try:
        result = CliRunner().invoke(app, [*map(str, words)])
    finally:
        _listening = False
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    once = {root, *others}
    for path in root.rglob("*"):
        if path.is_dir() or path.suffix in (".csv", ".tsv"):
            once.add(path)
    counts = {
        Path(path): count
        for path, count in Counter(_seen).items()
        if Path(path).is_relative_to(root) or Path(path) in others
    }
    assert counts == dict.fromkeys(once, 1)
    return result


@pytest.fixture
def root(tmp_path):
    """An IDA download with tables among its scans that are not given."""
    root = tmp_path / "scans"
    ida_tree.write_tree(root, ida_tree.cohort_rows(3))
    exams = [dxsum_row(n, "2012-05-05", DIAGNOSIS="2") for n in range(9)]
    adni_tables.write(root / "DXSUM.csv", *exams)
    adni_tables.write(root / "ADNIMERGE.csv", adnimerge_row())
    adni_tables.write(root / "other.csv", {"RID": "1", "FDG": "1.2"})
    return root


def test_scan(root, tmp_path):
    result = run("scan", root, "--csv", tmp_path / "scans.csv", root=root)
    assert "DXSUM.csv looks like DXSUM" in " ".join(result.output.split())


def test_scan_with_tables_given(root, tmp_path):
    elsewhere = adni_tables.write(tmp_path / "D.csv", adnimerge_row())
    quality = {"RID": "9001", "PASS": "1", "EXAMDATE": "2012-05-05"}
    within = adni_tables.write(root / "PETQC.csv", quality)
    given = ["--diagnosis", root / "DXSUM.csv", "--diagnosis", elsewhere]
    run("scan", root, *given, "--qc", within, root=root, others=[elsewhere])


@pytest.mark.parametrize(("diagnosis", "code"), [("AD", 0), ("", 1)])
def test_scan_of_a_bids_data_set(tmp_path, diagnosis, code):
    """One subject, with both tables of BIDS and another one."""
    root = tmp_path / "scans"
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
    run("scan", root, root=root, code=code)


def test_scan_without_a_collection(root):
    next(root.glob("collection*.csv")).unlink()
    result = run("scan", root, root=root, code=1)
    assert "expected an IDA collection CSV" in result.stderr


def test_prepare(root, tmp_path):
    words = ["prepare", root, "--data-dir", tmp_path / "data", "--jobs", 1]
    run(*words, "--config", "axial_64", root=root)
