import gzip
import os
import threading

import nibabel as nib
import numpy as np
import pytest

from tfds_adni.sources.images import find_images
from tfds_adni.sources.tree import walk
from tfds_adni.volumes import headers
from tfds_adni.volumes.headers import read_header
from tfds_adni.volumes.volume import VolumeError

AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])


def save(path, data, affine=AFFINE):
    nib.save(nib.Nifti1Image(data, affine), path)
    return path


@pytest.fixture
def block():
    return np.arange(1000, dtype=np.int16).reshape(10, 10, 10)


def reason(path):
    with pytest.raises(VolumeError) as error:
        read_header(path)
    return str(error.value)


def bare_header(shape, **fields):
    header = nib.Nifti1Header()
    header.set_data_shape(shape)
    header.set_sform(AFFINE, code=1)
    for name, value in fields.items():
        header[name] = value
    return header.binaryblock + bytes(4)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"\n", "a file of one byte"),
        (b"<html>gone</html>" * 40, "a web page"),
        (b"\n <!DOCTYPE html>" * 40, "a web page"),
        (b"PK\x03\x04" + bytes(400), "a zip archive"),
        (bytes(128) + b"DICM" + bytes(400), "dcm2niix"),
        (bytes(400), ""),
        (b"x" * 400, ""),
    ],
)
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.hdr"])
def test_files_that_are_no_images(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    found = reason(path)
    assert found.startswith("unreadable header: ")
    assert words in found
    assert "\n" not in found
    assert str(tmp_path) not in found


def test_a_link_to_nowhere(tmp_path):
    (tmp_path / "b.nii").symlink_to("c.nii")
    assert "the link leads nowhere" in reason(tmp_path / "b.nii")


def test_a_pipe_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "a.nii")
    found = []
    thread = threading.Thread(
        target=lambda: found.append(reason(tmp_path / "a.nii")), daemon=True
    )
    thread.start()
    thread.join(20)
    assert found == ["unreadable header: not a file"]


def test_a_truncated_file_is_known_by_its_size(tmp_path, block):
    path = save(tmp_path / "a.nii", block)
    path.write_bytes(path.read_bytes()[:-1])
    assert reason(path) == "truncated: 2351 bytes of the 2352 the header says"


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((10, 10), "no volume: shape (10, 10)"),
        ((10, 10, 10, 2, 2), "no volume: shape (10, 10, 10, 2, 2), with two"),
        ((10, 10, 10, 2, 1, 3), "no volume"),
        ((10, 10, 3), "too small for a brain: shape (10, 10, 3)"),
    ],
)
def test_shapes_that_are_no_brain(tmp_path, shape, words):
    assert reason(save(tmp_path / "a.nii", np.ones(shape))).startswith(words)


def test_colours_and_complex_numbers(tmp_path):
    colours = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    for dtype in (np.complex64, colours):
        path = save(tmp_path / "a.nii", np.zeros((10, 10, 10), dtype))
        assert reason(path).startswith("no intensities: voxels of type")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((30000, 30000, 30000), "at most 34 million voxels a frame"),
        ((400, 400, 400), "at most 34 million voxels a frame"),
        ((256, 256, 128, 3000), "at most 4 GiB a file"),
    ],
)
def test_sizes_over_the_limit_are_refused_unread(tmp_path, name, shape, words):
    opener = gzip.open if name.endswith("gz") else open
    with opener(tmp_path / name, "wb") as file:
        file.write(bare_header(shape, vox_offset=352))
    found = reason(tmp_path / name)
    assert found.startswith("over the size limit: ")
    assert words in found


def test_the_largest_scanners_are_within_the_limits():
    for shape in [(256, 256, 207), (400, 400, 111), (440, 440, 159)]:
        assert np.prod(shape) < headers.MAX_FRAME_VOXELS
    assert headers.MAX_BYTES // (256 * 256 * 207 * 4) > 60


@pytest.mark.parametrize("offset", [3e9, 1e38, -5.0, np.inf, np.nan])
def test_a_header_that_goes_on_for_ever(tmp_path, offset):
    with gzip.open(tmp_path / "a.nii.gz", "wb") as file:
        file.write(bare_header((10, 10, 10), vox_offset=offset))
        file.write(b"\x20\0\0\x7f" * 4)  # an extension of 2 GB
    assert reason(tmp_path / "a.nii.gz").startswith("unreadable header: of ")


def test_an_extension_and_a_long_name_with_spaces_and_letters(tmp_path, block):
    folder = tmp_path / ("Größe und Maß " + "x" * 150) / ("y" * 150)
    folder.mkdir(parents=True)
    image = nib.Nifti1Image(block, AFFINE)
    image.header.extensions.append(
        nib.nifti1.Nifti1Extension("comment", b"x" * 5000)
    )
    path = folder / "скан 1.nii.gz"
    nib.save(image, path)
    assert len(str(path)) > 256
    assert read_header(path).shape == (10, 10, 10)


def test_a_pair_without_its_voxels(tmp_path, block):
    nib.save(nib.Nifti1Pair(block, AFFINE), tmp_path / "a.hdr")
    header = read_header(tmp_path / "a.hdr")
    assert (header.shape, header.frames) == ((10, 10, 10), 1)
    (tmp_path / "a.img").unlink()
    found = reason(tmp_path / "a.hdr")
    assert found == "voxels missing: no .img beside the .hdr"


def test_an_spm_matrix_of_any_size_is_not_unpacked(tmp_path, block):
    nib.save(nib.Spm99AnalyzeImage(block, AFFINE), tmp_path / "a.hdr")
    (tmp_path / "a.mat").write_bytes(bytes(2**17))
    assert reason(tmp_path / "a.hdr") == "unreadable header: a.mat is too large"


def test_frames_and_ras_shape(tmp_path):
    affine = np.eye(4)[[2, 0, 1, 3]] * [2, 2, 2, 1]
    path = save(tmp_path / "a.nii", np.zeros((9, 10, 11, 5)), affine)
    header = read_header(path)
    assert (header.shape, header.frames) == ((9, 10, 11), 5)
    assert header.ras_shape == (11, 9, 10)


@pytest.mark.parametrize("extra", [(5,), (1, 5), (1, 1, 5), (5, 1), (1, 5, 1)])
def test_frames_on_a_later_axis(tmp_path, extra):
    """NIfTI's fifth axis is for vectors; ITK writes series as such."""
    data = np.arange(5000, dtype=np.int16).reshape(10, 10, 10, *extra)
    header = read_header(save(tmp_path / "a.nii", data))
    assert (header.shape, header.frames) == ((10, 10, 10), 5)


@pytest.mark.parametrize(("code", "refused"), [(1005, 1), (1006, 1), (1007, 0)])
def test_tensors_and_displacements_are_no_frames(tmp_path, code, refused):
    image = nib.Nifti1Image(np.ones((10, 10, 10, 1, 6)), AFFINE)
    image.header["intent_code"] = code
    nib.save(image, tmp_path / "a.nii")
    if refused:
        assert reason(tmp_path / "a.nii").startswith("no intensities: ")
    else:
        assert read_header(tmp_path / "a.nii").frames == 6


def test_a_number_of_axes_that_is_wrong(tmp_path):
    path = save(tmp_path / "a.nii", np.ones((10, 10, 10, 4)))
    content = bytearray(path.read_bytes())
    content[40] = 3  # dim[0]: one frame of four
    path.write_bytes(content)
    assert reason(path).startswith("more voxels than the header says: ")
    content[40:42], content[48:50] = b"\x04\0", b"\0\0"  # none of none
    path.write_bytes(content[:-24000])
    assert read_header(path).frames == 1


def test_odd_headers_print_no_warnings(tmp_path, block, caplog, capsys):
    path = save(tmp_path / "a.nii", block)
    content = bytearray(path.read_bytes())
    content[252:254] = np.int16(999).tobytes()  # no such qform_code
    path.write_bytes(content)
    read_header(path)
    assert not caplog.records
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("inter", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("slope", [1, 0.5, -2, 0, np.nan, np.inf])
def test_an_intercept_that_is_no_number(tmp_path, block, slope, inter):
    path = save(tmp_path / "a.nii", block)
    content = bytearray(path.read_bytes())
    content[112:120] = np.array([slope, inter], "<f4").tobytes()
    path.write_bytes(content)
    if slope in (0, np.inf) or np.isnan(slope):  # not scaled at all
        layout = read_header(path).layout
        assert (layout.slope, layout.inter) == (1, 0)
    else:
        assert reason(path) == (
            f"no valid intensities: slope {slope:g}, intercept {inter:g}; "
            "expected a finite intercept, often 0: repair scl_inter in the "
            "header"
        )


@pytest.mark.parametrize("ends", ["hdr img mat", "HDR IMG MAT", "hdr IMG MAT"])
def test_pairs_in_capitals(tmp_path, block, ends):
    affine = np.diag([-3.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = 20, -9, -9
    nib.save(nib.Spm99AnalyzeImage(block, affine), tmp_path / "a.hdr")
    for old, new in zip(("hdr", "img", "mat"), ends.split(), strict=True):
        (tmp_path / f"a.{old}").rename(tmp_path / f"a.{new}")
    (image,) = find_images(walk(tmp_path))
    assert image.problem == ""
    header = read_header(image.path)
    assert header.voxels == image.voxels
    assert header.grid.flags == frozenset()
    np.testing.assert_allclose(header.grid.affine, affine)
