import doctest

import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models import dcgan as module
from pet_dcgan.models.augmentation import Augmenter
from pet_dcgan.models.configured_dcgan import build_dcgan
from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.models.networks import build_discriminator, build_generator
from pet_dcgan.models.sampling import FAKE as FAKE_STREAM
from pet_dcgan.models.sampling import REAL as REAL_STREAM

RNG = np.random.default_rng(0)
REAL = RNG.uniform(-1, 1, [8, 32, 32, 1]).astype(np.float32)
BATCH = tf.constant(REAL[:4])
ROWS = RNG.uniform(size=[4, 16]).astype(np.float32)
NAMES = ["d_loss", "fake_accuracy", "g_loss", "real_accuracy"]


def values(network):
    return [np.array(w) for w in network.trainable_variables]


def flat(arrays):
    return np.concatenate([np.ravel(a) for a in arrays])


def changed(before, network):
    return [
        not np.array_equal(old, new)
        for old, new in zip(before, values(network), strict=True)
    ]


def assert_equal(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def one_step(model, g_rate, d_rate, images=BATCH, **options):
    model.compile(
        g_optimizer=keras.optimizers.SGD(g_rate),
        d_optimizer=keras.optimizers.SGD(d_rate),
        **options,
    )
    return eager_step(model, images)


def eager_step(model, images=BATCH):
    """One step without the second that tracing a graph would take."""
    logs = model.train_step(images)
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


# --- the step -----------------------------------------------------------------


def test_a_discriminator_step_by_hand(tiny_model):
    """The sum of both gradients; the generator runs once and stays."""
    model, twin = tiny_model(), tiny_model()
    generator, before = values(model.generator), values(model.discriminator)
    latents = twin.latents(4, step=0)
    project = twin.generator.get_layer("project")(latents)
    project = twin.generator.get_layer("project_map")(project)
    fake = twin.generator(latents, training=True)
    on_real = gradients(twin.discriminator, BATCH, target=1)
    on_fake = gradients(twin.discriminator, fake, target=0)
    one_step(model, g_rate=0.0, d_rate=1.0)
    assert not any(changed(generator, model.generator))
    assert all(changed(before, model.discriminator))
    after = values(model.discriminator)
    for old, new, a, b in zip(before, after, on_real, on_fake, strict=True):
        np.testing.assert_allclose(old - new, a + b, rtol=1e-3, atol=2e-6)
    norm = model.generator.get_layer("project_norm")
    mean = np.mean(project, axis=(0, 1, 2))
    np.testing.assert_allclose(norm.moving_mean, 0.1 * mean, atol=1e-6)


def test_a_generator_step_by_hand(tiny_model):
    """Metrics; real and generated images share no batch statistics.

    The discriminator stays, and labels are ignored.
    """
    model, twin = tiny_model(), tiny_model()
    before, discriminator = values(model.generator), values(model.discriminator)
    fake = twin.generator(twin.latents(4, step=0), training=True)
    # the first convolution, before its normalisation
    first = twin.discriminator.get_layer("down_16")
    real_mean, fake_mean = (
        np.mean(first(x), axis=(0, 1, 2)) for x in (BATCH, fake)
    )
    real_logits = twin.discriminator(BATCH, training=True)
    fake_logits = twin.discriminator(fake, training=True)
    data = (BATCH, np.zeros(4))
    logs = one_step(model, g_rate=100.0, d_rate=0.0, images=data)
    assert all(changed(before, model.generator))
    assert not any(changed(discriminator, model.discriminator))
    loss = cross_entropy(real_logits, 1) + cross_entropy(fake_logits, 0)
    assert logs == {
        "d_loss": pytest.approx(float(loss), rel=1e-5),
        "g_loss": pytest.approx(float(cross_entropy(fake_logits, 1)), rel=1e-5),
        "real_accuracy": pytest.approx(np.mean(real_logits > 0)),
        "fake_accuracy": pytest.approx(np.mean(fake_logits <= 0)),
    }
    moving = 0.1 * real_mean
    moving = 0.9 * moving + 0.1 * fake_mean
    moving = 0.9 * moving + 0.1 * fake_mean  # the generator's own step
    norm = model.discriminator.get_layer("down_16_norm")
    assert np.abs(real_mean - fake_mean).max() > 1e-3
    np.testing.assert_allclose(norm.moving_mean, moving, atol=1e-6)


def test_the_generator_learns_through_the_updated_discriminator(tiny_model):
    model, twin = tiny_model(), tiny_model()
    with tf.GradientTape(persistent=True) as tape:
        fake = twin.generator(twin.latents(4, step=0), training=True)
        with tape.stop_recording():
            on_real = gradients(twin.discriminator, BATCH, target=1)
            on_fake = gradients(twin.discriminator, fake, target=0)
        before_loss = cross_entropy(twin.discriminator(fake, training=True), 1)
        weights = twin.discriminator.trainable_variables
        for w, a, b in zip(weights, on_real, on_fake, strict=True):
            w.assign_sub(a + b)
        after_loss = cross_entropy(twin.discriminator(fake, training=True), 1)
    weights = twin.generator.trainable_variables
    stale, expected = (
        flat(tape.gradient(loss, weights)) for loss in (before_loss, after_loss)
    )
    start = flat(values(model.generator))
    logs = one_step(model, g_rate=1.0, d_rate=1.0)
    assert logs["g_loss"] == pytest.approx(float(after_loss), rel=1e-4)
    scale = np.abs(expected).max()
    moved = start - flat(values(model.generator))
    np.testing.assert_allclose(moved, expected, atol=1e-3 * scale)
    # so the comparison tells them apart
    assert np.abs(expected - stale).max() > 0.1 * scale


def test_two_steps_are_those_of_a_plain_loop(tiny_model):
    """The paper's step, written out with nothing of `DCGAN`."""
    model, twin = tiny_model(), tiny_model()
    generator, discriminator = twin.generator, twin.discriminator
    g_adam, d_adam = (
        keras.optimizers.Adam(1e-4, beta_1=0.5, beta_2=0.999) for _ in "gd"
    )
    for step in range(2):
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
            loss = cross_entropy(discriminator(fake, training=True), 1)
        weights = generator.trainable_variables
        g_adam.apply(tape.gradient(loss, weights), weights)
    for one, other in zip(model.weights, twin.weights, strict=True):
        if one is not model.step:
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-6)
    assert int(model.step) == 2


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
    models = [tiny_model(seed=seed) for seed in (0, 0, 1)]
    for model in models:
        eager_step(model, BATCH[:2])
    ends = [values(model) for model in models]
    assert_equal(ends[0], ends[1])
    assert not np.array_equal(ends[0][0], ends[2][0])


# --- the model ----------------------------------------------------------------


def test_the_model_calls_its_networks(tiny_model, capsys):
    model = tiny_model()
    latent = np.ones([2, 6], np.float32)
    np.testing.assert_array_equal(model(latent), model.generator(latent))
    model.summary()
    printed = capsys.readouterr().out
    assert '"generator"' in printed
    assert '"discriminator"' in printed


def test_defaults_are_the_papers_adam_without_xla_on_a_cpu(
    tiny_model, monkeypatch
):
    model = tiny_model()
    for optimizer in (model.g_optimizer, model.d_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        assert float(optimizer.learning_rate) == pytest.approx(1e-4)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.999)
        assert optimizer.built
    assert model.optimizer.generator is model.g_optimizer
    assert model.jit_compile == bool(tf.config.list_physical_devices("GPU"))
    asked = []
    monkeypatch.setattr(
        keras.Model, "compile", lambda self, **kw: asked.append(kw)
    )
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    model.compile()
    model.compile(jit_compile=False)
    assert [kw["jit_compile"] for kw in asked] == ["auto", False]


def test_networks_and_optimisers_that_do_not_fit_are_refused(tiny_model):
    adam = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="optimiser for each network"):
        tiny_model().compile(g_optimizer=adam, d_optimizer=adam)
    generator = build_generator(size=32, channels=1, width=2)
    discriminator = build_discriminator(size=64, channels=1, width=2)
    with pytest.raises(ValueError, match=r"32, 32, 1\).* found .*64, 64, 1"):
        DCGAN(generator, discriminator)


# --- options ------------------------------------------------------------------


def test_the_average_follows_the_generator_and_leaves_it_as_it_is(tiny_model):
    plain, averaged = tiny_model(), tiny_model(ema_decay=0.15)
    assert plain.sampler_network is plain.generator
    assert "average" not in plain.state
    assert averaged.sampler_network is averaged.average
    kept = [np.array(v) for v in averaged.average.variables]
    for decay in (0.1, 0.15):  # 2/11 would be more
        assert eager_step(plain) == eager_step(averaged)
        new = [np.array(v) for v in averaged.generator.variables]
        kept = [
            decay * a + (1 - decay) * b for a, b in zip(kept, new, strict=True)
        ]
    for expected, found in zip(kept, averaged.average.variables, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert_equal(averaged.generator.weights, plain.generator.weights)


def test_real_and_generated_images_are_augmented_apart(tiny_model):
    options = {"names": ("translate", "cutout"), "probability": 0.7, "seed": 0}
    augmenter = Augmenter(**options)
    model, twin = tiny_model(augmenter=augmenter), tiny_model()
    fake = twin.generator(twin.latents(4, step=0), training=True)
    real = augmenter(BATCH, step=0, stream=REAL_STREAM)
    fake = augmenter(fake, step=0, stream=FAKE_STREAM)
    assert not np.array_equal(real, BATCH)
    on_real = cross_entropy(twin.discriminator(real, training=True), 1)
    on_fake = cross_entropy(twin.discriminator(fake, training=True), 0)
    called = cross_entropy(twin.discriminator(fake, training=True), 1)
    logs = one_step(model, g_rate=0.0, d_rate=0.0)
    assert logs["d_loss"] == pytest.approx(float(on_real + on_fake), rel=1e-5)
    assert logs["g_loss"] == pytest.approx(float(called), rel=1e-5)


def test_the_generator_learns_through_the_augmentation(tiny_model):
    """Where all is shifted out of sight, there is nothing to learn."""
    model = tiny_model(augmenter=Augmenter(("translate",), 1.0))
    before = values(model.generator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pet_dcgan.models.augmentation.SHIFT", 1000.0)
        one_step(model, g_rate=100.0, d_rate=0.1)
    assert not any(changed(before, model.generator))
    one_step(model, g_rate=100.0, d_rate=0.1)
    assert all(changed(before, model.generator))


def test_the_strength_adapts_to_the_logits_of_real_images(tiny_model):
    model = tiny_model(augmenter=Augmenter(("translate",), 0.0, target=0.9))
    model.augmenter.signs.assign(-1.0)
    model.augmenter.probability.assign(0.5)
    model.step.assign(3)  # the fourth step steers
    logs = eager_step(model)
    assert float(model.augmenter.probability) < 0.5
    assert logs["augment_probability"] == float(model.augmenter.probability)
    assert float(model.augmenter.signs) == 0


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
    options = {"ema_decay": 0.9, "width": 2}
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

    for where in ("gan", "augmentation"):
        name = f"pet_dcgan.models.{where}.per_example_uniform"
        monkeypatch.setattr(name, fixed_rows)
    options = {"width": 2, "augment": "rotate", "augment_probability": 0.5}
    options |= {"ema_decay": 0.9}
    ends = []
    for xla in (False, True):
        model = build_dcgan(tiny_config(xla=xla, **options))
        assert model.jit_compile is xla
        history = model.fit(REAL, batch_size=4, shuffle=False, verbose=0)
        losses = [history.history[name] for name in ("d_loss", "g_loss")]
        ends.append([losses, *values(model.average)])
    for one, other in zip(*ends, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


# --- under `fit`, with callbacks that are not ours ----------------------------


def test_the_example_in_the_docstring_runs():
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0


def test_ordinary_callbacks_work(tiny_model, tmp_path):
    model = tiny_model()
    csv, weights = tmp_path / "log.csv", tmp_path / "best.weights.h5"
    history = model.fit(
        tf.data.Dataset.from_tensor_slices(REAL).batch(4),
        verbose=0,
        shuffle=False,
        callbacks=[
            keras.callbacks.CSVLogger(csv),
            keras.callbacks.ModelCheckpoint(weights, save_weights_only=True),
            keras.callbacks.EarlyStopping("g_loss", patience=5, mode="min"),
            keras.callbacks.TensorBoard(tmp_path / "board", write_graph=False),
        ],
    )
    assert sorted(history.history) == NAMES
    assert csv.read_text().startswith(f"epoch,{','.join(NAMES)}")
    assert list((tmp_path / "board").rglob("*tfevents*"))
    other = tiny_model(seed=5)
    other.load_weights(weights)
    assert_equal(values(other), values(model))
    assert int(other.g_optimizer.iterations) == 2


class Interrupt(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def test_backup_and_restore_ends_where_a_straight_run_ends(
    tiny_model, tmp_path
):
    def fit(*callbacks):
        model = tiny_model()
        model.run_eagerly = True
        data = tf.data.Dataset.from_tensor_slices(REAL[:2]).batch(2)
        options = {"epochs": 2, "verbose": 0, "shuffle": False}
        model.fit(data, callbacks=list(callbacks), **options)
        return values(model)

    def backup():
        return keras.callbacks.BackupAndRestore(tmp_path / "backup")

    with pytest.raises(KeyboardInterrupt):
        fit(backup(), Interrupt())
    assert_equal(fit(backup()), fit())
