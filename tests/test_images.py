import random
import tarfile

import pytest
from ida_tree import put

from tfds_adni.sources import read_folder
from tfds_adni.sources.archives import packed
from tfds_adni.sources.images import (
    DIFFERENT,
    SAME,
    find_images,
    split_copies,
    voxels_of,
)
from tfds_adni.sources.tree import walk

FRAME = "ADNI_999_S_9001_PT_Raw_br_raw_2012050610111213{0}_{0}_S1_I5.nii"
FILE = "ADNI_999_S_9001_PT_Coreg_Br_20120506101112131_8_S1_I5.nii"
PAIR = {"b/x.hdr": b"", "b/x.img": b"2"}
NO_VOXELS = "Analyze header without its image (.img)"
NO_HEADER = "Analyze image without its header (.hdr)"


def found(root):
    return {i.path.name: i.problem for i in find_images(walk(root))}


def copies(root, contents):
    """The copies that `split_copies` finds among files, by their names."""
    put(root, **contents)
    tree = walk(root)
    return [
        (["/".join(tree.parts(i.path)) for i in frames], reason)
        for frames, reason in split_copies(find_images(tree))
    ]


def deny(*_):
    raise PermissionError


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["x.nii", "y.nii.gz", "Z.NII.GZ"], ["Z.NII.GZ", "x.nii", "y.nii.gz"]),
        (["x.hdr", "x.img"], ["x.hdr"]),
        (["x.HDR", "x.IMG"], ["x.HDR"]),
        (["x.hdr.gz", "x.img.gz"], ["x.hdr.gz"]),
        (["x.hdr", "x.img.gz"], ["x.hdr"]),
        (["x.hdr.bz2", "x.img.zst"], ["x.hdr.bz2"]),
        (
            ["x.nii.bz2", "y.nii.zst", "z.NII.Bz2"],
            ["x.nii.bz2", "y.nii.zst", "z.NII.Bz2"],
        ),
        (["x.mgz", "y.mgh", "z.mgh.gz"], ["x.mgz", "y.mgh", "z.mgh.gz"]),
        (["x.nii.gz.gz", "x.nii.bz2.json"], ["x.nii.gz.gz"]),
        (["a.txt", "a.json", "a.png", "nii", "x.nii.txt", "x.csv"], []),
    ],
)
def test_images_by_name(tmp_path, names, expected):
    put(tmp_path, *names)
    assert found(tmp_path) == dict.fromkeys(expected, "")


def test_halves_of_a_pair_have_to_match(tmp_path):
    put(tmp_path, "w.hdr", "w.img", "x.hdr", "y.img", "z.hdr", "z.img.gz")
    assert found(tmp_path) == {
        "w.hdr": "",
        "x.hdr": NO_VOXELS,
        "y.img": NO_HEADER,
        "z.hdr": "",
    }
    voxels = {i.voxels.name for i in find_images(walk(tmp_path))}
    assert voxels == {"w.img", "x.hdr", "y.img", "z.img.gz"}


def test_halves_of_one_packing_go_together(tmp_path):
    put(tmp_path, "x.hdr", "x.hdr.gz", "x.img.bz2", "x.img.gz", "x.img.zst")
    images = {i.path.name: i for i in find_images(walk(tmp_path))}
    assert images["x.hdr.gz"].voxels.name == "x.img.gz"
    del images["x.hdr.gz"]
    assert list(images) == ["x.hdr", "x.img.bz2", "x.img.zst"]
    problems = {image.problem for image in images.values()}
    assert problems == {"a second half of an Analyze pair"}


def test_the_other_half_of_a_pair_on_disk(tmp_path):
    put(tmp_path, "x.hdr", "x.img.bz2", "y.HDR", "y.IMG", "z.hdr")
    assert voxels_of(tmp_path / "x.hdr").name == "x.img.bz2"
    assert voxels_of(tmp_path / "y.HDR").name == "y.IMG"
    assert voxels_of(tmp_path / "z.hdr") is None


@pytest.mark.parametrize("seed", range(3))
def test_pairs_of_any_capitals_are_found_alike(tmp_path, seed):
    """What `find_images` joins, `voxels_of` finds; each file is in one image.

    Names may be of one case on one medium and of two on another.
    """
    rng = random.Random(seed)
    kinds = [h + p for h in (".hdr", ".img") for p in ("", ".gz", ".bz2")]
    forms = (str.lower, str.upper, str.title)
    for number in range(40):
        for kind in rng.choices(kinds, k=rng.randint(1, 4)):
            form, *others = rng.sample(forms, 3)
            packing = rng.choice([form, others[0]])(kind[4:])
            put(tmp_path, f"{number:02}x{form(kind[:4])}{packing}")
    images = find_images(walk(tmp_path))
    seen = [p for i in images for p in {i.path, i.voxels}]
    assert sorted(seen) == sorted(tmp_path.iterdir())
    pairs = [i for i in images if i.voxels != i.path]
    assert len(pairs) > 10
    for image in pairs:
        assert not image.problem
        assert voxels_of(image.path) == image.voxels


def test_halves_of_like_capitals_go_together(tmp_path):
    put(tmp_path, "x.hdr", "x.HDR", "x.img", "x.IMG", "y.hdr", "y.IMG")
    pairs = [(i.path.name, i.voxels.name) for i in find_images(walk(tmp_path))]
    assert pairs == [
        ("x.HDR", "x.IMG"),
        ("x.hdr", "x.img"),
        ("y.hdr", "y.IMG"),
    ]


def test_hidden_images_and_broken_links_by_their_name(tmp_path):
    put(tmp_path, "._x.nii", ".y.hdr", ".y.img", ".z")
    assert list(found(tmp_path)) == ["._x.nii", ".y.hdr"]
    assert all("hidden" in problem for problem in found(tmp_path).values())
    for name in ("x.nii", "y.hdr", "y.img", "z"):
        (tmp_path / name).symlink_to("nowhere")
    assert list(found(tmp_path)) == ["._x.nii", ".y.hdr", "x.nii", "y.hdr"]
    paths = [p.name for r in read_folder(tmp_path).records for p in r.paths]
    assert paths == ["._x.nii", ".y.hdr", "x.nii", "y.hdr", "z"]


def test_other_formats_name_their_converter(tmp_path):
    expected = {
        **{"x.dcm": "dcm2niix", "X.IMA": "dcm2niix", "x.v": "pypet2bids"},
        **{"x.mnc": "mnc2nii", "x.nrrd": "Slicer", "x.nhdr": "Slicer"},
        **{"x.mha": "Slicer", "x.mif": "mrconvert"},
        "x+orig.BRIK": "3dAFNItoNIFTI",
    }
    put(tmp_path, *expected)
    tools = {name: why.split()[-1] for name, why in found(tmp_path).items()}
    assert tools == expected


def test_other_packings_and_unfinished_downloads(tmp_path):
    packings = ["a.nii.xz", "a.nii.gz.7z", "a.img.rar", "a.mnc.gz", "a.dcm.gz"]
    unfinished = ["b.nii.part", "b.nii.gz.crdownload", "b.NII.GZ.Download"]
    put(tmp_path, *packings, *unfinished, "x.xz", "x.txt.part", "x.gz")
    problems = found(tmp_path)
    assert sorted(problems) == sorted(packings + unfinished)
    assert all("unpack it" in problems[name] for name in packings)
    assert all("unfinished" in problems[name] for name in unfinished)


def test_every_image_of_random_names_is_accounted_for(tmp_path):
    """Each is in one record, with a problem unless it can be read."""
    rng = random.Random(0)
    readable = 0
    for number in range(150):
        name = f"s{number}" + rng.choice([".nii", ".mgz", ".nrrd", ".mnc"])
        name += rng.choice(["", ".gz", ".bz2", ".zst", ".xz", ".part"])
        readable += name.split(".")[1] in ("nii", "mgz") and not name.endswith(
            (".xz", ".part")
        )
        put(tmp_path, rng.choice([name, name.upper()]))
    files = {p.name for p in tmp_path.iterdir()}
    problems = found(tmp_path)
    # nobody packs these in a way that programs open
    missed = files - problems.keys()
    assert not missed
    assert sum(not why for why in problems.values()) == readable
    records = read_folder(tmp_path).records
    assert sorted(p.name for r in records for p in r.paths) == sorted(files)


def test_archives_whose_images_are_not_unpacked(tmp_path):
    put(tmp_path, "a.nii", "c.tar.gz", "d.7z", "ADNI.zip.crdownload")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(tmp_path / "a.nii", "deep/a.nii")
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        archive.add(tmp_path / "a.nii", "b.nii.bz2")
    (tmp_path / "x.tar").write_bytes(b"no tar" * 200)
    reasons = {p.name: why for p, why in packed(walk(tmp_path))}
    assert "download it again" in reasons.pop("x.tar")
    assert "unfinished" in reasons.pop("ADNI.zip.crdownload")
    assert sorted(reasons) == ["b.tar", "c.tar.gz", "d.7z"]
    assert all("unpack it here" in why for why in reasons.values())


def test_dicom_without_extension_by_its_content(tmp_path, monkeypatch):
    dicom = bytes(128) + b"DICM" + bytes(9)
    put(tmp_path, "README", IM1=dicom, IM2=bytes(200), **{"1.2.3": dicom})
    assert list(found(tmp_path)) == ["1.2.3", "IM1"]
    monkeypatch.setattr("builtins.open", deny)
    assert found(tmp_path) == {}


@pytest.mark.parametrize(
    "names",
    [
        [FRAME.format(n) for n in range(1, 7)],
        ["frame1.nii", "frame2.nii"],
        ["x_f01.nii", "x_f02.nii"],
        ["vol0000.nii.gz", "vol0001.nii.gz"],
        ["a_1.hdr", "a_2.hdr"],
    ],
)
def test_frames_of_one_scan(tmp_path, names):
    put(tmp_path, *(n.replace(".hdr", ".img") for n in names))
    assert copies(tmp_path, dict.fromkeys(names, b"")) == [(names, "")]


@pytest.mark.parametrize(
    "other",
    [
        f"w{FILE}",
        FILE.replace(".nii", "_brain.nii"),
        FILE.replace(".nii", " (1).nii"),
        f"copy/{FILE}",
        f"{FILE}.gz",
        f"{FILE}.bz2",
        FILE.replace(".nii", ".mgz"),
        "a.nii",
    ],
)
def test_other_versions_are_no_frames(tmp_path, other):
    expected = [([FILE], ""), ([other], DIFFERENT)]
    assert copies(tmp_path, {FILE: b"x", other: b"y"}) == expected


@pytest.mark.parametrize(
    ("contents", "used", "other", "reason"),
    [
        ({f"b/{FILE}": b"x", f"a/{FILE}": b"x"}, "a/", "b/", SAME),
        ({f"a/{FILE}": b"x", f"b/{FILE}": b"xx"}, "b/", "a/", DIFFERENT),
        ({"pet_6mm.nii": b"", "pet_8mm.nii": b""}, "pet_6", "pet_8", SAME),
        # pairs are compared by their voxels
        ({"a/x.hdr": b"", "a/x.img": b"1"} | PAIR, "a/x", "b/x", DIFFERENT),
    ],
)
def test_order_and_difference_of_copies(
    tmp_path, contents, used, other, reason
):
    ((first,), why), ((second,), why_not) = copies(tmp_path, contents)
    assert first.startswith(used)
    assert second.startswith(other)
    assert (why, why_not) == ("", reason)


@pytest.mark.parametrize("place", [0, 200_000, 399_999, None])
def test_contents_that_differ_somewhere(tmp_path, place):
    data = bytearray(400_000 + (place is None))  # or in their length
    if place is not None:
        data[place] = 1
    found = copies(tmp_path, {FILE: data, f"w{FILE}": bytes(400_000)})
    assert found == [([FILE], ""), ([f"w{FILE}"], DIFFERENT)]


def test_more_frames_go_first(tmp_path):
    whole = [f"b/{FRAME.format(n)}" for n in (1, 2)]
    part = f"a/{FRAME.format(1)}"
    found = copies(tmp_path, dict.fromkeys([part, *whole], b""))
    assert found == [(whole, ""), ([part], DIFFERENT)]


def test_copies_that_cannot_be_read_count_as_different(tmp_path, monkeypatch):
    monkeypatch.setattr("builtins.open", deny)
    found = copies(tmp_path, {FILE: b"", f"w{FILE}": b""})
    assert found == [([FILE], ""), ([f"w{FILE}"], DIFFERENT)]
