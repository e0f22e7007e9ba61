"""The KID as a Keras metric, against that of whole arrays."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.features.train_encoder import random_encoder
from pet_dcgan.metrics.distribution import kid
from pet_dcgan.models.kid import KID, default_metrics

RNG = np.random.default_rng(0)
UNIT = RNG.uniform(size=[40, 16, 16]).astype(np.float32)
REAL, OTHER = 2 * UNIT[:24, ..., None] - 1, 1.5 * UNIT[24:, ..., None] - 1


def adapted(**options):
    metric = KID(16, components=5, **options)
    metric.adapt(UNIT[:24])
    return metric


def features(metric, images):
    raw = metric.network((images + 1) / 2, training=False)
    return np.asarray(metric.whitening(raw))


def updated(metric, sizes):
    first = 0
    for real, other in sizes:
        metric.update_state(REAL[first : first + real], OTHER[:other])
        first += real
    return float(metric.result())


def test_it_is_that_of_whole_arrays_whatever_the_batches():
    metric = adapted()
    sets = (features(metric, images) for images in (REAL, OTHER))
    expected = kid(*sets).value
    for sizes in ((24,), (8, 16), (1, 2, 21)):
        for at, size in enumerate(np.cumsum([0, *sizes[:-1]])):
            rows = slice(size, size + sizes[at])
            metric.update_state(REAL[rows], OTHER[rows])
        assert float(metric.result()) == pytest.approx(expected, rel=1e-5)
        metric.reset_state()


def test_another_distribution_is_farther_away():
    metric = adapted()
    metric.update_state(REAL[:12], REAL[12:])
    same = float(metric.result())
    metric.reset_state()
    metric.update_state(REAL[:12], 0 * OTHER)
    assert abs(same) < float(metric.result()) / 2


def test_two_images_of_a_kind_are_the_least():
    metric = adapted()
    metric.update_state(REAL[:1], OTHER[:2])
    assert np.isnan(float(metric.result()))
    metric.update_state(REAL[1:2], OTHER[2:3])
    assert np.isfinite(float(metric.result()))


def test_channels_are_averaged():
    one, three = adapted(), adapted()
    one.update_state(REAL, OTHER)
    three.update_state(REAL.repeat(3, -1), OTHER.repeat(3, -1))
    assert float(three.result()) == pytest.approx(float(one.result()), rel=1e-5)


def test_it_adapts_once_and_resetting_keeps_that():
    metric = adapted()
    before = np.array(metric.whitening.basis)
    assert before.any()
    metric.adapt(UNIT[24:])
    metric.reset_state()
    np.testing.assert_array_equal(metric.whitening.basis, before)


def test_of_no_image_it_learns_nothing():
    metric = KID(16, components=5)
    metric.adapt(UNIT[:0])
    assert not np.any(metric.whitening.basis)
    metric.adapt(UNIT[:24])
    assert np.any(metric.whitening.basis)


def test_without_adapt_it_is_not_a_number():
    metric = KID(16)
    metric.update_state(REAL, OTHER)
    assert np.isnan(float(metric.result()))


def test_of_few_images_there_are_few_components():
    metric = KID(16, components=64)
    metric.adapt(UNIT[:3])
    metric.update_state(REAL, OTHER)
    assert np.isfinite(float(metric.result()))


def test_the_seed_fixes_the_features():
    first, again, other = (adapted(seed=seed) for seed in (0, 0, 1))
    values = [updated(m, [(24, 16)]) for m in (first, again, other)]
    assert values[0] == values[1] != values[2]


def test_by_an_encoder_it_is_the_kid_of_its_features():
    suvr = UNIT * 2.5
    encoder = random_encoder(suvr[:24])
    metric = KID.of(encoder, suvr_max=2.5)
    metric.update_state(REAL, OTHER)
    sets = (
        encoder.features((images[..., 0] + 1) * 1.25)
        for images in (REAL, OTHER)
    )
    expected = kid(*sets).value
    assert float(metric.result()) == pytest.approx(expected, rel=1e-4)


def test_it_is_saved_with_its_network():
    metric = adapted(seed=3, name="other_kid")
    config = keras.saving.serialize_keras_object(metric)
    again = keras.saving.deserialize_keras_object(config)
    assert again.name == "other_kid"
    assert not np.any(again.whitening.basis)
    for one, other in zip(
        metric.network.weights[::2], again.network.weights[::2], strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_it_works_inside_a_graph():
    metric = adapted()
    expected = updated(adapted(), [(24, 16)])
    tf.function(metric.update_state)(tf.constant(REAL), tf.constant(OTHER))
    assert float(metric.result()) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        ((None, 64, 64, 1), 1),
        ((None, 20, 20, 1), 0),
        ((None, 32, 64, 1), 0),
        ((None, None, None, 1), 0),
        ((None, 8), 0),
    ],
)
def test_only_images_that_its_convolutions_take(shape, count):
    assert len(default_metrics(shape)) == count
