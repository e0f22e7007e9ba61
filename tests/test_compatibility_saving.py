"""Every way to save a DCGAN and to load it; rows of the table."""

import copy
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from compatibility import Rows, own_networks

import pet_dcgan as pd
from pet_dcgan.models.augmentation import Augmenter
from pet_dcgan.models.bending import Bender

TESTS = Path(__file__).parent

ROWS = Rows("Saving and loading")
works, refused = ROWS.works, ROWS.refused

RNG = np.random.default_rng(0)
REAL = RNG.uniform(-1, 1, [4, 32, 32, 1]).astype(np.float32)
LATENTS = RNG.uniform(-1, 1, [2, 6]).astype(np.float32)


def make(**options):
    return pd.DCGAN(*own_networks(), **options)


def trained(model=None, **options):
    """A model after a step."""
    model = model or make()
    model.compile(run_eagerly=True, **options)
    model.train_on_batch(REAL)
    return model


def state(model):
    return [v.numpy() for part in model.state.values() for v in part]


def assert_equal(one, other):
    for a, b in zip(state(one), state(other), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def assert_goes_on(loaded, saved):
    """Equal now, and after another step of each."""
    assert_equal(loaded, saved)
    for model in (loaded, saved):
        model.reset_metrics()  # as `fit` does
    logs = [m.train_on_batch(REAL, return_dict=True) for m in (loaded, saved)]
    for name, value in logs[0].items():
        np.testing.assert_allclose(value, logs[1][name], atol=1e-6)
    assert_equal(loaded, saved)


def reloaded(model, folder, **options):
    path = folder / "model.keras"
    model.save(path)
    return keras.saving.load_model(path, **options)


class Relaxed(pd.AdversarialLoss):
    """A loss of a reader's own, not registered."""

    def discriminator_loss(self, real_logits, fake_logits):
        return tf.reduce_mean(tf.nn.softplus(fake_logits - real_logits))

    def generator_loss(self, fake_logits):
        return -tf.reduce_mean(fake_logits)


@keras.saving.register_keras_serializable("tests")
class Registered(Relaxed):
    """The same, registered."""


@keras.saving.register_keras_serializable("tests")
class Brightness(keras.metrics.Mean):
    """A metric of a reader's own."""

    def update_state(self, real, generated, sample_weight=None):
        super().update_state(tf.reduce_mean(generated) - tf.reduce_mean(real))


# --- the whole model ----------------------------------------------------------


@works("`model.save`, `keras.saving.load_model`: training goes on")
def _(folder):
    model = trained(g_optimizer="rmsprop")
    loaded = reloaded(model, folder)
    assert isinstance(loaded, pd.DCGAN)
    assert loaded.loss_of.get_config() == {}
    assert_goes_on(loaded, model)


@works("... with `ema_decay`, bends, augmentation and facts")
def _(folder):
    facts = pd.ImageFacts(
        stage="AD", plane="axial", spacing_mm=3.0, suvr_max=2.5, phantom=True
    )
    augmenter = Augmenter(("translate", "cutout"), 0.5, target=0.6)
    options = {"augmenter": augmenter, "facts": facts, "seed": 3}
    options["bender"] = Bender(0.5, 8.0, seed=3)
    model = trained(make(ema_decay=0.9, **options))
    loaded = reloaded(model, folder)
    assert (loaded.facts, loaded.seed) == (facts, 3)
    assert_goes_on(loaded, model)


@works("... in mixed precision, with its loss scale")
def _(folder):
    shape = {"size": 32, "channels": 1, "precision": "mixed_float16"}
    model = trained(
        pd.DCGAN(
            pd.build_generator(width=2, latent_dim=6, **shape),
            pd.build_discriminator(width=2, **shape),
        )
    )
    model.g_optimizer.dynamic_scale.assign(1024.0)
    loaded = reloaded(model, folder)
    assert float(loaded.g_optimizer.dynamic_scale) == 1024
    assert_equal(loaded, model)


@works("... with a schedule as learning rate")
def _(folder):
    rate = keras.optimizers.schedules.ExponentialDecay(1e-2, 1, 0.5)
    model = trained(g_optimizer=keras.optimizers.Adam(rate))
    loaded = reloaded(model, folder)
    assert_goes_on(loaded, model)
    assert float(loaded.g_optimizer.learning_rate) < 5e-3


@works("... with metrics, your own among them if registered")
def _(folder):
    model = trained(metrics=[Brightness(name="brightness"), pd.KID(32)])
    expected = model.evaluate(REAL, verbose=0, return_dict=True)
    loaded = reloaded(model, folder)
    found = loaded.evaluate(REAL, verbose=0, return_dict=True)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-5)


@works("... with a loss of your own, registered")
def _(folder):
    model = trained(loss=Registered())
    assert_goes_on(reloaded(model, folder), model)


@works("... with one that is not, by `custom_objects`")
def _(folder):
    model = trained(loss=Relaxed())
    custom = {"Relaxed": Relaxed}
    loaded = reloaded(model, folder, custom_objects=custom)
    assert_goes_on(loaded, model)


NOTEBOOK = """
import numpy as np, tensorflow as tf, keras
from compatibility import own_networks
import pet_dcgan as pd
class Mine(pd.AdversarialLoss):
    def discriminator_loss(self, real, fake):
        return tf.reduce_mean(fake - real)
    def generator_loss(self, fake):
        return -tf.reduce_mean(fake)
model = pd.DCGAN(*own_networks())
model.compile(loss=Mine(), run_eagerly=True)
model.save("{path}")
"""
AFRESH = """
import pet_dcgan
import keras
try:
    print("step", int(keras.saving.load_model("{path}").step))
except Exception as error:
    print("error", type(error).__name__, str(error).replace(chr(10), " "))
"""


def python(text, **values):
    done = subprocess.run(
        [sys.executable, "-c", text.format(**values)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=TESTS,  # for the helpers of tests
    )
    return done.stdout + done.stderr[-2000:]


@works("... loaded by another process, after `import pet_dcgan` alone")
def _(folder):
    path = folder / "model.keras"
    trained(make(ema_decay=0.9, augmenter=Augmenter(("scale",), 0.5))).save(
        path
    )
    assert "step 1" in python(AFRESH, path=path)


@refused("... with a loss that the loading process does not know", "Mine")
def _(folder):
    path = folder / "model.keras"
    python(NOTEBOOK, path=path)
    said = python(AFRESH, path=path).splitlines()
    (line,) = (line for line in said if line.startswith("error TypeError"))
    raise ValueError(line)


@refused("... with a loss that has no `get_config`", "AdversarialLoss to save")
def _(folder):
    class Plain:
        discriminator_loss = Relaxed.discriminator_loss
        generator_loss = Relaxed.generator_loss

    trained(loss=Plain()).save(folder / "model.keras")


@works("`load_model(compile=False)`, then `compile`")
def _(folder):
    model = trained()
    loaded = reloaded(model, folder, compile=False)
    assert not loaded.compiled
    trained(loaded)
    assert int(loaded.step) == 2


def with_lambda():
    """A model whose generator holds code."""
    generator, discriminator = own_networks()
    latent = keras.Input([6])
    images = generator(keras.layers.Lambda(lambda z: z * 1.0)(latent))
    return pd.DCGAN(keras.Model(latent, images), discriminator)


@refused(
    "a `Lambda` layer, which is code, in a saved network",
    "safe_mode",
    by_keras=True,
)
def _(folder):
    reloaded(trained(with_lambda()), folder)


@works("the same with `load_model(safe_mode=False)`")
def _(folder):
    model = trained(with_lambda())
    assert_equal(reloaded(model, folder, safe_mode=False), model)


@works("`keras.saving.save_model`")
def _(folder):
    model = trained()
    keras.saving.save_model(model, folder / "x.keras")
    assert_equal(keras.saving.load_model(folder / "x.keras"), model)


@refused("`model.save` to a folder", "Invalid filepath ext", by_keras=True)
def _(folder):
    trained().save(folder / "model")


@refused("`model.save` to `.h5`", r"model.save\('model.keras'\)")
def _(folder):
    trained().save(folder / "model.h5")


# --- weights ------------------------------------------------------------------


@works("`save_weights`, `load_weights`, optimisers included")
def _(folder):
    model, other = trained(), make()
    other.compile(run_eagerly=True)
    model.save_weights(folder / "x.weights.h5")
    other.load_weights(folder / "x.weights.h5")
    assert_goes_on(other, model)


@works("`keras.saving.save_weights`, `keras.saving.load_weights`")
def _(folder):
    model, other = trained(), make()
    other.compile(run_eagerly=True)
    keras.saving.save_weights(model, folder / "x.weights.h5")
    keras.saving.load_weights(other, folder / "x.weights.h5")
    assert_equal(other, model)


@works("`get_weights`, `set_weights`")
def _(folder):
    model, other = trained(), make()
    other.set_weights(model.get_weights())
    np.testing.assert_allclose(other(LATENTS), model(LATENTS), atol=1e-6)


@refused(
    "weights of other networks", "could not be loaded|shape", by_keras=True
)
def _(folder):
    other = pd.DCGAN(*own_networks(maps=3))
    trained().save_weights(folder / "x.weights.h5")
    with warnings.catch_warnings():
        # what Keras 3.15 says before it refuses
        warnings.filterwarnings("ignore", "Skipping nested container")
        other.load_weights(folder / "x.weights.h5")


@works("the generator alone: `model.generator.save`")
def _(folder):
    model = trained()
    model.generator.save(folder / "g.keras")
    loaded = keras.saving.load_model(folder / "g.keras")
    np.testing.assert_allclose(loaded(LATENTS), model(LATENTS), atol=1e-6)


# --- configurations and copies ------------------------------------------------


@works("`get_config`, `from_config`: new weights, not compiled")
def _(folder):
    model = make(ema_decay=0.9, seed=2)
    other = pd.DCGAN.from_config(model.get_config())
    assert (other.ema_decay, other.seed) == (0.9, 2)
    assert not other.compiled


@works("`to_json`, `keras.models.model_from_json`")
def _(folder):
    other = keras.models.model_from_json(trained().to_json())
    assert other.generator.count_params() == make().generator.count_params()


@works("`keras.models.clone_model`")
def _(folder):
    assert isinstance(keras.models.clone_model(trained()), pd.DCGAN)


@works("`copy.deepcopy`")
def _(folder):
    model = trained()
    assert_goes_on(copy.deepcopy(model), model)


@works("`pickle`")
def _(folder):
    model = trained()
    assert_goes_on(pickle.loads(pickle.dumps(model)), model)


@ROWS.each()
def test_saving(row, tmp_path):
    row.run(tmp_path)
