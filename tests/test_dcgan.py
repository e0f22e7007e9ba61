import doctest

import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models import dcgan as module
from pet_dcgan.models.augmentation import Augmenter
from pet_dcgan.models.dcgan import DCGAN, build_dcgan
from pet_dcgan.models.latents import FAKE as FAKE_STREAM
from pet_dcgan.models.latents import REAL as REAL_STREAM
from pet_dcgan.models.networks import build_discriminator, build_generator

RNG = np.random.default_rng(0)
REAL = RNG.uniform(-1, 1, [8, 32, 32, 1]).astype(np.float32)
BATCH = REAL[:4]
ROWS = RNG.uniform(size=[4, 16]).astype(np.float32)


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


def test_three_steps_are_those_of_a_plain_loop(tiny_model):
    """The paper's step, written out with nothing of `DCGAN` but latents."""
    model, twin = tiny_model(), tiny_model()
    generator, discriminator = twin.generator, twin.discriminator
    g_adam, d_adam = (
        keras.optimizers.Adam(1e-4, beta_1=0.5, beta_2=0.999) for _ in "gd"
    )
    for step in range(3):
        eager_step(model)
        latents = tf.random.stateless_uniform(
            [4, 6], seed=[0, step], minval=-1, maxval=1, alg="philox"
        )
        with tf.GradientTape() as tape:
            fake = generator(latents, training=True)
            with tape.stop_recording():
                real_and_fake = zip(
                    gradients(discriminator, BATCH, target=1),
                    gradients(discriminator, fake, target=0),
                    strict=True,
                )
                d_adam.apply(
                    [a + b for a, b in real_and_fake],
                    discriminator.trainable_variables,
                )
            logits = discriminator(fake, training=True)
            loss = cross_entropy(logits, 1)
        weights = generator.trainable_variables
        g_adam.apply(tape.gradient(loss, weights), weights)
    for one, other in zip(model.weights, twin.weights, strict=True):
        if one is not model.step:
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-6)
    assert int(model.step) == 3


def steadied(**options):
    """A model with some of the options, as `tiny_model` otherwise."""
    shape = {"size": 32, "channels": 1, "width": 4}
    model = DCGAN(
        build_generator(latent_dim=6, **shape),
        build_discriminator(
            twice_differentiable="r1_weight" in options, **shape
        ),
        **options,
    )
    model.compile()
    return model


def test_samples_are_of_the_generator_or_its_average(tiny_model):
    plain, averaged = tiny_model(), steadied(ema_decay=0.9)
    assert plain.sampler_network is plain.generator
    assert averaged.sampler_network is averaged.average
    assert averaged.average is not averaged.generator
    assert "average" not in plain.state


def test_the_average_follows_the_generator():
    model = steadied(ema_decay=0.25)
    kept = [np.array(v) for v in model.average.variables]
    # 0.1, then 2/11, then 0.25
    for decay in (0.1, 2 / 11, 0.25):
        eager_step(model)
        new = [np.array(v) for v in model.generator.variables]
        kept = [
            decay * a + (1 - decay) * b for a, b in zip(kept, new, strict=True)
        ]
        for expected, found in zip(kept, model.average.variables, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_an_average_leaves_the_training_as_it_is(tiny_model):
    plain, averaged = tiny_model(), steadied(ema_decay=0.9)
    for _ in range(2):
        assert eager_step(plain) == eager_step(averaged)
    for a, b in zip(
        plain.generator.weights, averaged.generator.weights, strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_real_and_generated_images_are_augmented_apart():
    options = {"names": ("translate", "cutout"), "probability": 0.7, "seed": 0}
    augmenter = Augmenter(**options)
    model, twin = steadied(augmenter=augmenter), steadied()
    fake = twin.generator(twin.latents(4, step=0), training=True)
    real = augmenter(BATCH, step=0, stream=REAL_STREAM)
    fake = augmenter(fake, step=0, stream=FAKE_STREAM)
    assert not np.array_equal(real, BATCH)
    on_real = cross_entropy(twin.discriminator(real, training=True), 1)
    on_fake = cross_entropy(twin.discriminator(fake, training=True), 0)
    logs = one_step(model, g_rate=0.0, d_rate=0.0)
    assert logs["d_loss"] == pytest.approx(float(on_real + on_fake), rel=1e-5)
    called = cross_entropy(twin.discriminator(fake, training=True), 1)
    assert logs["g_loss"] == pytest.approx(float(called), rel=1e-5)


def test_the_generator_learns_through_the_augmentation():
    """Where all is shifted out of sight, there is nothing to learn."""
    model = steadied(augmenter=Augmenter(("translate",), 1.0))
    before = values(model.generator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pet_dcgan.models.augmentation.SHIFT", 1000.0)
        one_step(model, g_rate=100.0, d_rate=0.1)
    assert not any(changed(before, model.generator))
    one_step(model, g_rate=100.0, d_rate=0.1)
    assert all(changed(before, model.generator))


def test_the_strength_adapts_to_the_logits_of_real_images():
    model = steadied(augmenter=Augmenter(("translate",), 0.0, target=0.9))
    model.augmenter.signs.assign(-1.0)
    model.augmenter.probability.assign(0.5)
    model.step.assign(3)  # the fourth step steers
    logs = eager_step(model)
    assert float(model.augmenter.probability) < 0.5
    assert logs["augment_probability"] == float(model.augmenter.probability)
    assert float(model.augmenter.signs) == 0


def test_smoothed_labels_reach_the_discriminator_only():
    plain, smoothed = steadied(), steadied(label_smoothing=0.1)
    logits = steadied().discriminator(BATCH, training=True)
    one, other = (
        one_step(model, g_rate=0.0, d_rate=0.0) for model in (plain, smoothed)
    )
    # 0.1 (softplus(x) - softplus(-x)) is 0.1 x
    more = 0.1 * float(tf.reduce_mean(logits))
    assert other["d_loss"] - one["d_loss"] == pytest.approx(more, abs=1e-6)
    assert other["g_loss"] == one["g_loss"]


def flat(arrays):
    return np.concatenate([np.ravel(a) for a in arrays])


def test_a_penalty_comes_every_few_steps_weighted_by_them(monkeypatch):
    def three_gradients(**options):
        """What the discriminator is told in three steps, and does not heed."""
        model, told = steadied(**options), []
        monkeypatch.setattr(
            model.d_optimizer, "apply", lambda g, _: told.append(flat(g))
        )
        for _ in range(3):
            eager_step(model)
        return told

    plain = three_gradients()
    lazy = three_gradients(r1_weight=5.0, r1_every=2)
    always = three_gradients(r1_weight=10.0)
    for step, expected in enumerate((always, plain, always)):
        np.testing.assert_allclose(
            lazy[step], expected[step], rtol=1e-3, atol=1e-5
        )
        assert np.abs(always[step] - plain[step]).max() > 0.1


def test_a_step_too_large_for_16_bits_is_left_out(tiny_config):
    model = build_dcgan(tiny_config(precision="mixed_float16"))
    networks = (model.generator, model.discriminator)
    before = [values(network) for network in networks]
    for optimizer in (model.g_optimizer, model.d_optimizer):
        optimizer.dynamic_scale.assign(1e38)
    eager_step(model)
    for start, network in zip(before, networks, strict=True):
        assert not any(changed(start, network))
    for optimizer in (model.g_optimizer, model.d_optimizer):
        assert float(optimizer.dynamic_scale) == pytest.approx(5e37)
        assert int(optimizer.iterations) == 0
    # but the next step draws other latents
    assert int(model.step) == 1


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_16_bits_train_as_32_do_but_for_rounding(tiny_config, precision):
    options = {"r1_weight": 1.0, "ema_decay": 0.9, "width": 2}
    full, half = (
        build_dcgan(tiny_config(precision=name, **options))
        for name in ("float32", precision)
    )
    expected, found = eager_step(full), eager_step(half)
    for name in ("d_loss", "g_loss"):
        assert found[name] == pytest.approx(expected[name], abs=0.02)
    # Adam's first step is the learning rate, up or down
    ends = flat(values(full.generator)), flat(values(half.generator))
    assert np.mean(np.abs(ends[0] - ends[1]) > 1e-3) < 0.1
    assert half.average.layers[1].compute_dtype == "float32"


@pytest.mark.slow
def test_xla_computes_the_same_step(tiny_config, monkeypatch):
    def fixed_rows(rows, columns, **_):
        """XLA draws other numbers from the same seed."""
        return tf.constant(ROWS[:, :columns])

    for where in ("dcgan", "augmentation"):
        name = f"pet_dcgan.models.{where}.per_example_uniform"
        monkeypatch.setattr(name, fixed_rows)
    options = {"width": 2, "augment": "rotate", "augment_probability": 0.5}
    options |= {"ema_decay": 0.9, "r1_weight": 1.0, "r1_every": 2}
    ends = []
    for xla in (False, True):
        model = build_dcgan(tiny_config(xla=xla, **options))
        assert model.jit_compile is xla
        history = model.fit(REAL, batch_size=4, shuffle=False, verbose=0)
        losses = [history.history[name] for name in ("d_loss", "g_loss")]
        ends.append([losses, *values(model.average)])
    for one, other in zip(*ends, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_the_example_in_the_docstring_runs():
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0
