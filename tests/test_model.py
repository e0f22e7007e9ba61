import doctest

import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan import model as module
from pet_dcgan.model import DCGAN, build_dcgan
from pet_dcgan.networks import build_discriminator, build_generator

RNG = np.random.default_rng(0)
REAL = RNG.uniform(-1, 1, [8, 32, 32, 1]).astype(np.float32)
BATCH = REAL[:4]


def values(network):
    return [np.array(w) for w in network.trainable_variables]


def changed(before, network):
    return [
        not np.array_equal(old, new)
        for old, new in zip(before, values(network), strict=True)
    ]


def one_step(model, g_rate, d_rate, images=BATCH):
    model.compile(
        g_optimizer=keras.optimizers.SGD(g_rate),
        d_optimizer=keras.optimizers.SGD(d_rate),
    )
    return eager_step(model, images)


def eager_step(model, images=BATCH):
    """One step without the second that tracing a graph would take."""
    logs = model.train_step(tf.constant(images))
    return {name: float(value) for name, value in logs.items()}


def cross_entropy(logits, target):
    """The losses as the paper writes them, with the sigmoid and the log."""
    probability = tf.sigmoid(logits)
    if target == 0:
        probability = 1 - probability
    return -tf.reduce_mean(tf.math.log(probability))


def gradients(network, images, target):
    with tf.GradientTape() as tape:
        loss = cross_entropy(network(images, training=True), target)
    return tape.gradient(loss, network.trainable_variables)


def test_a_discriminator_step_leaves_the_generator_alone(tiny_model):
    model = tiny_model()
    generator, discriminator = (
        values(model.generator),
        values(model.discriminator),
    )
    one_step(model, g_rate=0.0, d_rate=0.1)
    assert not any(changed(generator, model.generator))
    assert all(changed(discriminator, model.discriminator))


def test_a_generator_step_leaves_the_discriminator_alone(tiny_model):
    model = tiny_model()
    generator, discriminator = (
        values(model.generator),
        values(model.discriminator),
    )
    one_step(model, g_rate=100.0, d_rate=0.0)
    assert all(changed(generator, model.generator))
    assert not any(changed(discriminator, model.discriminator))


def test_the_discriminators_gradients_are_summed(tiny_model):
    model, twin = tiny_model(), tiny_model()
    before = values(model.discriminator)
    fake = twin.generator(twin.latents(4, step=0), training=True)
    on_real = gradients(twin.discriminator, BATCH, target=1)
    on_fake = gradients(twin.discriminator, fake, target=0)
    one_step(model, g_rate=0.0, d_rate=1.0)
    after = values(model.discriminator)
    for old, new, a, b in zip(before, after, on_real, on_fake, strict=True):
        np.testing.assert_allclose(old - new, a + b, rtol=1e-3, atol=2e-6)


def test_real_and_generated_images_do_not_share_batch_statistics(tiny_model):
    model, twin = tiny_model(), tiny_model()
    fake = twin.generator(twin.latents(4, step=0), training=True)
    # the first convolution, before its normalisation
    first = twin.discriminator.get_layer("down_16")
    real_mean = np.mean(first(BATCH), axis=(0, 1, 2))
    fake_mean = np.mean(first(fake), axis=(0, 1, 2))
    one_step(model, g_rate=0.0, d_rate=0.0)
    moving = 0.1 * real_mean
    moving = 0.9 * moving + 0.1 * fake_mean
    moving = 0.9 * moving + 0.1 * fake_mean  # the generator's own step
    norm = model.discriminator.get_layer("down_16_norm")
    assert np.abs(real_mean - fake_mean).max() > 1e-3
    np.testing.assert_allclose(norm.moving_mean, moving, atol=1e-6)


def test_the_generator_learns_through_the_updated_discriminator(tiny_model):
    model, twin = tiny_model(), tiny_model()
    stale = values(twin.discriminator)
    with tf.GradientTape(persistent=True) as tape:
        fake = twin.generator(twin.latents(4, step=0), training=True)
        with tape.stop_recording():
            on_real = gradients(twin.discriminator, BATCH, target=1)
            on_fake = gradients(twin.discriminator, fake, target=0)
        before_loss = cross_entropy(twin.discriminator(fake, training=True), 1)
        for w, a, b in zip(
            twin.discriminator.trainable_variables,
            on_real,
            on_fake,
            strict=True,
        ):
            w.assign_sub(a + b)
        after_loss = cross_entropy(twin.discriminator(fake, training=True), 1)
    weights = twin.generator.trainable_variables
    before_gradients = tape.gradient(before_loss, weights)
    after_gradients = tape.gradient(after_loss, weights)
    start = values(model.generator)
    logs = one_step(model, g_rate=1.0, d_rate=1.0)
    moved = [
        old - new
        for old, new in zip(start, values(model.generator), strict=True)
    ]
    assert any(changed(stale, model.discriminator))
    assert logs["g_loss"] == pytest.approx(float(after_loss), rel=1e-4)
    scale = max(np.abs(g).max() for g in after_gradients)
    for step, expected in zip(moved, after_gradients, strict=True):
        np.testing.assert_allclose(step, expected, atol=1e-3 * scale)
    difference = max(
        np.abs(a - b).max()
        for a, b in zip(after_gradients, before_gradients, strict=True)
    )
    assert difference > 0.1 * scale  # so the comparison tells them apart


def test_the_generator_runs_forward_once_a_step(tiny_model):
    model, twin = tiny_model(), tiny_model()
    maps = twin.generator.get_layer("project_map")
    project = twin.generator.get_layer("project")
    mean = np.mean(maps(project(twin.latents(4, step=0))), axis=(0, 1, 2))
    one_step(model, g_rate=0.0, d_rate=0.1)
    norm = model.generator.get_layer("project_norm")
    np.testing.assert_allclose(norm.moving_mean, 0.1 * mean, atol=1e-6)


def test_metrics_by_hand(tiny_model):
    model, twin = tiny_model(), tiny_model()
    fake = twin.generator(twin.latents(4, step=0), training=True)
    real_logits = twin.discriminator(BATCH, training=True)
    fake_logits = twin.discriminator(fake, training=True)
    logs = one_step(model, g_rate=0.0, d_rate=0.0)
    loss = cross_entropy(real_logits, 1) + cross_entropy(fake_logits, 0)
    assert logs == {
        "d_loss": pytest.approx(float(loss), rel=1e-5),
        "g_loss": pytest.approx(float(cross_entropy(fake_logits, 1)), rel=1e-5),
        "real_accuracy": pytest.approx(np.mean(real_logits > 0)),
        "fake_accuracy": pytest.approx(np.mean(fake_logits <= 0)),
    }


def test_latents_are_uniform_and_keyed_to_seed_and_step(tiny_model):
    model = tiny_model(seed=1)
    latents = np.array(model.latents(4000, step=0))
    assert latents.shape == (4000, 6)
    assert -1 <= latents.min() < -0.99
    assert 0.99 < latents.max() < 1
    assert latents.mean() == pytest.approx(0, abs=0.02)
    assert latents.var() == pytest.approx(1 / 3, abs=0.01)
    np.testing.assert_array_equal(latents, model.latents(4000, step=0))
    assert not np.array_equal(latents, model.latents(4000, step=1))
    assert not np.array_equal(latents, tiny_model(2).latents(4000, step=0))


def test_the_seed_fixes_a_training(tiny_model):
    ends = []
    for seed in (0, 0, 1):
        model = tiny_model(seed=seed)
        for images in (BATCH, REAL[4:]):
            eager_step(model, images)
        ends.append(np.array(model(np.ones([1, 6], np.float32))))
    np.testing.assert_array_equal(ends[0], ends[1])
    assert not np.array_equal(ends[0], ends[2])


def test_the_model_calls_its_generator(tiny_model):
    model = tiny_model()
    latent = np.ones([2, 6], np.float32)
    np.testing.assert_array_equal(model(latent), model.generator(latent))


def test_probability_is_the_sigmoid_of_the_logits(tiny_model):
    model = tiny_model()
    logits = np.array(model.discriminator(BATCH, training=False))
    probability = np.array(model.probability(BATCH))
    np.testing.assert_allclose(probability, 1 / (1 + np.exp(-logits)), 1e-5)


def test_labels_beside_the_images_are_ignored(tiny_model):
    one, two = tiny_model(), tiny_model()
    with_labels = one.train_step((BATCH, np.zeros(4)))
    assert float(with_labels["g_loss"]) == eager_step(two)["g_loss"]


def test_defaults_are_the_papers_adam_without_xla_on_a_cpu(tiny_model):
    model = tiny_model()
    for optimizer in (model.g_optimizer, model.d_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        assert float(optimizer.learning_rate) == pytest.approx(1e-4)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.999)
        assert optimizer.built
    assert model.optimizer is None
    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    assert model.jit_compile == has_gpu


def test_xla_is_switched_on_only_where_there_is_a_gpu(tiny_model, monkeypatch):
    asked = []
    monkeypatch.setattr(
        keras.Model, "compile", lambda self, **kw: asked.append(kw)
    )
    model = tiny_model()
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    model.compile()
    model.compile(jit_compile=False)
    assert [kw["jit_compile"] for kw in asked[-2:]] == ["auto", False]


def test_summary_prints_both_networks(tiny_model, capsys):
    tiny_model().summary()
    printed = capsys.readouterr().out
    assert '"generator"' in printed
    assert '"discriminator"' in printed


def test_a_shared_optimiser_is_refused(tiny_model):
    adam = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="optimiser for each network"):
        tiny_model().compile(g_optimizer=adam, d_optimizer=adam)


def test_networks_that_do_not_fit_are_refused():
    generator = build_generator(size=32, channels=1, width=2)
    discriminator = build_discriminator(size=64, channels=1, width=2)
    with pytest.raises(ValueError, match=r"32, 32, 1\).* found .*64, 64, 1"):
        DCGAN(generator, discriminator)


def test_a_configuration_becomes_a_compiled_model(tiny_config):
    config = tiny_config(channels=3, g_learning_rate=3e-4, beta_1=0.25, seed=9)
    model = build_dcgan(config)
    assert model.generator.output_shape == (None, 32, 32, 3)
    assert model.latent_dim == 6
    assert float(model.g_optimizer.learning_rate) == pytest.approx(3e-4)
    d_rate = float(model.d_optimizer.learning_rate)
    assert d_rate == pytest.approx(config.d_learning_rate)
    assert model.d_optimizer.beta_1 == 0.25
    assert model.seed == 9


def test_the_example_in_the_docstring_runs():
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0
