import pytest

from tfds_adni.sources import read_folder
from tfds_adni.sources.images import find_images, has_image_name
from tfds_adni.sources.tree import walk


def put(root, **contents):
    for name, content in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def found(root):
    return {i.path.name: i.problem for i in find_images(walk(root))}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["x.nii", "y.nii.gz", "Z.NII.GZ"], ["Z.NII.GZ", "x.nii", "y.nii.gz"]),
        (["x.hdr", "x.img"], ["x.hdr"]),
        (["x.HDR", "x.IMG"], ["x.HDR"]),
        (["x.hdr.gz", "x.img.gz"], ["x.hdr.gz"]),
        (["a.txt", "a.json", "a.png", "nii", "x.nii.txt"], []),
    ],
)
def test_images_by_name(tmp_path, names, expected):
    put(tmp_path, **dict.fromkeys(names, b""))
    assert found(tmp_path) == dict.fromkeys(expected, "")


def test_halves_of_a_pair_have_to_match(tmp_path):
    put(tmp_path, **{"x.hdr": b"", "y.img": b"", "z.hdr": b"", "z.img.gz": b""})
    assert found(tmp_path) == {
        "x.hdr": "Analyze header without its image (.img)",
        "y.img": "Analyze image without its header (.hdr)",
        "z.hdr": "Analyze header without its image (.img)",
        "z.img.gz": "Analyze image without its header (.hdr)",
    }


def test_a_pair_knows_where_its_voxels_are(tmp_path):
    put(tmp_path, **{"x.hdr": b"", "x.img": b""})
    (pair,) = find_images(walk(tmp_path))
    assert pair.voxels.name == "x.img"


def test_hidden_images_are_named(tmp_path):
    put(tmp_path, **{"._x.nii": b"", ".y.hdr": b"", ".y.img": b"", ".z": b""})
    assert list(found(tmp_path)) == ["._x.nii", ".y.hdr"]
    assert all("hidden" in problem for problem in found(tmp_path).values())


def test_links_that_lead_nowhere_are_images_by_their_name(tmp_path):
    for name in ("x.nii", "y.hdr", "y.img", "z"):
        (tmp_path / name).symlink_to("nowhere")
    assert list(found(tmp_path)) == ["x.nii", "y.hdr"]
    paths = [p.name for r in read_folder(tmp_path).records for p in r.paths]
    assert paths == ["x.nii", "y.hdr", "z"]


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("x.dcm", "dcm2niix"),
        ("X.IMA", "dcm2niix"),
        ("x.v", "pypet2bids"),
        ("x.mnc", "mnc2nii"),
    ],
)
def test_other_formats_are_refused_with_their_tool(tmp_path, name, tool):
    put(tmp_path, **{name: b""})
    assert tool in found(tmp_path)[name]


def test_dicom_without_extension_is_known_by_its_letters(tmp_path):
    dicom = bytes(128) + b"DICM" + bytes(9)
    put(
        tmp_path,
        IM0001=dicom,
        IM0002=bytes(200),
        README=b"",
        **{"1.2.3": dicom},
    )
    assert list(found(tmp_path)) == ["1.2.3", "IM0001"]


def test_unreadable_files_without_extension_are_passed_over(
    tmp_path, monkeypatch
):
    put(tmp_path, IM0001=bytes(128) + b"DICM")

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr("builtins.open", refuse)
    assert found(tmp_path) == {}


def test_a_dicom_series_is_one_record_with_all_its_files(tmp_path):
    folder = "ADNI/999_S_9001/PT/2012-05-05_09_08_07.0/I900001"
    slices = {f"{folder}/s{n}.dcm": b"" for n in range(3)}
    put(tmp_path, **slices, **{"ADNI/999_S_9002/I900002/s.dcm": b""})
    first, second = read_folder(tmp_path).records
    assert len(first.paths) == 3
    assert (first.subject, first.image_id) == ("999_S_9001", "900001")
    assert "dcm2niix" in first.problem
    assert second.image_id == "900002"


def test_dicom_series_without_ids_are_told_apart_by_their_folders(tmp_path):
    put(tmp_path, **dict.fromkeys(["a/1.dcm", "a/2.dcm", "b/1.dcm"], b""))
    assert [len(r.paths) for r in read_folder(tmp_path).records] == [2, 1]


def test_image_names():
    assert has_image_name("x.NII.gz")
    assert not has_image_name("x.csv")
