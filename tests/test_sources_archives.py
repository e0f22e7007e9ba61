import zipfile

import pytest

from tfds_adni.sources import read_folder
from tfds_adni.sources.refused import packed
from tfds_adni.sources.tree import walk


def pack(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")


def reasons(folder):
    return {path.name: reason for path, reason in packed(walk(folder))}


def test_a_zip_that_is_not_unpacked_is_named(tmp_path):
    pack(tmp_path / "Phantom.ZIP", "ADNI/x_I1.nii", "ADNI/y_I2.nii")
    (tmp_path / "x_I1.nii").write_text("")
    assert "unpack it here" in reasons(tmp_path)["Phantom.ZIP"]
    (tmp_path / "y_I2.nii").write_text("")
    assert reasons(tmp_path) == {}


@pytest.mark.parametrize(
    "names", [[], ["a.txt"], ["__MACOSX/._x.nii"], ["x.nii/", "tables/dx.csv"]]
)
def test_zips_without_images_are_passed_over(tmp_path, names):
    pack(tmp_path / "a.zip", *names)
    assert reasons(tmp_path) == {}


def test_a_zip_cut_short_is_named(tmp_path):
    pack(tmp_path / "a.zip", "x.nii")
    whole = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(whole[:30])
    assert "download it again" in reasons(tmp_path)["a.zip"]


def test_zips_alone_are_a_record_each(tmp_path):
    pack(tmp_path / "ADNI_999_S_9001.zip", "x.nii")
    (record,) = read_folder(tmp_path).records
    assert record.paths == (tmp_path / "ADNI_999_S_9001.zip",)
    assert record.problem.startswith("zip archive")
