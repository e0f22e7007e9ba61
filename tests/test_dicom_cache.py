"""The cache of what DICOM is converted to."""

import json
import os
import stat
import time

import pytest

from tfds_adni.sources import read_folder
from tfds_adni.sources.dicom import conversion
from tfds_adni.sources.dicom.cache import DicomCache, default_folder
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


@pytest.fixture
def runs(monkeypatch):
    """The conversions that were run."""
    done, run = [], conversion.run

    def counted(*arguments, **options):
        done.append(arguments)
        return run(*arguments, **options)

    monkeypatch.setattr(conversion, "run", counted)
    return lambda: sum("--version" not in arguments for arguments in done)


def test_a_second_scan_converts_nothing(home, runs):
    first = scan(home)
    assert runs() == 1
    assert "1 series converted and 0" in first.notes[0]
    second = scan(home)
    assert runs() == 1
    assert "0 series converted and 1" in second.notes[0]
    assert second.records == first.records


def test_a_relative_folder_reads_the_same_entries(home, runs, monkeypatch):
    scan(home)
    monkeypatch.chdir(home)
    (record,) = read_folder("scans", dicom_cache="cache").records
    assert runs() == 1
    assert str(record.paths[0]) == "scans/IM0001"


@pytest.mark.parametrize("times", ["new", "kept"])
def test_a_changed_file_converts_again(home, runs, times):
    scan(home)
    path = home / "scans/IM0007"
    before = path.stat()
    file = pydicom.dcmread(path)
    file.RescaleSlope = f"{2 * file.RescaleSlope:.8g}"[:8]
    file.save_as(path)
    if times == "kept":
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    (record,) = scan(home).records
    assert runs() == 2
    volume = load_volume(record.images).data
    assert volume[:, :, 6] == pytest.approx(2 * brain()[:, :, 6], rel=0.01)


def test_another_version_converts_again(home, runs, monkeypatch):
    scan(home)
    monkeypatch.setattr(conversion, "version_of", lambda program: "other")
    scan(home)
    assert runs() == 2


@pytest.mark.parametrize(
    "harm",
    [
        lambda p: (p / "0.nii").unlink(),
        lambda p: (p / "0.nii").write_bytes(b"half"),
        lambda p: (p / "facts.json").write_text("{"),
        lambda p: (p / "facts.json").write_text("[]"),
        lambda p: (p / "facts.json").unlink(),
    ],
)
def test_a_damaged_entry_is_made_again(home, runs, harm):
    scan(home)
    (volume,) = (home / "cache").rglob("0.nii")
    harm(volume.parent)
    (record,) = scan(home).records
    assert runs() == 2
    assert load_volume(record.images).data.shape == brain().shape


def test_what_a_killed_process_left(home):
    left = home / "cache/.new-killed"
    (left / "entry").mkdir(parents=True)
    (left / "entry/0.nii").write_bytes(b"half")
    cache = DicomCache(home / "cache")
    assert left.exists()  # another process may be at it
    os.utime(left, times=(0, time.time() - 2 * 86400))
    cache = DicomCache(home / "cache")
    assert not left.exists()
    assert list(cache.folder.iterdir()) == []


def test_two_processes_at_once(home):
    cache = DicomCache(home / "cache")

    def fill(folder):
        (folder / "0.nii").write_bytes(b"mine")
        cache.entry("key", lambda other: {"whose": "theirs"})
        return {"whose": "mine"}

    place, _, before = cache.entry("key", fill)
    assert not before
    entry = json.loads((place / "facts.json").read_text())
    assert entry["facts"] == {"whose": "theirs"}
    assert [path.name for path in cache.folder.iterdir()] == [place.name]


def test_only_its_owner_may_look_into_it(home, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "of user"))
    found = read_folder(home / "scans")
    place = home / "of user/pet-dcgan/dicom"
    assert default_folder() == place
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert str(place) in found.notes[0]


def test_default_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert default_folder() == tmp_path / ".cache/pet-dcgan/dicom"


def test_folders_that_cannot_be_the_cache(home):
    with pytest.raises(ValueError, match=r"outside .*--dicom-cache"):
        read_folder(home / "scans", dicom_cache=home / "scans/cache")
    assert not (home / "scans/cache").exists()
    (home / "cache").write_text("a file")
    with pytest.raises(OSError, match=r"^expected .*--dicom-cache$") as error:
        scan(home)
    assert error.value.errno is None
