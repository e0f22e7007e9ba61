import numpy as np
import pytest
from toy_brains import subjects_slices
from toy_volumes import subjects_volumes

from pet_dcgan.data.suvr import png_from_suvr, suvr_from_png
from pet_dcgan.metrics.centring import centred, centred_images
from pet_dcgan.training import suspected_copies
from pet_dcgan.training.suspected_copies import SuspectedCopies, centred_stored

SUVR_MAX = 6.5535  # a stored step is 1e-4


def greys(*values):
    """Images of a square of one grey, so that their distances are known."""
    square = np.zeros([32, 32], np.float32)
    square[8:24, 8:24] = 1
    return square * np.reshape(values, [-1, 1, 1])


def copies_of(train, subjects, held_out):
    return SuspectedCopies(
        png_from_suvr(train, SUVR_MAX),
        np.array(subjects),
        suvr_max=SUVR_MAX,
        held_out=held_out,
    )


def excess(copies, images):
    return copies.excess(centred_images(images))


@pytest.fixture
def copies():
    """Of three subjects; one held-out slice of four is a suspect."""
    held_out = greys(1.1, 1.45, 1.6, 2.5)
    return copies_of(greys(1, 2, 3), list("abc"), held_out)


def test_the_share_beyond_that_of_held_out_slices(copies):
    assert copies.held_out_share == 1 / 4
    # ratios 0.2 / 0.8, 0.4 / 0.6, 0.1 / 0.9, 2 / 3: two suspects
    assert excess(copies, greys(1.2, 1.4, 2.9, 5)) == 2 / 4 - 1 / 4
    assert excess(copies, greys(1, 2, 3, 3)) == 3 / 4


def test_fewer_than_among_held_out_slices_is_none(copies):
    assert excess(copies, greys(1.5, 2.5, 2.6)) == 0.0


def test_training_slices_are_copies_and_new_people_are_not():
    train, subjects, _ = subjects_slices(12, seed=0)
    held_out, others = (subjects_slices(12, seed=n)[0] for n in (1, 2))
    copies = copies_of(train, subjects, held_out)
    assert copies.held_out_share < 0.1
    assert excess(copies, train[..., ::-1]) == 1 - copies.held_out_share
    assert excess(copies, others) < 0.1


def test_training_volumes_are_copies_and_new_people_are_not():
    train, subjects = subjects_volumes(12, seed=0)
    held_out, others = (subjects_volumes(12, seed=n)[0] for n in (1, 2))
    copies = copies_of(train, subjects, held_out)
    assert copies.train.shape == (12, 16, 16, 16)
    assert copies.held_out_share < 0.1
    mirrored = train[:, ::-1]  # left and right exchanged
    assert excess(copies, mirrored) == 1 - copies.held_out_share
    assert excess(copies, others) < 0.1


@pytest.mark.parametrize(
    ("train", "subjects"),
    [((1, 2, 3), "aaa"), ((1, 1), "ab")],  # one person under two names
)
def test_of_one_subject_there_are_none(train, subjects):
    copies = copies_of(greys(*train), list(subjects), greys(1))
    assert copies.held_out_share == 0
    assert excess(copies, greys(*train)) == 0


def test_a_person_under_two_names_hides_no_copy():
    copies = copies_of(greys(1, 1, 2, 3), list("abcd"), greys(1.5))
    assert excess(copies, greys(1.1, 2.5)) == 1 / 2


def test_an_image_that_is_not_finite_is_refused(copies):
    with pytest.raises(ValueError, match="expected finite values"):
        excess(copies, greys(1, np.nan))


def test_slices_on_disk_are_centred_part_by_part(tmp_path, monkeypatch):
    monkeypatch.setattr(suspected_copies, "_CHUNK", 3)
    images = np.random.default_rng(0).uniform(0, 6, [8, 64, 64])
    stored = np.lib.format.open_memmap(
        tmp_path / "images.npy", "w+", np.uint16, images.shape
    )
    stored[:] = png_from_suvr(images, SUVR_MAX)
    found = centred_stored(stored, SUVR_MAX)
    whole = suvr_from_png(np.array(stored), SUVR_MAX)
    np.testing.assert_array_equal(found, centred(whole))
    assert found.dtype == np.float32
