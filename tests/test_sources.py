import zipfile

import pytest
from ida_tree import put, row, write_csv

from tfds_adni.sources import read_folder

pytestmark = pytest.mark.usefixtures("cache_home")


def pack(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")


def reasons(folder):
    put(folder, "z_I9.nii")  # a folder without images is an error
    records = read_folder(folder).records
    return {r.paths[0].name: r.problem for r in records if r.problem}


def test_zip_that_is_not_unpacked_is_named(tmp_path):
    pack(tmp_path / "Phantom.ZIP", "ADNI/999_S_1_I1.nii", "ADNI/y_I2.nii")
    (record,) = read_folder(tmp_path).records
    assert record.paths == (tmp_path / "Phantom.ZIP",)
    assert record.problem.endswith("unpack it here")
    put(tmp_path, "999_S_1_I1.nii")
    assert "Phantom.ZIP" in reasons(tmp_path)
    put(tmp_path, "y_I2.nii")
    assert "Phantom.ZIP" not in reasons(tmp_path)


@pytest.mark.parametrize(
    "names", [[], ["a.txt"], ["__MACOSX/._x.nii"], ["x.nii/", "tables/dx.csv"]]
)
def test_zips_without_images_are_skipped(tmp_path, names):
    pack(tmp_path / "a.zip", *names)
    assert "a.zip" not in reasons(tmp_path)


def test_truncated_zip_is_named(tmp_path):
    pack(tmp_path / "a.zip", "x.nii")
    whole = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(whole[:30])
    assert reasons(tmp_path)["a.zip"].endswith("download it again")


def test_dicom_series_is_one_record_with_all_its_files(tmp_path):
    folder = "ADNI/999_S_9001/PT/2012-05-05_09_08_07.0/I900001"
    put(tmp_path, *(f"{folder}/s{n}.dcm" for n in range(3)))
    put(tmp_path, "ADNI/999_S_9002/I900002/s.dcm")
    first, second = read_folder(tmp_path).records
    assert len(first.paths) == 3
    assert (first.subject, first.image_id) == ("999_S_9001", "900001")
    assert "dcm2niix" in first.problem
    assert second.image_id == "900002"


def test_dicom_series_without_ids_differ_by_folder(tmp_path):
    put(tmp_path, "a/1.dcm", "a/2.dcm", "b/1.dcm")
    assert [len(r.paths) for r in read_folder(tmp_path).records] == [2, 1]


def test_folders_without_scans(tmp_path):
    with pytest.raises(FileNotFoundError, match="pet-dcgan phantom"):
        read_folder(tmp_path / "nowhere")
    (tmp_path / "scans.zip").write_text("")
    with pytest.raises(NotADirectoryError, match="unpack"):
        read_folder(tmp_path / "scans.zip")
    write_csv(tmp_path / "x", [row(1, "AD")])
    with pytest.raises(FileNotFoundError, match="found none"):
        read_folder(tmp_path / "x")
