"""DICOM that cannot be converted, and programs that fail."""

import re
import shutil
import sys

import numpy as np
import pytest

from tfds_adni.sources import read_folder
from tfds_adni.sources.dicom import conversion, folder
from tfds_adni.volumes.volume import load_volume

pydicom = pytest.importorskip("pydicom", reason="needs the extra dicom")
pytestmark = pytest.mark.skipif(
    not conversion.find_program(), reason="needs the extra dicom"
)

from toy_dicom import brain, write_series  # noqa: E402


@pytest.fixture
def home(tmp_path):
    """A folder of scans with one series."""
    write_series(tmp_path / "scans", brain())
    return tmp_path


def scan(home):
    return read_folder(home / "scans", dicom_cache=home / "cache")


def reasons(home):
    return [record.problem for record in scan(home).records]


@pytest.fixture
def program(home, monkeypatch):
    """`program(lines)`: a shell script in the place of dcm2niix."""

    def write(lines):
        path = home / "dcm2niix"
        version = 'case "$*" in *--version*) echo v1; exit 3;; esac'
        path.write_text(f"#!/bin/sh\n{version}\n{lines}\n")
        path.chmod(0o755)
        conversion.version_of.cache_clear()
        monkeypatch.setattr(conversion, "find_program", lambda: str(path))

    return write


# --- what cannot be converted ---


def edit(path, **elements):
    file = pydicom.dcmread(path)
    for name, value in elements.items():
        setattr(file, name, value)
        if value is None:
            delattr(file, name)
    file.save_as(path)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda p: p.write_bytes(p.read_bytes()[:-900]), "cannot convert: .*7"),
        (lambda p: p.write_bytes(p.read_bytes()[:300]), "missing slices"),
        (lambda p: p.unlink(), "missing slices: 19 in volumes of 20"),
        (lambda p: edit(p, PixelData=None), "cannot convert|missing slices"),
        (lambda p: edit(p, Rows=14), "cannot convert|missing slices"),
    ],
)
def test_a_damaged_series_is_refused(home, spoil, reason):
    spoil(home / "scans/IM0007")
    found = reasons(home)
    assert all(found), found
    assert any(map(re.compile(reason).search, found)), found
    assert sum(len(r.paths) for r in scan(home).records) in (19, 20)


def test_a_gap_that_no_header_counts(home):
    for path in (home / "scans").iterdir():
        edit(path, NumberOfSlices=None)
    (home / "scans/IM0007").unlink()
    assert "missing slices" in reasons(home)[0]


def test_slices_that_the_program_passes_over(home):
    for path in (home / "scans").iterdir():
        edit(path, InstanceNumber=None)
    (found,) = scan(home).records
    if found.problem:
        assert "slices" in found.problem
    else:
        assert load_volume(found.images).data.shape == brain().shape


@pytest.mark.parametrize("content", [b"", bytes(128) + b"DICM", b"x" * 999])
def test_files_that_are_no_dicom(home, content):
    shutil.rmtree(home / "scans")
    (home / "scans").mkdir()
    for number in range(3):
        (home / f"scans/{number}.dcm").write_bytes(content)
    (record,) = scan(home).records
    assert len(record.paths) == 3
    assert record.problem.startswith("DICOM that dcm2niix cannot convert: ")


def test_hostile_names(home):
    names = ["-h", "a b.dcm", "x\ny.dcm", "$(touch owned)", "'", "-o.dcm", "é"]
    for name, path in zip(names, (home / "scans").iterdir(), strict=False):
        path.rename(path.with_name(name))
    hostile = home / "scans/-f %i; \n'"
    hostile.mkdir()
    for path in list((home / "scans").iterdir()):
        if path.is_file():
            path.rename(hostile / path.name)
    (record,) = scan(home).records
    assert not record.problem
    assert len(record.paths) == 20
    truth = brain()
    volume = load_volume(record.images).data
    assert np.abs(volume - truth).max() < truth.max() / 32000


def test_names_of_patients_stay_out_of_the_cache(home):
    write_series(home / "scans/Doe", brain(seed=1), PatientName="Doe^Jane")
    scan(home)
    for path in (home / "cache").rglob("*"):
        assert "Doe" not in path.name
        if path.suffix == ".nii":
            assert b"Doe" not in path.read_bytes()


# --- programs that fail ---


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("echo 'Error: no luck'; exit 1", "convert: no luck"),
        ("exit 1", "convert: it says nothing"),
        ("exit 0", "convert: it wrote no volume"),
        ("kill -9 $$", "convert: it was ended by signal 9"),
        ("sleep 9", "convert: it took longer than 0.5 s"),
    ],
)
def test_a_program_that_fails(home, program, monkeypatch, lines, reason):
    monkeypatch.setattr(conversion, "_SECONDS", 0.5)
    program(lines)
    (found,) = reasons(home)
    assert reason in found
    assert "\n" not in found
    assert not list((home / "cache").glob(".new-*"))


@pytest.mark.parametrize(
    ("lines", "kept"), [("exit 1", True), ("kill -9 $$", False)]
)
def test_only_a_lasting_failure_is_kept(home, program, lines, kept):
    program(lines)
    assert reasons(home)[0]
    program("exit 0")
    assert ("no volume" not in reasons(home)[0]) == kept


def test_a_full_disk(home, program, monkeypatch):
    program("echo 'Error: Unable to write x (disk full?)'; exit 1")
    with pytest.raises(OSError, match=r"^expected .* No space left .*cache$"):
        scan(home)
    usage = shutil.disk_usage(home)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OSError, match=r"^expected .* No space left .*cache$"):
        scan(home)
    assert not list((home / "cache").glob(".new-*"))


@pytest.mark.parametrize("lacks", ["program", "pydicom", "version"])
def test_without_the_extra(home, program, monkeypatch, lacks):
    if lacks == "program":
        monkeypatch.setattr(conversion, "find_program", lambda: None)
    elif lacks == "version":
        program("")
        (home / "dcm2niix").write_text("no program")
    else:
        monkeypatch.setattr(folder.importlib.util, "find_spec", lambda _: None)
    (record,) = scan(home).records
    assert len(record.paths) == 20
    assert record.problem == (
        "DICOM; convert it to NIfTI with dcm2niix or run pip install "
        '"pet-dcgan[dicom]"'
    )
    assert not (home / "cache").exists()


def test_the_program_on_the_path(home, monkeypatch):
    monkeypatch.setitem(sys.modules, "dcm2niix", None)
    monkeypatch.setenv("PATH", str(home))
    assert conversion.find_program() is None
    (home / "dcm2niix").write_text("#!/bin/sh\n")
    (home / "dcm2niix").chmod(0o755)
    assert conversion.find_program() == str(home / "dcm2niix")
