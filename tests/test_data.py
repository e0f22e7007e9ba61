import dataclasses

import numpy as np
import pytest

from pet_dcgan.data import (
    load_slices,
    require_disjoint,
    steps_per_epoch,
    training_batches,
)

AD = {"split": "train", "stage": "AD", "plane": "axial"}


@pytest.fixture
def slices(toy_set):
    return load_slices(toy_set, "axial_32", **AD)


@pytest.fixture
def numbered(slices):
    """Twelve slices, slice i all of the value i."""
    images = np.ones_like(slices.images)
    images *= np.arange(len(images), dtype=np.uint16)[:, None, None]
    return dataclasses.replace(slices, images=images)


def order(batches):
    """Which numbered slice stands at each place."""
    x = np.concatenate(list(batches.as_numpy_iterator()))[:, 0, 0, 0]
    return np.rint((x + 1) / 2 * 65535).astype(int).tolist()


def test_batches_are_the_slices_on_the_networks_scale(slices, tiny_config):
    config = tiny_config(epochs=1, channels=3)
    batches = list(training_batches(slices, config).as_numpy_iterator())
    assert [b.shape for b in batches] == [(4, 32, 32, 3)] * 3
    x = np.concatenate(batches)
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x[..., 0], x[..., 1])
    np.testing.assert_array_equal(x[..., 0], x[..., 2])
    expected = slices.images / 65535 * 2 - 1
    np.testing.assert_allclose(
        np.sort(x[..., 0].sum((1, 2))),
        np.sort(expected.sum((1, 2))),
        rtol=1e-5,
    )
    assert x.min() == -1


def test_every_epoch_is_another_permutation(numbered, tiny_config):
    config = tiny_config(epochs=3)
    places = np.reshape(order(training_batches(numbered, config)), [3, 12])
    for epoch in places:
        assert sorted(epoch) == list(range(12))
    assert len({tuple(epoch) for epoch in places}) == 3


def test_a_later_start_sees_the_same_order(numbered, tiny_config):
    config = tiny_config(epochs=4)
    whole = order(training_batches(numbered, config))
    rest = order(training_batches(numbered, config, first_epoch=3))
    assert rest == whole[36:]


def test_the_seed_changes_the_order(numbered, tiny_config):
    orders = [
        order(training_batches(numbered, tiny_config(epochs=1, seed=seed)))
        for seed in (0, 0, 1)
    ]
    assert orders[0] == orders[1] != orders[2]


def test_the_remainder_is_dropped(numbered, tiny_config):
    config = tiny_config(epochs=2, batch_size=5)
    assert steps_per_epoch(numbered, config) == 2
    batches = training_batches(numbered, config)
    assert int(batches.cardinality()) == 4
    assert [len(b) for b in batches] == [5] * 4


def test_too_few_images_name_the_remedy(numbered, tiny_config):
    with pytest.raises(ValueError, match=r"found 12: .*--set batch_size=12"):
        training_batches(numbered, tiny_config(batch_size=13))


def test_shared_subjects_are_named():
    require_disjoint(["a", "b"], ["c"])
    with pytest.raises(ValueError, match="found 2: b, c: "):
        require_disjoint(["a", "c", "b"], ["c", "b"])
    with pytest.raises(ValueError, match=r"found 9: 0, 1, 2, 3, 4, \.\.\.:"):
        require_disjoint("012345678", "876543210")
