import numpy as np
import tensorflow as tf

from pet_dcgan.models.latents import latents_from_seeds, sanitised


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
