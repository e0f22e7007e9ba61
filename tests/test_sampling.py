import types

import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models import sampling
from pet_dcgan.models.networks import build_generator
from pet_dcgan.models.sampling import (
    FAKE,
    LATENTS,
    REAL,
    latents_from_seeds,
    per_example_uniform,
    sanitised,
    synthetic_slices,
)

# --- the numbers of a training step -------------------------------------------


def rows(count=6, columns=5, *, seed=1, step=2, stream=LATENTS):
    return np.array(
        per_example_uniform(count, columns, seed=seed, step=step, stream=stream)
    )


def test_numbers_are_uniform_in_0_to_1():
    found = rows(2000)
    assert found.min() >= 0
    assert found.max() < 1
    assert found.mean() == pytest.approx(0.5, abs=0.01)
    assert found.var() == pytest.approx(1 / 12, abs=0.003)


def test_seed_step_and_stream_fix_them():
    np.testing.assert_array_equal(rows(), rows())
    of_each = [{"stream": s} for s in (LATENTS, REAL, FAKE)]
    # nor are the streams of a seed those of the next; the last is the largest
    others = [{"seed": s, **o} for s in (2, 3, 2**31 - 1) for o in of_each]
    options = [*of_each, {"step": 3}, *others]
    found = np.concatenate([rows(**o).ravel() for o in options])
    assert len(np.unique(found)) == len(found)


def test_latents_are_what_they_were_before_replicas():
    """Runs that were begun with an earlier version go on with the same."""
    plain = tf.random.stateless_uniform(
        [6, 5], seed=tf.constant([1, 2], tf.int64), alg="philox"
    )
    np.testing.assert_array_equal(rows(), plain)


def test_a_replica_draws_its_part_of_the_whole(monkeypatch):
    """With real replicas in test_shared_training.py."""
    whole = rows(6)
    monkeypatch.setattr(sampling, "replica_count", lambda: 2)
    parts = []
    for number in range(2):
        context = types.SimpleNamespace(replica_id_in_sync_group=number)
        monkeypatch.setattr(
            tf.distribute, "get_replica_context", lambda found=context: found
        )
        parts.append(rows(3))
    np.testing.assert_array_equal(np.concatenate(parts), whole)


# --- the latents of seeds -----------------------------------------------------


def test_uniform_in_the_papers_range():
    latents = latents_from_seeds(tf.range(200), 100).numpy()
    assert latents.shape == (200, 100)
    assert latents.dtype == np.float32
    assert latents.min() >= -1
    assert latents.max() < 1
    # mean 0 and variance 1/3, within five standard errors of 20,000 draws
    assert abs(latents.mean()) < 5 * np.sqrt(1 / 3 / latents.size)
    assert abs(latents.var() - 1 / 3) < 0.012


def test_a_seed_alone_equals_the_seed_in_a_batch_or_a_graph():
    seeds = [5, 0, 2**40, -3, 5]
    batch = latents_from_seeds(seeds, 7).numpy()
    for seed, row in zip(seeds, batch, strict=True):
        np.testing.assert_array_equal(latents_from_seeds([seed], 7)[0], row)
    assert len(np.unique(batch, axis=0)) == 4
    graph = tf.function(
        lambda seeds: latents_from_seeds(seeds, 7),
        input_signature=[tf.TensorSpec([None], tf.int64)],
    )
    np.testing.assert_array_equal(graph(tf.constant(seeds, tf.int64)), batch)
    assert graph(tf.zeros([0], tf.int64)).shape == (0, 7)


def test_written_down_for_ever():
    """A change of these numbers changes every image of every seed."""
    expected = [
        [-0.5779691, 0.4120200, 0.6001267],
        [0.7569764, -0.0800395, 0.2005830],
    ]
    np.testing.assert_allclose(
        latents_from_seeds([0, 1], 3), expected, atol=1e-6
    )


def test_what_a_client_sends_becomes_latents_the_generator_knows():
    sent = [[np.nan, np.inf, -np.inf], [0.25, -1.5, 3.0]]
    found = sanitised(tf.constant(sent, tf.float32))
    np.testing.assert_array_equal(found, [[0, 0, 0], [0.25, -1, 1]])


# --- the slices of seeds ------------------------------------------------------


@pytest.fixture(scope="module")
def generator():
    model = build_generator(size=32, channels=3, latent_dim=6, width=2)
    model.set_weights([w * 12 for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def whole(generator):
    """The slices of seeds 0 to 127."""
    return synthetic_slices(generator, np.arange(128), suvr_max=2.5)


def test_scale_is_that_of_intensity(generator, whole):
    before = [w.copy() for w in generator.get_weights()]
    found = synthetic_slices(generator, np.arange(3), suvr_max=2.5)
    images = generator(latents_from_seeds(np.arange(3), 6)).numpy()
    expected = (images.mean(-1) + 1) / 2 * 2.5
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert found.dtype == np.float32
    assert found.std() > 0.01
    # no batch statistics have been touched
    for old, new in zip(before, generator.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    "seeds",
    [[0], [5, 6], range(45, 48), range(60, 68), range(64, 128), [127, 3, 64]],
    ids=str,
)
def test_a_slice_has_the_same_bits_whatever_is_drawn_with_it(
    generator, whole, seeds
):
    found = synthetic_slices(generator, np.array(seeds), suvr_max=2.5)
    np.testing.assert_array_equal(found, whole[list(seeds)])
    assert len(np.unique(found, axis=0)) == len(seeds)


def test_the_same_shape_is_computed_each_time(monkeypatch):
    """What makes the bits the same, on processors that are not at hand."""
    computed = []

    def note(network, latents, suvr_max):
        computed.append(latents.numpy())
        return tf.zeros([64, 2, 2])

    monkeypatch.setattr(sampling, "suvr_from_latents", note)
    generator = types.SimpleNamespace(input_shape=(None, 6))
    for seeds in ([70], [100, 64, 127], [127, 70]):
        synthetic_slices(generator, np.array(seeds), suvr_max=2.5)
    expected = latents_from_seeds(np.arange(64, 128), 6)
    assert len(computed) == 3
    for found in computed:
        np.testing.assert_array_equal(found, expected)


def test_largest_seed(generator):
    seeds = np.array([2**63 - 1, 2**63 - 2])
    found = synthetic_slices(generator, seeds, suvr_max=2.5)
    assert np.abs(found[0] - found[1]).max() > 0.01


def test_nan_is_refused():
    broken = build_generator(size=32, channels=3, latent_dim=6, width=2)
    broken.set_weights([w * np.nan for w in broken.get_weights()])
    with pytest.raises(ValueError, match="train again"):
        synthetic_slices(broken, np.arange(1), suvr_max=2.5)
