import tracemalloc
import zlib

import numpy as np
import pytest

from pet_dcgan.data.packed_volume import unpack_volume
from tfds_adni.volumes.cube import pack_volume

SHAPE = (2, 3, 4)
VOLUME = np.arange(24, dtype=np.uint16).reshape(SHAPE) * 2731
CONTENT = VOLUME.astype("<u2").tobytes()
PACKED = zlib.compress(CONTENT)


def test_a_volume_is_what_was_packed():
    for packed in (pack_volume(VOLUME), PACKED, zlib.compress(CONTENT, 0)):
        found = unpack_volume(packed, SHAPE)
        assert found.dtype == np.uint16
        np.testing.assert_array_equal(found, VOLUME)
    found = unpack_volume(pack_volume(np.asfortranarray(VOLUME)), SHAPE)
    np.testing.assert_array_equal(found, VOLUME)


def test_voxels_are_little_endian_and_z_is_the_fastest():
    assert zlib.decompress(pack_volume(VOLUME))[:4] == b"\0\0\xab\x0a"


@pytest.mark.parametrize(
    ("packed", "words"),
    [
        (b"", "cut off"),
        (b"no zlib at all", "cannot unpack"),
        (PACKED[:-6], "end is missing|cut off"),
        (PACKED[:20], "cut off"),
        (PACKED[:-1] + b"?", "cannot unpack"),
        (PACKED + b"more", "goes on"),
        (PACKED + PACKED, "goes on"),
        (zlib.compress(CONTENT[:-2]), "not of 2 x 3 x 4 voxels"),
        (zlib.compress(CONTENT + b"\0"), "not of 2 x 3 x 4 voxels"),
        (zlib.compress(bytes(10**8), 9), "not of 2 x 3 x 4 voxels"),
    ],
)
def test_damaged_volumes_are_refused_in_a_few_words(packed, words):
    with pytest.raises(ValueError, match=words):
        unpack_volume(packed, SHAPE)


def test_no_more_is_unpacked_than_a_volume_has():
    """A bomb of 100 KB would fill 100 MB."""
    bomb = zlib.compress(bytes(10**8), 9)
    tracemalloc.start()
    with pytest.raises(ValueError, match="not of"):
        unpack_volume(bomb, SHAPE)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10**6
