import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.conditions import Conditions
from pet_dcgan.data.batches import (
    ordered_batches,
    require_equal_parts,
    slice_batches,
    steps_per_epoch,
    training_batches,
)
from pet_dcgan.data.conditional_slices import condition_arrays
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


@pytest.fixture(scope="module")
def uneven(toy_set):
    """Nineteen numbered slices: of NC 3 to 14, of MCI 15 to 18, of AD 0 to 2.

    Their positions are their numbers in mm.
    """
    slices = load_slices(toy_set, "axial_32", **AD | {"stage": "ALL"})
    at = np.arange(19)
    images = np.ones([19, 32, 32], np.uint16)
    return dataclasses.replace(
        slices,
        images=images * at.astype(np.uint16)[:, None, None],
        stages=np.repeat(["AD", "NC", "MCI"], [3, 12, 4]),
        positions_mm=at.astype(np.float32),
        **{name: getattr(slices, name)[:19] for name in ("planes", "ages")},
        sexes=slices.sexes[:19],
    )


CONDITIONS = Conditions(
    names=("stage", "position"), bands_mm={"axial": (-3.0, 21.0)}
)


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


def test_the_order_of_published_runs_stays(numbered):
    batches = slice_batches(numbered, batch_size=12, epochs=2)
    first = [2, 3, 10, 1, 0, 8, 4, 5, 11, 7, 6, 9]
    assert order(batches) == [*first, 3, 2, 10, 8, 6, 0, 9, 5, 4, 11, 7, 1]


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


# --- with conditions: of each stage as many -----------------------------------


def conditional(slices, *, batch_size=6, epochs=4, **options):
    """Batches with the conditions, as arrays."""
    batches = slice_batches(
        slices,
        batch_size=batch_size,
        epochs=epochs,
        conditions=CONDITIONS,
        **options,
    )
    return list(batches.as_numpy_iterator())


def places(batches):
    """Which numbered slice stands at each place."""
    return order(batch["image"] for batch in batches)


def test_images_come_with_what_they_show(uneven):
    batches = conditional(uneven, channels=3)
    shown = condition_arrays(uneven, CONDITIONS)
    assert list(batches[0]) == ["image", "stage", "position_mm"]
    for batch in batches:
        assert batch["image"].shape == (6, 32, 32, 3)
        for name, rows in shown.items():
            np.testing.assert_array_equal(batch[name], rows[places([batch])])


@pytest.mark.parametrize("batch_size", [3, 4, 5, 8, 19])
def test_stages_share_an_epoch_and_each_batch(uneven, batch_size):
    epochs = 5
    batches = conditional(uneven, batch_size=batch_size, epochs=epochs)
    steps = 19 // batch_size
    assert len(batches) == epochs * steps
    for batch in batches:
        assert np.ptp(batch["stage"].sum(0)) <= 1
    of_epoch = np.reshape(places(batches), [epochs, -1])
    for taken in of_epoch:
        _, counts = np.unique(uneven.stages[taken], return_counts=True)
        assert len(counts) == 3
        assert np.ptp(counts) <= 1
        # the three of AD come before one of them comes again
        rare = taken[uneven.stages[taken] == "AD"]
        assert set(rare[:3]) == {0, 1, 2}
        common = taken[uneven.stages[taken] == "NC"]
        assert len(set(common)) == len(common)
    assert len({tuple(taken) for taken in of_epoch}) == epochs
    if batch_size == 3:
        assert set(of_epoch.ravel()) == set(range(19))


def test_a_balanced_order_is_that_of_its_seed_and_epoch(uneven):
    whole = places(conditional(uneven))
    assert places(conditional(uneven)) == whole
    assert places(conditional(uneven, first_epoch=2)) == whole[36:]
    assert conditional(uneven, first_epoch=4) == []
    assert places(conditional(uneven, seed=1)) != whole
    batches = slice_batches(
        uneven, batch_size=6, epochs=4, first_epoch=1, conditions=CONDITIONS
    )
    assert int(batches.cardinality()) == 9


def test_stages_are_drawn_apart(uneven):
    """Stages of as many slices are not permuted alike."""
    even = dataclasses.replace(
        uneven, stages=np.array([*["NC", "MCI", "AD"] * 6, "NC"])
    )
    (taken,) = np.reshape(
        places(conditional(even, batch_size=18, epochs=1)), [1, 6, 3]
    )
    assert len({tuple(column // 3) for column in taken.T}) == 3


@pytest.mark.parametrize(("workers", "replicas"), [(1, 2), (2, 2), (2, 4)])
def test_replicas_share_balanced_batches(uneven, workers, replicas):
    alone = conditional(uneven, batch_size=8, epochs=2)
    parts = slice_batches(
        uneven,
        batch_size=8,
        epochs=2,
        conditions=CONDITIONS,
        strategy=FakeStrategy(workers, replicas),
    )
    taken = [list(part.as_numpy_iterator()) for part in parts]
    each = replicas // workers
    for step, batch in enumerate(alone):
        shared = [
            part
            for worker in taken
            for part in worker[step * each : (step + 1) * each]
        ]
        for name, values in batch.items():
            joined = np.concatenate([part[name] for part in shared])
            np.testing.assert_array_equal(joined, values)


def test_slices_are_measured_in_their_order_with_conditions(uneven):
    batches = list(ordered_batches(uneven, 8, CONDITIONS).as_numpy_iterator())
    assert places(batches) == list(range(19))
    shown = condition_arrays(uneven, CONDITIONS)
    for name, rows in shown.items():
        joined = np.concatenate([batch[name] for batch in batches])
        np.testing.assert_array_equal(joined, rows)


def test_a_stage_without_slices_is_refused(slices):
    with pytest.raises(ValueError, match="found none of NC: load those of"):
        conditional(slices)


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
