import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.data.batches import (
    require_equal_parts,
    steps_per_epoch,
    training_batches,
)
from pet_dcgan.data.prepared_set import load_slices

AD = {"split": "train", "stage": "AD", "plane": "axial"}


@pytest.fixture(scope="module")
def slices(toy_set):
    return load_slices(toy_set, "axial_32", **AD)


@pytest.fixture(scope="module")
def numbered(slices):
    """Twelve slices, slice i all of the value i."""
    images = np.ones_like(slices.images)
    images *= np.arange(len(images), dtype=np.uint16)[:, None, None]
    return dataclasses.replace(slices, images=images)


def order(batches):
    """Which numbered slice stands at each place."""
    x = np.concatenate([np.asarray(b) for b in batches])
    x = x.reshape(-1, *x.shape[-3:])[:, 0, 0, 0]
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


def test_an_epoch_is_a_permutation_by_its_number_and_the_seed(
    numbered, tiny_config
):
    config = tiny_config(epochs=3)
    places = np.reshape(order(training_batches(numbered, config)), [3, 12])
    for epoch in places:
        assert sorted(epoch) == list(range(12))
    other = order(training_batches(numbered, tiny_config(epochs=1, seed=1)))
    assert len({tuple(epoch) for epoch in [*places, other]}) == 4
    rest = order(training_batches(numbered, config, first_epoch=2))
    assert rest == places[2].tolist()


def test_the_remainder_is_dropped(numbered, tiny_config):
    config = tiny_config(epochs=2, batch_size=5)
    assert steps_per_epoch(numbered, config) == 2
    batches = training_batches(numbered, config)
    assert int(batches.cardinality()) == 4
    assert [len(b) for b in batches] == [5] * 4
    with pytest.raises(ValueError, match=r"found 12: .*--set batch_size=12"):
        training_batches(numbered, tiny_config(batch_size=13))


def test_slices_in_a_file_give_the_same_bits(numbered, tiny_config, tmp_path):
    numbered.images.tofile(tmp_path / "slices")
    shape = numbered.images.shape
    images = np.memmap(tmp_path / "slices", np.uint16, "r", shape=shape)
    in_a_file = dataclasses.replace(numbered, images=images)
    config = tiny_config(epochs=3, channels=3, batch_size=5)
    kept = list(training_batches(numbered, config))
    streamed = training_batches(in_a_file, config)
    assert streamed.element_spec.shape == (5, 32, 32, 3)
    streamed = list(streamed)
    assert len(kept) == len(streamed) == 6
    np.testing.assert_array_equal(kept, streamed)


class FakeStrategy:
    """Returns each worker's data set of a strategy, without its processes."""

    def __init__(self, workers, replicas):
        self.num_replicas_in_sync = replicas
        self.workers = workers

    def distribute_datasets_from_function(self, make):
        return [
            make(
                tf.distribute.InputContext(
                    num_input_pipelines=self.workers,
                    input_pipeline_id=worker,
                    num_replicas_in_sync=self.num_replicas_in_sync,
                )
            )
            for worker in range(self.workers)
        ]


@pytest.mark.parametrize(("workers", "replicas"), [(1, 2), (2, 2), (2, 4)])
def test_replicas_share_the_batches_of_one_device(
    numbered, tiny_config, workers, replicas
):
    config = tiny_config(epochs=2, batch_size=4)
    alone = [order([b]) for b in training_batches(numbered, config).batch(1)]
    parts = training_batches(
        numbered, config, strategy=FakeStrategy(workers, replicas)
    )
    per_worker = replicas // workers
    assert [int(p.cardinality()) for p in parts] == [6 * per_worker] * workers
    taken = [order([x]) for p in parts for x in p.batch(1)]
    for step, batch in enumerate(alone):
        shared = [
            index
            for worker in range(workers)
            for replica in range(per_worker)
            for index in taken[(worker * 6 + step) * per_worker + replica]
        ]
        assert shared == batch


def test_a_real_strategy_of_one_device_gives_the_same(numbered, tiny_config):
    config = tiny_config(epochs=1)
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    shared = list(training_batches(numbered, config, strategy=strategy))
    alone = list(training_batches(numbered, config))
    for a, b in zip(shared, alone, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("batch", "replicas", "remedy"), [(7, 3, 6), (4, 3, 3), (2, 3, 3)]
)
def test_a_batch_must_have_equal_parts(tiny_config, batch, replicas, remedy):
    config = tiny_config(batch_size=batch)
    with pytest.raises(ValueError, match=f"--set batch_size={remedy}$"):
        require_equal_parts(config.batch_size, replicas)
    require_equal_parts(remedy, replicas)
