"""Every form of images, and every option of `fit`; rows of the table."""

import functools
import importlib.util
import sys

import keras
import numpy as np
import pandas as pd_frames
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from compatibility import Rows, own_networks

import pet_dcgan as pd
from pet_dcgan.data.real_images import images_of

INPUTS = Rows("Images")
OPTIONS = Rows("Fit, evaluate, predict")

RNG = np.random.default_rng(0)
REAL = RNG.uniform(-1, 1, [6, 32, 32, 1]).astype(np.float32)
STORED = RNG.integers(0, 65536, [6, 32, 32, 1]).astype(np.uint16)
LABELS = np.arange(6)
LATENTS = RNG.uniform(-1, 1, [3, 6]).astype(np.float32)
SET = {}  # where the toy set is


@functools.cache
def shared():
    """One model for all rows, without a graph: each form has its own."""
    model = pd.DCGAN(*own_networks())
    model.compile(run_eagerly=True)
    return model


def fit(x, *args, steps=None, **options):
    """A short training; so many steps are taken."""
    model = shared()
    before = int(model.step)
    options = {"verbose": 0, "batch_size": 2} | options
    history = model.fit(x, *args, **options).history
    assert np.isfinite(history["g_loss"]).all()
    if steps:
        assert int(model.step) - before == steps
    return history


def streamed(*parts):
    return tf.data.Dataset.from_tensor_slices(parts if parts[1:] else parts[0])


def batches(x, **options):
    """`fit` on what has its batches already."""
    return fit(x, batch_size=None, **options)


def toy_slices(split, stage="AD"):
    return pd.load_slices(
        SET["data_dir"], "axial_32", split=split, stage=stage, plane="axial"
    )


class Sequence(keras.utils.PyDataset):
    """Images in batches of two."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return REAL[2 * index : 2 * index + 2], LABELS[
            2 * index : 2 * index + 2
        ]


# --- forms --------------------------------------------------------------------


@INPUTS.works("NumPy, `[n, size, size, channels]`")
def _(folder):
    for kind in (np.float32, np.float64, np.float16):
        fit(REAL.astype(kind), steps=3)


@INPUTS.works("`tf.Tensor`")
def _(folder):
    fit(tf.constant(REAL), steps=3)


@INPUTS.works("`fit(x, y)` with labels, which are ignored")
def _(folder):
    fit(REAL, LABELS, steps=3)


@INPUTS.works('`fit({"image": x})`')
def _(folder):
    fit({"image": REAL, "label": LABELS}, steps=3)


@INPUTS.works("`tf.data` of batches")
def _(folder):
    batches(streamed(REAL).batch(4), steps=2)


@INPUTS.works("`tf.data` with labels, or with dictionaries")
def _(folder):
    batches(streamed(REAL, LABELS).batch(2), steps=3)
    named = tf.data.Dataset.from_tensor_slices({"image": REAL, "x": LABELS})
    batches(named.batch(2), steps=3)


@INPUTS.works("`tf.data` that repeats, with `steps_per_epoch`")
def _(folder):
    batches(streamed(REAL).repeat().batch(2), steps_per_epoch=4, steps=4)


@INPUTS.works("`tf.data` of SUVR through `scale_to_model`")
def _(folder):
    scaled = (
        streamed((REAL + 1) * 1.25)
        .batch(2)
        .map(functools.partial(pd.scale_to_model, suvr_max=2.5))
    )
    batches(scaled, steps=3)


@INPUTS.works("what `tfds.load` yields of a prepared set, in batches")
def _(folder):
    path = f"{SET['data_dir']}/adni/axial_32/2.0.0"
    builder = tfds.builder_from_directory(path)
    batches(builder.as_dataset(split="train").batch(4), steps=9)


@INPUTS.works("`keras.utils.PyDataset`, with workers")
def _(folder):
    batches(Sequence(workers=2), steps=3)


@INPUTS.works("a Python generator")
def _(folder):
    for given in (REAL, (REAL, LABELS)):
        batches((given for _ in range(3)), steps_per_epoch=3, steps=3)


@INPUTS.works("a `DataLoader` of PyTorch, of a `TensorDataset`")
def _(folder):
    torch = pytest.importorskip("torch")
    images = torch.utils.data.TensorDataset(torch.from_numpy(REAL))
    batches(torch.utils.data.DataLoader(images, batch_size=2), steps=3)


@INPUTS.works("`Slices` of a prepared set")
def _(folder):
    fit(toy_slices("train"), steps=6)


@INPUTS.refused("`Slices` of fewer images than a batch", "at least one batch")
def _(folder):
    fit(toy_slices("train"), batch_size=100)


@INPUTS.refused(
    "`Slices` that mean something else than those before", "build another"
)
def _(folder):
    fit(toy_slices("train"))
    fit(toy_slices("train", stage="NC"))


@INPUTS.works(
    "uint16 as a prepared set stores them, with and without a channel"
)
def _(folder):
    fit(STORED, steps=3)
    fit(STORED[..., 0], steps=3)


@INPUTS.works("one channel, for networks of three")
def _(folder):
    shape = {"size": 32, "channels": 3, "width": 2}
    model = pd.DCGAN(
        pd.build_generator(**shape), pd.build_discriminator(**shape)
    )
    model.compile(run_eagerly=True)
    model.fit(REAL[:2], verbose=0)


@INPUTS.works("a last batch that is smaller, a batch of one")
def _(folder):
    fit(REAL, batch_size=4, steps=2)
    fit(REAL[:3], batch_size=1, steps=3)


@INPUTS.refused("no image", "found none")
def _(folder):
    fit(REAL[:0])


@INPUTS.refused("`tf.data` without an image", "found none")
def _(folder):
    batches(streamed(REAL[:0]).batch(2))


@INPUTS.refused("uint8, 0 to 255", "pet_dcgan.scale_to_model")
def _(folder):
    fit(((REAL + 1) * 127).astype(np.uint8))


@INPUTS.refused("SUVR, 0 to 2.5", "pet_dcgan.scale_to_model")
def _(folder):
    fit((REAL + 1) * 1.25)


@INPUTS.refused("[0, 1]", "pet_dcgan.scale_to_model")
def _(folder):
    fit((REAL + 1) / 2)


@INPUTS.refused(
    "another scale in `tf.data`, a generator, a `PyDataset`", "scale"
)
def _(folder):
    wrong = (REAL + 1) / 2

    class Wrong(Sequence):
        def __getitem__(self, index):
            return wrong[:2]

    for data in (
        (wrong for _ in range(2)),
        streamed(wrong).batch(2),
    ):
        with pytest.raises(ValueError, match="scale_to_model"):
            batches(data, steps_per_epoch=1)
    batches(Wrong())


@INPUTS.refused("NaN or infinity", "expected finite images")
def _(folder):
    fit(REAL * np.where(REAL > 0.9, np.nan, 1))


@INPUTS.refused("another size", r"expected images \[n, 32, 32, 1\]")
def _(folder):
    fit(REAL[:, :16, :16])


@INPUTS.refused(
    "three channels, for networks of one", r"found \[n, 32, 32, 3\]"
)
def _(folder):
    fit(np.repeat(REAL, 3, axis=-1))


@INPUTS.refused("channels first", r"found \[n, 1, 32, 32\]")
def _(folder):
    fit(REAL.transpose(0, 3, 1, 2))


@INPUTS.refused("floats without a channel", r"found \[n, 32, 32\]")
def _(folder):
    fit(REAL[..., 0])


@INPUTS.refused("rows of pixels, a `pandas.DataFrame`", r"found \[n, 1024\]")
def _(folder):
    fit(pd_frames.DataFrame(REAL.reshape(6, -1)))


@INPUTS.refused("`tf.data` without batches", "batch them")
def _(folder):
    batches(streamed(REAL))


@INPUTS.refused("a list of images", "one array")
def _(folder):
    fit(list(REAL))


@INPUTS.refused("a path", "read them first")
def _(folder):
    fit("data")


@INPUTS.refused("a dictionary without `image`", "name the images 'image'")
def _(folder):
    fit({"pixels": REAL})


@INPUTS.refused("weights as a third part, `(x, y, w)`", "images count equally")
def _(folder):
    batches(streamed(REAL, LABELS, LABELS.astype(np.float32)).batch(2))


# --- options of fit -----------------------------------------------------------


@OPTIONS.works("`validation_data` as an array, `tf.data`, pairs, `PyDataset`")
def _(folder):
    for held_out in (
        REAL[:4],
        STORED,
        (REAL, LABELS),
        streamed(REAL).batch(2),
        Sequence(),
    ):
        assert np.isfinite(fit(REAL, validation_data=held_out)["val_kid"])


@OPTIONS.works("`validation_data` as `Slices`")
def _(folder):
    fit(toy_slices("train"), validation_data=toy_slices("validation"))


@OPTIONS.refused("`validation_data` of subjects that it trains on", "subject")
def _(folder):
    fit(toy_slices("train"), validation_data=toy_slices("train"))


@OPTIONS.refused("`validation_data` of another scale", "scale_to_model")
def _(folder):
    fit(REAL, validation_data=(REAL + 1) / 2)


@OPTIONS.works("`validation_split` of arrays")
def _(folder):
    assert "val_kid" in fit(REAL, validation_split=0.5, steps=2)


@OPTIONS.refused("`validation_split` of `Slices`", "give validation_data=")
def _(folder):
    fit(toy_slices("train"), validation_split=0.5)


@OPTIONS.refused(
    "`validation_split` of `tf.data`", "only supported for tensors"
)
def _(folder):
    batches(streamed(REAL).batch(2), validation_split=0.5)


@OPTIONS.works("`validation_freq`, `validation_steps`, `validation_batch_size`")
def _(folder):
    logs = fit(
        REAL,
        epochs=2,
        validation_data=REAL,
        validation_freq=2,
        validation_steps=1,
        validation_batch_size=4,
    )
    assert (len(logs["val_kid"]), len(logs["g_loss"])) == (1, 2)
    assert int(shared().measured.images) == 4


@OPTIONS.works("`initial_epoch`")
def _(folder):
    fit(REAL, epochs=3, initial_epoch=2, steps=3)
    fit(toy_slices("train"), epochs=3, initial_epoch=2, steps=6)


@OPTIONS.works("`steps_per_epoch`")
def _(folder):
    fit(REAL, epochs=2, steps_per_epoch=1, steps=2)


@OPTIONS.refused("`steps_per_epoch` with `Slices`", "whole epochs")
def _(folder):
    fit(toy_slices("train"), steps_per_epoch=1)


@OPTIONS.works("`shuffle`")
def _(folder):
    class Noting(pd.DCGAN):
        def train_step(self, data):
            seen.append(images_of(data).numpy())
            return super().train_step(data)

    model = Noting(*own_networks())
    model.compile(run_eagerly=True)
    keras.utils.set_random_seed(0)  # no shuffle that leaves all in place
    for shuffle in (True, False):
        seen = []
        model.fit(REAL, shuffle=shuffle, batch_size=2, verbose=0)
        assert np.array_equal(np.concatenate(seen), REAL) is not shuffle


@OPTIONS.works('`verbose` 0, 1, 2, `"auto"`')
def _(folder):
    for verbose in (0, 1, 2, "auto"):
        fit(REAL[:2], verbose=verbose)


@OPTIONS.refused("`class_weight`", "images count equally")
def _(folder):
    fit(REAL, LABELS, class_weight=dict.fromkeys(range(6), 1.0))


@OPTIONS.refused("`sample_weight`", "images count equally")
def _(folder):
    fit(REAL, sample_weight=np.ones(6))


@OPTIONS.refused("an option that Keras lacks", "unexpected", error=TypeError)
def _(folder):
    fit(REAL, nb_epoch=3)


# --- other methods ------------------------------------------------------------


@OPTIONS.works("`evaluate`, as a list or with `return_dict=True`")
def _(folder):
    model = shared()
    values = model.evaluate(REAL, verbose=0)
    named = model.evaluate(streamed(REAL).batch(4), verbose=0, return_dict=True)
    found = sorted(float(value) for value in values)
    assert found == pytest.approx(sorted(map(float, named.values())), abs=1e-4)


@OPTIONS.works("`evaluate` of `Slices`, `steps`, `batch_size`")
def _(folder):
    logs = shared().evaluate(
        toy_slices("test"), batch_size=3, verbose=0, return_dict=True
    )
    assert np.isfinite(logs["kid"])
    shared().evaluate(REAL, batch_size=2, steps=1, verbose=0)
    assert int(shared().measured.images) == 2


@OPTIONS.refused("`evaluate(sample_weight=...)`", "images count equally")
def _(folder):
    shared().evaluate(REAL, sample_weight=np.ones(6), verbose=0)


@OPTIONS.works("`predict`, `predict_on_batch`, `model(latents)`: images")
def _(folder):
    model = shared()
    images = model(LATENTS).numpy()
    for found in (
        model.predict(LATENTS, verbose=0),
        model.predict_on_batch(LATENTS),
        model.predict(streamed(LATENTS).batch(3), verbose=0),
    ):
        np.testing.assert_allclose(found, images, atol=1e-6)


@OPTIONS.refused(
    "`predict` of images", r"expected shape=\(None, 6\)", by_keras=True
)
def _(folder):
    shared().predict(REAL, verbose=0)


@OPTIONS.works("`train_on_batch`, `test_on_batch`")
def _(folder):
    model = shared()
    before = int(model.step)
    logs = model.train_on_batch(REAL[:2], return_dict=True)
    assert np.isfinite(logs["d_loss"])
    assert int(model.step) == before + 1
    assert "kid" in model.test_on_batch(REAL[:2], return_dict=True)


@OPTIONS.works("`summary`, `count_params`, `layers`, `get_layer`")
def _(folder):
    model, lines = shared(), []
    model.summary(print_fn=lambda line, **_: lines.append(line))
    networks = model.get_layer("generator"), model.get_layer("discriminator")
    counted = sum(network.count_params() for network in networks)
    assert counted == 6 * 128 + 128 + 8 * 8 * 2 + 1 + 4 * 16 + 4 + 256 + 1
    assert model.count_params() >= counted
    assert set(networks) <= set(model.layers)
    assert len(lines) == 2


@OPTIONS.refused(
    "`keras.utils.plot_model` without pydot",
    "pydot",
    error=ImportError,
    by_keras=True,
)
def _(folder):
    if importlib.util.find_spec("pydot"):
        pytest.skip("pydot is installed")
    with pytest.MonkeyPatch.context() as patch:
        # in a notebook Keras prints what is missing
        patch.delitem(sys.modules, "IPython.core.magics.namespace", False)
        keras.utils.plot_model(shared(), folder / "model.png")


@OPTIONS.works("layers with `trainable = False`")
def _(folder):
    model = pd.DCGAN(*own_networks())
    frozen = model.discriminator.layers[1]
    frozen.trainable = False
    model.compile(run_eagerly=True)
    before = frozen.get_weights()
    model.train_on_batch(REAL[:2])
    np.testing.assert_array_equal(frozen.get_weights()[0], before[0])


@OPTIONS.refused("a network with `trainable = False`", "variables to train")
def _(folder):
    model = pd.DCGAN(*own_networks())
    model.discriminator.trainable = False
    model.compile(run_eagerly=True)


@OPTIONS.works("`reset_metrics`, `metrics_names`, `get_metrics_result`")
def _(folder):
    model = shared()
    model.train_on_batch(REAL[:2])
    assert "d_loss" in model.metrics_names
    assert float(model.get_metrics_result()["d_loss"]) > 0
    model.reset_metrics()
    assert float(model.get_metrics_result()["d_loss"]) == 0


@INPUTS.each()
def test_images(row, tmp_path, toy_set):
    SET["data_dir"] = toy_set
    shared().facts, shared().subjects = None, frozenset()
    row.run(tmp_path)


@OPTIONS.each()
def test_fit(row, tmp_path, toy_set):
    SET["data_dir"] = toy_set
    shared().facts, shared().subjects = None, frozenset()
    row.run(tmp_path)
