"""Archives of arrays: whole ones are read, hostile ones take no memory."""

import io
import os
import zipfile

import numpy as np
import pytest

from pet_dcgan.utils.array_files import read_arrays

MOST = 2**20
ARRAYS = {
    "weights": np.arange(12, dtype=np.float32).reshape(3, 4),
    "turned": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "step": np.int64(7),
    "facts": np.array("name"),
    "none": np.zeros([0, 3], np.float16),
}


@pytest.fixture
def path(tmp_path):
    np.savez(tmp_path / "arrays.npz", **ARRAYS)
    return tmp_path / "arrays.npz"


def refused(path, most=MOST):
    with pytest.raises(ValueError, match=r"arrays\.npz") as caught:
        read_arrays(path, most=most)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_arrays_come_back(path):
    found = read_arrays(path, most=MOST)
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == np.asarray(array).dtype


def test_every_wrong_byte_is_seen_or_without_effect(path):
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    seen = 0
    for place in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            found = read_arrays(path, most=MOST)
        except ValueError:
            seen += 1
            continue
        assert found.keys() == ARRAYS.keys()
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(found[name], array)
    assert seen > len(whole) / 6


def member(header, values=b""):
    """An array file of any header, written as version 1.0 of NumPy's."""
    text = header.encode().ljust(117) + b"\n"
    size = len(text).to_bytes(2, "little")
    return b"\x93NUMPY\x01\x00" + size + text + values


def of(descr="<f4", shape="(1,)"):
    return f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"


HOSTILE = {
    "huge shape": member(of(shape="(1000000, 1000000, 1000000)"), bytes(4)),
    "huge items": member(of("<U1000000000"), bytes(4)),
    "objects": member(of("|O"), bytes(8)),
    "records": member(of("[('a', '<f4')]"), bytes(4)),
    "brackets": member("[" * 110),
    "code": member("__import__('os').abort()"),
    "no header": b"\x93NUMPY\x01\x00\xff\xff",
    "another version": b"\x93NUMPY\x03\x00" + bytes(100),
    "text": b"text",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_array_is_refused(path, content):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.npy", content)
    refused(path)


def test_a_bomb_is_refused(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.npy", bytes(2**24))
    assert "larger than its file" in refused(path)


def test_members_that_share_their_bytes_are_refused(path):
    whole = bytearray(path.read_bytes())
    start = whole.index(b"PK\x01\x02")
    with zipfile.ZipFile(path) as file:
        first = file.infolist()[0].filename.encode()
    at = whole.index(first, start)
    # a second entry of the list that leads to the first member again
    entry = whole[start : at + len(first) + 20]
    refused_or_same = whole[:start] + entry + whole[start:]
    path.write_bytes(refused_or_same)
    refused(path)


def test_an_archive_that_is_too_large_is_refused(path):
    with path.open("r+b") as file:
        file.truncate(2**40)  # takes no room
    assert "at most" in refused(path)


def test_a_pickle_is_never_loaded(path):
    buffer = io.BytesIO()
    np.save(buffer, np.array([print], object), allow_pickle=True)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.npy", buffer.getvalue())
    refused(path)


def test_a_folder_or_a_pipe_is_refused(path):
    path.unlink()
    path.mkdir()
    assert "found a folder" in refused(path)
    path.rmdir()
    os.mkfifo(path)
    refused(path)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        read_arrays(path, most=MOST)
