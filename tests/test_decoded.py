import os

import numpy as np
import pytest
from pet_dcgan.data.slice_store import is_streamed, kept_slices

from pet_dcgan.data import slice_store

IMAGES = np.random.default_rng(0).integers(0, 2**16, [6, 8, 8], np.uint16)
PLACES = np.array([3, 0, 5, 1, 2, 4])
BATCHES = [IMAGES[:4], IMAGES[4:4], IMAGES[4:]]
EXPECTED = IMAGES[np.argsort(PLACES)]


@pytest.fixture
def little_memory(monkeypatch):
    monkeypatch.setattr(slice_store, "slices_fit", lambda count, size: False)


def test_slices_go_to_their_places(capsys):
    kept = kept_slices(iter(BATCHES), PLACES, 8)
    assert kept.dtype == np.uint16
    np.testing.assert_array_equal(kept, EXPECTED)
    assert not is_streamed(kept)
    assert capsys.readouterr().err == ""


def test_what_fits_stays_in_memory_and_says_so(tmp_path, capsys):
    kept = kept_slices(iter(BATCHES), PLACES, 8, overflow=tmp_path)
    np.testing.assert_array_equal(kept, EXPECTED)
    assert not is_streamed(kept)
    said = capsys.readouterr().err
    assert "6 slices, 0.1 MB decoded: kept in memory" in said


def test_what_does_not_fit_is_read_from_a_file(tmp_path, little_memory, capsys):
    kept = kept_slices(iter(BATCHES), PLACES, 8, overflow=tmp_path)
    assert is_streamed(kept)
    assert kept.dtype == np.uint16
    np.testing.assert_array_equal(kept, EXPECTED)
    np.testing.assert_array_equal(kept[[5, 0]], EXPECTED[[5, 0]])
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 0
    said = capsys.readouterr().err
    assert f"read from a file in {tmp_path} instead" in said
    assert len(said.splitlines()) == 1


def test_the_file_is_gone_with_its_process(tmp_path, little_memory):
    kept = kept_slices(iter(BATCHES), PLACES, 8, overflow=tmp_path)
    assert not list(tmp_path.iterdir())
    assert kept.sum() == IMAGES.sum()


def test_a_full_disk_is_named_and_nothing_is_left(
    tmp_path, little_memory, monkeypatch
):
    def full(**options):
        return open("/dev/full", "wb+")

    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    monkeypatch.setattr(slice_store.tempfile, "TemporaryFile", full)
    with pytest.raises(OSError, match="No space left") as caught:
        kept_slices(iter(BATCHES), PLACES, 8, overflow=tmp_path)
    assert caught.value.filename == str(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("found", "words"),
    [(5, "expected 6 slices, found 5"), (7, "expected 6 slices, found more")],
)
def test_images_and_places_must_be_as_many(
    tmp_path, monkeypatch, streamed, found, words
):
    monkeypatch.setattr(slice_store, "slices_fit", lambda *_: not streamed)
    batches = [IMAGES[:4], np.resize(IMAGES, [found - 4, 8, 8])]
    with pytest.raises(ValueError, match=words):
        kept_slices(iter(batches), PLACES, 8, overflow=tmp_path)
