"""Features of our own: stored as those of TFDS, and shown in notebooks."""

import base64
import io
import re

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from tfds_adni.plane_feature import PlaneFeature
from tfds_adni.slice_feature import SliceFeature

PLANES = ("axial", "coronal", "sagittal")
SIZE = 4
# of 16 bits, and what they are in 8
LEVELS = {0: 0, 256: 0, 257: 1, 32896: 128, 65535: 255}


def image():
    """uint16 `[SIZE, SIZE, 1]` with all levels, and a gradient."""
    pixels = np.linspace(0, 65535, SIZE * SIZE).astype(np.uint16)
    pixels[: len(LEVELS)] = list(LEVELS)
    return pixels.reshape(SIZE, SIZE, 1)


@pytest.fixture
def plain():
    return tfds.features.Image(shape=(SIZE, SIZE, 1), dtype=np.uint16)


def test_a_slice_is_stored_as_a_plain_image(plain):
    ours = SliceFeature(SIZE)
    assert ours.to_proto() == plain.to_proto()
    assert ours.encode_example(image()) == plain.encode_example(image())
    assert ours.get_tensor_info() == plain.get_tensor_info()
    assert ours.get_serialized_info() == plain.get_serialized_info()
    assert isinstance(ours, tfds.features.Image)


def test_a_slice_is_decoded_with_tensorflow_and_without():
    ours = SliceFeature(SIZE)
    png = ours.encode_example(image())
    decoded = ours.decode_example_np(png)
    assert decoded.dtype == np.uint16
    np.testing.assert_array_equal(decoded, image())
    np.testing.assert_array_equal(ours.decode_example(png), image())


def test_other_files_than_png_are_refused():
    jpeg = io.BytesIO()
    Image.new("L", (SIZE, SIZE)).save(jpeg, "JPEG")
    with pytest.raises(OSError, match="cannot identify image"):
        SliceFeature(SIZE).decode_example_np(jpeg.getvalue())


def thumbnail(html):
    (data,) = re.findall(r"^<img src=\"data:image/png;base64,([^\"]+)\"", html)
    with Image.open(io.BytesIO(base64.b64decode(data))) as opened:
        return opened.mode, np.asarray(opened)


def test_a_thumbnail_has_one_scale_of_8_bits():
    """White is 65535, whatever the brightest pixel of a slice is."""
    mode, pixels = thumbnail(SliceFeature(SIZE).repr_html(image()))
    assert mode == "L"
    assert list(pixels.ravel()[: len(LEVELS)]) == list(LEVELS.values())
    dim = np.full((SIZE, SIZE, 1), 10280, np.uint16)
    assert (thumbnail(SliceFeature(SIZE).repr_html(dim))[1] == 40).all()


def test_a_plane_is_stored_as_a_class_label(tmp_path):
    ours, plain = PlaneFeature(PLANES), tfds.features.ClassLabel(names=PLANES)
    assert ours.to_proto() == plain.to_proto()
    assert ours.get_tensor_info() == plain.get_tensor_info()
    for folder, feature in (("ours", ours), ("plain", plain)):
        (tmp_path / folder).mkdir()
        feature.save_metadata(tmp_path / folder, "plane")
    (mine,), (theirs,) = ((tmp_path / f).iterdir() for f in ("ours", "plain"))
    assert mine.name == theirs.name == "plane.labels.txt"
    assert mine.read_bytes() == theirs.read_bytes()
    ours.load_metadata(tmp_path / "ours", "plane")


def test_a_plane_has_names_and_is_no_label(tmp_path):
    plane = PlaneFeature(PLANES)
    assert plane.names == list(PLANES)
    assert plane.num_classes == 3
    assert [plane.int2str(plane.str2int(name)) for name in PLANES] == [*PLANES]
    assert plane.encode_example("coronal") == plane.encode_example(1) == 1
    assert plane.repr_html(2) == "2 (sagittal)"
    assert not isinstance(plane, tfds.features.ClassLabel)
    for value in ("oblique", 3):
        with pytest.raises((KeyError, ValueError)):
            plane.encode_example(value)


def test_other_planes_on_disk_are_refused(tmp_path):
    (tmp_path / "plane.labels.txt").write_text("sagittal\ncoronal\naxial\n")
    with pytest.raises(ValueError, match="overwrite already defined"):
        PlaneFeature(PLANES).load_metadata(tmp_path, "plane")
