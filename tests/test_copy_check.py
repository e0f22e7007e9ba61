import numpy as np
import pytest
from scipy import ndimage
from toy_brains import subjects_slices

from pet_dcgan.metrics.memorization import (
    CopyTest,
    MemorizationCheck,
    check_memorization,
)


@pytest.fixture(scope="module")
def check():
    """`check(synthetic)`: against 12 training and 8 held-out subjects."""
    train, train_subjects, _ = subjects_slices(12, seed=1)
    held_out, held_out_subjects, _ = subjects_slices(8, seed=2)
    return lambda synthetic: check_memorization(
        train,
        held_out,
        synthetic,
        train_subjects=train_subjects,
        held_out_subjects=held_out_subjects,
    )


@pytest.fixture(scope="module")
def replayed():
    """Sixty training slices, drawn as a generator would."""
    train, *_ = subjects_slices(12, seed=1)
    return train[np.random.default_rng(0).integers(0, len(train), 60)]


@pytest.fixture(scope="module")
def healthy():
    """One slice each of sixty new subjects."""
    images, *_ = subjects_slices(60, seed=3)
    return images[
        np.random.default_rng(1).integers(0, 6, 60) + np.arange(0, 360, 6)
    ]


def noisy(images):
    return images + np.random.default_rng(2).normal(0, 0.05, images.shape)


CHANGES = {
    "nothing": lambda images: images,
    "shift": lambda images: np.roll(images, (1, -2), (1, 2)),
    "noise": noisy,
    "blur": lambda images: ndimage.gaussian_filter(images, (0, 0.7, 0.7)),
    "dimmer": lambda images: images * 0.98,
    "all": lambda images: noisy(np.roll(images, 1, 2)) * 0.98,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_generator_that_replays_is_caught(check, replayed, change):
    found = check(CHANGES[change](replayed))
    assert found.verdict == "copies"
    assert found.twins > 0.9
    assert found.test.z_score < -3
    assert found.authenticity < 0.1 < found.held_out_authenticity
    assert found.words.startswith("Copies of training subjects:")


def test_a_healthy_generator_passes(check, healthy):
    found = check(healthy)
    assert found.verdict == "no sign"
    assert found.twins == found.held_out_twins == 0
    assert found.authenticity > 0.5 * found.held_out_authenticity
    assert "No sign of copies" in found.words
    assert "by 8 held-out subjects" in found.words


def test_a_few_copies_among_many_are_caught(check, replayed, healthy):
    mixed = np.concatenate([healthy[:54], replayed[:6]])
    found = check(mixed)
    assert found.test.p_value > 0.01  # the test of the whole does not see it
    assert found.twins == pytest.approx(0.1)
    assert found.verdict == "copies"
    assert set(np.argsort(found.ratios)[:6]) == set(range(54, 60))


def test_pairs_name_the_training_image(check):
    train, *_ = subjects_slices(12, seed=1)
    np.testing.assert_array_equal(
        check(train[[5, 17, 40]]).nearest, [5, 17, 40]
    )


def test_means_of_many_are_near_but_no_copies(check):
    images, *_ = subjects_slices(60, seed=4)
    slices = images.reshape(60, 6, 32, 32)
    means = np.concatenate([slices[i::10].mean(0) for i in range(10)])
    found = check(means)
    assert found.verdict == "nearer"
    assert "too smooth" in found.words


def test_images_far_from_all_are_not_cleared(check):
    found = check(np.random.default_rng(0).random([60, 32, 32]))
    assert found.verdict == "too far to tell"
    assert "as far from all real ones" in found.words


def test_one_training_subject_is_not_enough():
    images, subjects, _ = subjects_slices(1, seed=1)
    with pytest.raises(ValueError, match="at least 2 different ones"):
        check_memorization(
            images,
            images,
            images,
            train_subjects=subjects,
            held_out_subjects=subjects,
        )


# some: more than one in a hundred, and than thrice as many real images
@pytest.mark.parametrize(
    ("twins", "held_out", "p_value", "z_score", "verdict"),
    [
        (0.01, 0.0, 0.5, 0.0, "no sign"),
        (0.011, 0.0, 0.5, 0.0, "copies"),
        (0.06, 0.02, 0.5, 0.0, "no sign"),
        (0.07, 0.02, 0.5, 0.0, "copies"),
        (0.0, 0.0, 0.0099, -2.4, "nearer"),
        (0.0, 0.0, 0.01, -2.3, "no sign"),
        (0.0, 0.0, 0.999, 3.0, "no sign"),
        (0.0, 0.0, 0.999, 3.1, "too far to tell"),
    ],
)
def test_where_one_verdict_ends_and_the_next_begins(
    twins, held_out, p_value, z_score, verdict
):
    found = MemorizationCheck(
        test=CopyTest(z_score, p_value, 0.5),
        authenticity=0.9,
        held_out_authenticity=0.9,
        twins=twins,
        held_out_twins=held_out,
        held_out_subjects=9,
        nearest=np.zeros(1, int),
        ratios=np.ones(1),
    )
    assert found.verdict == verdict
