import pytest

from tfds_adni.sources import copies
from tfds_adni.sources.copies import DIFFERENT, SAME, tell_apart
from tfds_adni.sources.images import find_images
from tfds_adni.sources.tree import parts_below, walk

FRAME = "ADNI_999_S_9001_PT_Raw_br_raw_2012050610111213{0}_{0}_S1_I5.nii"
FILE = "ADNI_999_S_9001_PT_Coreg_Br_20120506101112131_8_S1_I5.nii"


def sets(root, contents):
    for name, content in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return [
        (["/".join(parts_below(i.path, root)) for i in frames], reason)
        for frames, reason in tell_apart(find_images(walk(root)))
    ]


def test_frames_differ_in_stamp_and_number(tmp_path):
    names = [FRAME.format(n) for n in range(1, 7)]
    assert sets(tmp_path, dict.fromkeys(names, b"")) == [(names, "")]


@pytest.mark.parametrize(
    "names",
    [
        ["frame1.nii", "frame2.nii"],
        ["x_f01.nii", "x_f02.nii"],
        ["vol0000.nii.gz", "vol0001.nii.gz"],
        ["a_1.hdr", "a_2.hdr"],
    ],
)
def test_frames_as_converters_name_them(tmp_path, names):
    halves = {n.replace(".hdr", ".img"): b"" for n in names}
    assert sets(tmp_path, dict.fromkeys(names, b"") | halves) == [(names, "")]


@pytest.mark.parametrize(
    "other",
    [
        f"w{FILE}",
        FILE.replace(".nii", "_brain.nii"),
        FILE.replace(".nii", " (1).nii"),
        f"copy/{FILE}",
        f"{FILE}.gz",
        "a.nii",
    ],
)
def test_other_versions_are_not_averaged(tmp_path, other):
    found = sets(tmp_path, {FILE: b"x", other: b"y"})
    assert found == [([FILE], ""), ([other], DIFFERENT)]


def test_smoothed_versions_are_no_frames(tmp_path):
    found = sets(tmp_path, {"pet_6mm.nii": b"", "pet_8mm.nii": b""})
    assert [len(frames) for frames, _ in found] == [1, 1]


def test_the_same_scan_in_two_places(tmp_path):
    found = sets(tmp_path, {f"b/{FILE}": b"x", f"a/{FILE}": b"x"})
    assert found == [([f"a/{FILE}"], ""), ([f"b/{FILE}"], SAME)]


def test_a_download_cut_short_goes_behind_the_whole_one(tmp_path):
    found = sets(tmp_path, {f"a/{FILE}": b"x", f"b/{FILE}": b"xx"})
    assert found == [([f"b/{FILE}"], ""), ([f"a/{FILE}"], DIFFERENT)]


@pytest.mark.parametrize("place", [0, 200_000, 399_999])
def test_contents_that_differ_somewhere(tmp_path, place):
    data = bytearray(400_000)
    data[place] = 1
    found = sets(tmp_path, {f"a/{FILE}": bytes(400_000), f"b/{FILE}": data})
    assert found[1][1] == DIFFERENT


def test_contents_of_two_lengths_differ(tmp_path):
    found = sets(tmp_path, {FILE: bytes(400_000), f"w{FILE}": bytes(400_001)})
    assert found == [([FILE], ""), ([f"w{FILE}"], DIFFERENT)]


def test_more_frames_go_first(tmp_path):
    whole = [f"b/{FRAME.format(n)}" for n in range(1, 4)]
    found = sets(tmp_path, dict.fromkeys([f"a/{FRAME.format(1)}", *whole], b""))
    assert found == [(whole, ""), ([f"a/{FRAME.format(1)}"], DIFFERENT)]


def test_pairs_are_compared_by_their_voxels(tmp_path):
    pair = {"a/x.hdr": b"", "b/x.hdr": b"", "a/x.img": b"1", "b/x.img": b"2"}
    assert sets(tmp_path, pair)[1] == (["b/x.hdr"], DIFFERENT)


def test_files_nobody_may_read_count_as_different(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr("builtins.open", refuse)
    assert not copies._same_content(tmp_path, tmp_path)
    assert copies._size(tmp_path / "none") == 0
