"""A DCGAN as Keras handles a model: compiled, fitted, measured, saved."""

import dataclasses
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.data.training_data import load_validation_slices
from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.models.configured_dcgan import build_dcgan
from pet_dcgan.models.losses import AdversarialLoss

RNG = np.random.default_rng(0)
REAL = RNG.uniform(-1, 1, [8, 32, 32, 1]).astype(np.float32)
COUNTED = ["d_loss", "fake_accuracy", "g_loss", "real_accuracy"]
FULL = {
    "ema_decay": 0.9,
    "augment": "translate",
    "augment_target": 0.6,
}


@keras.saving.register_keras_serializable("tests")
class Relative(AdversarialLoss):
    """A loss as a user writes it."""

    def discriminator_loss(self, real_logits, fake_logits):
        return tf.reduce_mean(tf.nn.softplus(fake_logits - real_logits))

    def generator_loss(self, fake_logits):
        return tf.reduce_mean(tf.nn.softplus(-fake_logits))


def assert_same(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def measured(model, data, **options):
    """What `evaluate` finds, as numbers; Keras 3.12 has tensors."""
    found = model.evaluate(data, verbose=0, return_dict=True, **options)
    return {name: float(value) for name, value in found.items()}


# --- compile ------------------------------------------------------------------


def test_its_options_reach_keras(tiny_model):
    model = tiny_model()
    model.compile(
        "adam",
        keras.optimizers.SGD(0.1),
        loss=Relative(),
        metrics=[],
        run_eagerly=True,
        steps_per_execution=3,
        jit_compile=False,
    )
    assert isinstance(model.g_optimizer, keras.optimizers.Adam)
    assert isinstance(model.d_optimizer, keras.optimizers.SGD)
    assert isinstance(model.loss_of, Relative)
    assert (model.run_eagerly, model.steps_per_execution) == (True, 3)
    assert model.measured.members == []


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"optimizer": "adam"}, "no optimizer: each network has its own"),
        ({"loss_weights": [1, 2]}, "no loss_weights: each loss has its own"),
        ({"weighted_metrics": []}, "no weighted_metrics: images have no"),
        ({"metrics": ["mse"]}, "expected metrics whose update_state takes"),
        ({"loss": "bce"}, "expected a loss, an object with .* found 'bce'"),
    ],
)
def test_options_without_a_sense_are_refused(tiny_model, option, words):
    with pytest.raises(ValueError, match=words):
        tiny_model().compile(**option)


def test_a_slip_in_an_options_name_is_refused(tiny_model):
    with pytest.raises(TypeError, match="found 'jit': see help"):
        tiny_model().compile(jit=True)


# --- evaluate and validation_data ---------------------------------------------


def test_a_validation_measures_losses_and_kid(tiny_model):
    model = tiny_model()
    history = model.fit(
        REAL, batch_size=4, validation_data=REAL, epochs=2, verbose=0
    )
    validated = [f"val_{name}" for name in (*COUNTED, "kid")]
    assert sorted(history.history) == sorted([*COUNTED, *validated])
    for name, value in measured(model, REAL).items():
        last = float(history.history[f"val_{name}"][-1])
        assert value == pytest.approx(last, rel=1e-4)


def test_it_depends_neither_on_batches_nor_on_the_time_of_day(tiny_model):
    model = tiny_model()
    found = [measured(model, REAL, batch_size=size) for size in (8, 8, 3)]
    assert found[0] == found[1]
    assert found[2] == pytest.approx(found[0], rel=1e-4)


def test_it_measures_the_average_and_changes_nothing(tiny_model):
    model = tiny_model(ema_decay=0.9)
    before = measured(model, REAL)
    step = int(model.step)
    model.generator.set_weights([w * 2 for w in model.generator.get_weights()])
    assert measured(model, REAL) == before
    model.average.set_weights([w * 2 for w in model.average.get_weights()])
    assert measured(model, REAL) != before
    assert int(model.step) == step


# --- data ---------------------------------------------------------------------


def test_what_is_not_scaled_is_refused_before_a_step(tiny_model):
    model = tiny_model()
    wrong = (REAL + 1) / 2
    for method in (model.fit, model.evaluate):
        data = tf.data.Dataset.from_tensors(wrong)
        for images in (wrong, data, (each for each in [wrong])):
            with pytest.raises(ValueError, match=r"scale_to_model\(images"):
                method(images, verbose=0)
    with pytest.raises(ValueError, match=r"scale_to_model\(images"):
        model.fit(REAL, validation_data=wrong, verbose=0)
    assert int(model.step) == 0


def test_a_generators_first_batch_is_trained_on(tiny_model):
    model = tiny_model()
    batches = (REAL[:4] for _ in range(3))
    model.fit(batches, steps_per_epoch=3, verbose=0)
    assert int(model.step) == 3


def test_slices_tell_the_model_what_they_are(tiny_model, toy_slices):
    model = tiny_model()
    assert model.facts is None
    model.fit(toy_slices, batch_size=4, verbose=0)
    assert model.facts == toy_slices.facts
    assert model.subjects == set(toy_slices.subjects)
    assert int(model.step) == len(toy_slices.images) // 4


def test_slices_are_validated_in_one_pass(tiny_config, toy_slices):
    model = build_dcgan(tiny_config())
    held_out = load_validation_slices(tiny_config())
    history = model.fit(
        toy_slices, validation_data=held_out, batch_size=4, verbose=0
    )
    assert np.isfinite(history.history["val_kid"][0])
    assert int(model.measured.members[0].sums["real"]["images"]) == len(
        held_out.images
    )
    last = float(history.history["val_kid"][0])
    assert measured(model, held_out)["kid"] == pytest.approx(last, rel=1e-4)


def test_nobody_is_trained_on_and_validated_with(tiny_model, toy_slices):
    with pytest.raises(DataLeakageError, match=r"found .*999_S"):
        tiny_model().fit(toy_slices, validation_data=toy_slices, batch_size=4)


def test_slices_on_another_scale_are_refused(tiny_model, toy_slices):
    facts = ImageFacts.of(toy_slices.facts, suvr_max=5.0)
    model = tiny_model(facts=facts)
    with pytest.raises(ValueError, match=r"expected slices of .*suvr_max=5"):
        model.fit(toy_slices, batch_size=4)


def test_held_out_slices_are_on_the_scale_of_the_training(
    tiny_model, tiny_config, toy_slices
):
    held_out = load_validation_slices(tiny_config())
    meta = dataclasses.replace(held_out.meta, suvr_max=5.0)
    other = dataclasses.replace(held_out, meta=meta)
    model = tiny_model()
    with pytest.raises(ValueError, match=r"expected .*=2\.5.*, found .*=5\.0"):
        model.fit(toy_slices, validation_data=other, batch_size=4)
    # nothing was trained on
    assert (model.facts, model.subjects) == (None, frozenset())
    model.facts = toy_slices.facts
    with pytest.raises(ValueError, match=r"expected .*=2\.5.*, found .*=5\.0"):
        model.evaluate(other, verbose=0)
    # another stage may be measured
    another_stage = dataclasses.replace(held_out, stage="MCI")
    assert model.evaluate(another_stage, verbose=0)


def test_subjects_of_every_fit_are_known(tiny_model, toy_slices):
    model = tiny_model()
    model.fit(toy_slices, batch_size=4, verbose=0)
    names = np.array([f"{s}X" for s in toy_slices.subjects])
    others = dataclasses.replace(toy_slices, subjects=names)
    model.fit(others, batch_size=4, verbose=0)
    assert model.subjects == {*toy_slices.subjects, *names}


# --- saved --------------------------------------------------------------------


def test_a_loaded_model_goes_on_as_the_saved_one(tiny_config, tmp_path):
    model = build_dcgan(tiny_config(**FULL))
    held_out = 0.5 * REAL[:3]  # others than the metric adapts to
    model.fit(REAL, batch_size=4, validation_data=held_out, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_same(model, loaded)
    assert loaded.facts == model.facts
    expected = measured(model, held_out)
    assert measured(loaded, held_out) == pytest.approx(expected, rel=1e-6)
    for each in (model, loaded):
        each.fit(REAL, batch_size=4, shuffle=False, epochs=2, verbose=0)
    assert int(loaded.step) == int(model.step) == 6
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)
    for one in ("g_optimizer", "d_optimizer"):
        pair = getattr(model, one), getattr(loaded, one)
        for a, b in zip(*(o.variables for o in pair), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


def test_a_loss_of_the_users_is_saved(tiny_model, tmp_path):
    model = tiny_model()
    model.compile("sgd", "adam", loss=Relative(), metrics=[])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.loss_of, Relative)
    assert isinstance(loaded.d_optimizer, keras.optimizers.Adam)
    assert loaded.measured.members == []


def test_a_loss_that_cannot_be_saved_says_so(tiny_model, tmp_path):
    class Own:
        discriminator_loss = Relative.discriminator_loss
        generator_loss = Relative.generator_loss

    model = tiny_model()
    model.compile(loss=Own())
    with pytest.raises(ValueError, match="with get_config, found Own"):
        model.save(tmp_path / "model.keras")


def test_no_subject_is_in_the_file(tiny_model, toy_slices, tmp_path):
    model = tiny_model()
    model.fit(toy_slices, batch_size=4, verbose=0)
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        contents = b"".join(file.read(name) for name in file.namelist())
    assert b"999_S" not in contents
    assert toy_slices.data_dir.encode() not in contents


def test_shared_batches_are_trained_on_without_a_look(tiny_model):
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        model = tiny_model()
    batches = tf.data.Dataset.from_tensor_slices(REAL).batch(4)
    shared = strategy.experimental_distribute_dataset(batches)
    options = {"steps_per_epoch": 2, "validation_data": REAL, "verbose": 0}
    assert "val_d_loss" in model.fit(shared, **options).history
