import numpy as np
import pytest

from pet_dcgan.study.classifiers import (
    Cell,
    cells,
    dealt_out,
    fitting_of,
    labelled_of,
)
from pet_dcgan.study.data import LabelledSlices
from pet_dcgan.study.settings import ARMS


@pytest.fixture
def real():
    return LabelledSlices(
        np.full([4, 32, 32], 1, np.uint16),
        np.array([0, 0, 1, 1]),
        np.array(["a", "a", "b", "c"]),
    )


SYNTHETIC = np.full([6, 32, 32], 9, np.uint16)
LABELS = np.array([0, 0, 0, 1, 1, 1])


def test_every_arm_fraction_and_seed_once_generators_last():
    found = cells((25, 100), 3)
    assert len(found) == len(set(found)) == 2 * 3 * 4
    needs = [cell.needs_synthetic for cell in found]
    assert needs == sorted(needs)
    assert {c.arm for c in found if c.needs_synthetic} == set(ARMS[2:])


def test_arms_learn_from_what_their_names_say(real):
    for arm in ("real", "real+augmentation"):
        found = labelled_of(arm, real, None)
        assert set(np.unique(found.images)) == {1}
    alone = labelled_of("synthetic", real, SYNTHETIC, LABELS)
    assert set(np.unique(alone.images)) == {9}
    assert alone.labels.tolist() == LABELS.tolist()


def test_real_and_synthetic_images_share_every_batch_equally(real):
    mixed = labelled_of("real+synthetic", real, SYNTHETIC, LABELS)
    assert len(mixed.images) == 10
    kinds = {
        (int(g), int(label), int(image[0, 0]))
        for g, label, image in zip(
            mixed.groups, mixed.labels, mixed.images, strict=True
        )
    }
    assert kinds == {(0, 0, 1), (1, 0, 9), (2, 1, 1), (3, 1, 9)}


def test_only_one_arm_is_augmented():
    augmented = [arm for arm in ARMS if fitting_of(arm, steps=5).augment]
    assert augmented == ["real+augmentation"]
    assert fitting_of("real", steps=5).steps == 5


def test_an_arm_without_its_images_is_refused(real):
    with pytest.raises(ValueError, match="arm synthetic, found none"):
        labelled_of("synthetic", real, None)


def test_labels_are_dealt_to_whole_subjects_as_many_as_before():
    owners = np.repeat(np.arange(20), 3)
    labels = (owners < 12).astype(int)
    dealt = dealt_out(labels, owners, seed=0)
    by_owner = dealt.reshape(20, 3)
    assert (by_owner == by_owner[:, :1]).all()
    assert by_owner[:, 0].sum() == 12
    assert (dealt != labels).any()
    np.testing.assert_array_equal(dealt, dealt_out(labels, owners, seed=0))
    assert (dealt != dealt_out(labels, owners, seed=1)).any()


def test_a_cell_knows_whether_it_needs_a_generator():
    assert Cell(25, 0, "synthetic").needs_synthetic
    assert not Cell(25, 0, "real").needs_synthetic
