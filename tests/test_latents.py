import types

import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models import latents
from pet_dcgan.models.latents import (
    FAKE,
    LATENTS,
    REAL,
    latents_from_seeds,
    per_example_uniform,
    sanitised,
)


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
    others = [rows(seed=2), rows(step=3), rows(stream=REAL), rows(stream=FAKE)]
    for other in others:
        assert not np.intersect1d(rows(), other).size
    assert not np.intersect1d(*others[2:]).size


def test_the_streams_of_a_seed_are_not_those_of_the_next():
    for stream in (REAL, FAKE):
        assert not np.intersect1d(rows(seed=2), rows(stream=stream)).size
        assert not np.intersect1d(rows(seed=3), rows(stream=stream)).size


def test_the_largest_seed_has_streams_of_its_own_too():
    largest = 2**31 - 1
    assert not np.intersect1d(
        rows(seed=largest, stream=FAKE), rows(seed=largest, stream=REAL)
    ).size


def test_latents_are_what_they_were_before_replicas():
    """Runs that were begun with an earlier version go on with the same."""
    plain = tf.random.stateless_uniform(
        [6, 5], seed=tf.constant([1, 2], tf.int64), alg="philox"
    )
    np.testing.assert_array_equal(rows(), plain)


def test_a_replica_draws_its_part_of_the_whole(monkeypatch):
    """With real replicas in test_shared_training.py."""
    whole = rows(6)
    monkeypatch.setattr(latents, "replica_count", lambda: 2)
    parts = []
    for number in range(2):
        context = types.SimpleNamespace(replica_id_in_sync_group=number)
        monkeypatch.setattr(
            tf.distribute, "get_replica_context", lambda found=context: found
        )
        parts.append(rows(3))
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_one_device_is_one_replica():
    assert latents.replica_count() == 1


def test_uniform_in_the_papers_range():
    latents = latents_from_seeds(tf.range(200), 100).numpy()
    assert latents.shape == (200, 100)
    assert latents.dtype == np.float32
    assert latents.min() >= -1
    assert latents.max() < 1
    # mean 0 and variance 1/3, within five standard errors of 20,000 draws
    assert abs(latents.mean()) < 5 * np.sqrt(1 / 3 / latents.size)
    assert abs(latents.var() - 1 / 3) < 0.012


def test_a_seed_alone_equals_the_seed_in_a_batch():
    seeds = [5, 0, 2**40, -3, 5]
    batch = latents_from_seeds(seeds, 7).numpy()
    for seed, row in zip(seeds, batch, strict=True):
        np.testing.assert_array_equal(latents_from_seeds([seed], 7)[0], row)
    assert len(np.unique(batch, axis=0)) == 4


def test_eager_equals_graph_and_no_rows_are_no_rows():
    graph = tf.function(
        lambda seeds: latents_from_seeds(seeds, 4),
        input_signature=[tf.TensorSpec([None], tf.int64)],
    )
    seeds = tf.constant([3, 9], tf.int64)
    np.testing.assert_array_equal(graph(seeds), latents_from_seeds(seeds, 4))
    assert graph(tf.zeros([0], tf.int64)).shape == (0, 4)


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
