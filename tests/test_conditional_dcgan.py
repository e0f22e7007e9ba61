"""The conditional networks, and the step that trains them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from toy_conditional import (
    BANDS,
    SHAPE,
    make_batch,
    make_conditional,
    make_conditions,
    make_networks,
    spread,
)

from pet_dcgan.models.conditional_dcgan import ConditionalDCGAN
from pet_dcgan.models.conditioned import asked, conditions_of, latent_length
from pet_dcgan.models.networks import (
    build_discriminator,
    build_generator,
    float32_copy,
)
from pet_dcgan.models.sampling import latents_from_seeds, synthetic_slices


def inputs_of(batch, latents):
    """What a generator takes, of a batch."""
    names = ("stage", "plane", "position_mm", "age", "sex")
    found = {n: tf.constant(batch[n].reshape(len(latents), -1)) for n in names}
    return {"latent": tf.constant(latents, tf.float32)} | found


def draw(network, batch, latents):
    return network(inputs_of(batch, latents), training=False).numpy()


def test_inputs_are_named_and_the_output_is_an_image():
    generator, discriminator = make_networks()
    assert set(generator.input) == {"latent", *make_conditions().inputs}
    assert set(discriminator.input) == {"image", *make_conditions().inputs}
    assert generator.output_shape == (None, 32, 32, 1)
    assert discriminator.output_shape == (None, 2)
    assert latent_length(generator) == 6
    assert conditions_of(generator) == make_conditions()
    assert conditions_of(build_generator(**SHAPE)) is None


def test_at_the_start_conditions_change_no_image():
    generator, _ = make_networks()
    latents = np.random.default_rng(0).uniform(-1, 1, [8, 6])
    plain = build_generator(latent_dim=6, **SHAPE)
    found = draw(generator, make_batch(), latents)
    same = plain(tf.constant(latents, tf.float32), training=False)
    np.testing.assert_allclose(found, same, atol=1e-6)


def test_without_weight_of_labels_a_trained_generator_ignores_them():
    model = make_conditional()
    network = spread(model)
    latents = np.random.default_rng(0).uniform(-1, 1, [8, 6])
    first = draw(network, make_batch(seed=0), latents)
    assert (
        np.abs(first - draw(network, make_batch(seed=1), latents)).max() > 0.1
    )
    network.get_layer("label_weight").weight.assign(0.0)
    first = draw(network, make_batch(seed=0), latents)
    second = draw(network, make_batch(seed=1), latents)
    np.testing.assert_array_equal(first, second)


def test_features_are_those_computed_by_hand():
    layer = make_networks()[0].get_layer("features")
    found = layer(
        {
            "stage": tf.constant([[0.0, 0.0, 1.0], [0.5, 0.5, 0.0]]),
            "plane": tf.constant([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]),
            # half of the way from the middle of a band to its end
            "position_mm": tf.constant([[-27.0], [9.0]]),
            "age": tf.constant([[65.0], [75.0]]),
            "sex": tf.constant([[float("nan")], [1.0]]),
        }
    ).numpy()
    angles = 0.5 * np.arange(1, 5) * np.pi / 2
    sines, cosines = np.sin(angles), np.cos(angles)
    expected = [
        [*(0, 0, 1, 0, 1, 0), 0.5, *sines, *cosines, *(-1, 1, 0, 0)],
        [*(0.5, 0.5, 0, 1, 0, 0), -0.5, *-sines, *cosines, *(0, 1, 1, 1)],
    ]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_an_unknown_age_is_finite_and_another_than_the_mean():
    network = spread(make_conditional())
    latents = np.zeros([8, 6])
    batch = make_batch()
    unknown = draw(network, batch | {"age": np.full(8, np.nan, "f")}, latents)
    mean = draw(network, batch | {"age": np.full(8, 75.0, "f")}, latents)
    assert np.isfinite(unknown).all()
    assert np.abs(unknown - mean).max() > 1e-3


def test_second_logit_alone_depends_on_conditions():
    _, discriminator = make_networks()
    batch = make_batch()
    found = [
        discriminator(
            {"image": tf.constant(batch["image"])}
            | {
                n: v
                for n, v in inputs_of(b, np.zeros([8, 6])).items()
                if n != "latent"
            }
        ).numpy()
        for b in (batch, make_batch(seed=1))
    ]
    np.testing.assert_array_equal(found[0][:, 0], found[1][:, 0])
    assert np.abs(found[0][:, 1] - found[1][:, 1]).max() > 1e-6


def test_fit_moves_the_weight_of_labels_through_the_transition():
    model = make_conditional(transition=(1, 3), jitter_mm=1.5, ema_decay=0.9)
    seen = []

    class Weight(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            layer = self.model.generator.get_layer("label_weight")
            seen.append(float(layer.weight))

    data = tf.data.Dataset.from_tensors(make_batch()).repeat(5)
    model.fit(data, verbose=0, callbacks=[Weight()])
    assert seen == [0.0, 0.0, 0.5, 1.0, 1.0]
    average = model.sampler_network.get_layer("label_weight").weight
    assert 0 < float(average) <= 1


def test_before_the_transition_a_step_is_that_of_images_alone():
    model = make_conditional(transition=(5, 6))
    before = model.generator.get_layer("up_32").get_weights()
    model.fit(tf.data.Dataset.from_tensors(make_batch()), verbose=0)
    changed = model.generator.get_layer("up_32").get_weights()
    assert np.abs(changed[0] - before[0]).max() > 0
    embed = model.discriminator.get_layer("wanted").get_weights()
    fresh = make_networks()[1].get_layer("wanted").get_weights()
    np.testing.assert_array_equal(embed[0], fresh[0])


def test_losses_are_the_two_logits_and_weighed():
    model = make_conditional()
    layer = model.generator.get_layer("label_weight")
    layer.weight.assign(0.5)
    fake = tf.constant([[0.0, 1.0]])
    real = tf.constant([[2.0, -1.0]])
    soft = lambda x: np.log1p(np.exp(x))  # noqa: E731
    found = float(model._generator_loss(fake))
    assert found == pytest.approx(soft(0) + 0.5 * soft(-1))
    expected = soft(-2) + soft(0) + 0.5 * (soft(1) + soft(1))
    assert float(model._discriminator_loss(real, fake)) == pytest.approx(
        expected
    )


def test_whole_numbers_are_stages_and_planes():
    model = make_conditional()
    batch = make_batch()
    numbers = batch | {
        "stage": batch["stage"].argmax(1),
        "plane": batch["plane"].argmax(1),
    }
    found, same = model.conditions_in(numbers), model.conditions_in(batch)
    for name, values in same.items():
        np.testing.assert_array_equal(found[name], values)
    assert found["position_mm"].shape == (8, 1)
    others = model.conditions_in(batch | {"stage": np.arange(-2, 6)})["stage"]
    assert np.isnan(others).all(1).tolist() == [True] * 2 + 3 * [False] + (
        3 * [True]
    )
    weights = batch | {"stage": batch["stage"].astype(int)}
    found = model.conditions_in(weights)["stage"]
    np.testing.assert_array_equal(found, same["stage"])


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        (make_batch()["image"], "expected batches with image, stage, plane"),
        ({"image": make_batch()["image"]}, "found none of stage, plane"),
        (
            make_batch() | {"stage": np.zeros([8, 2], "f")},
            r"expected stage of the shape \[n, 3\]",
        ),
    ],
)
def test_a_batch_without_conditions_is_refused_in_one_line(batch, words):
    with pytest.raises(ValueError, match=words):
        make_conditional().conditions_in(batch)


def test_networks_of_other_conditions_are_refused():
    generator, discriminator = make_networks()
    other = make_conditions(("stage", "plane"))
    with pytest.raises(ValueError, match="same conditions"):
        ConditionalDCGAN(generator, make_networks(other)[1])
    plain = build_generator(latent_dim=6, **SHAPE)
    with pytest.raises(ValueError, match="same conditions"):
        ConditionalDCGAN(plain, build_discriminator(**SHAPE))
    with pytest.raises(ValueError, match="expected a transition"):
        ConditionalDCGAN(generator, discriminator, transition=(3, 1))


def test_jitter_stays_within_half_a_gap_and_leaves_the_rest():
    model = make_conditional(jitter_mm=1.5)
    batch = make_batch()
    found = model._training_conditions(batch)
    moved = found["position_mm"].numpy()[:, 0] - batch["position_mm"]
    assert 0.1 < np.abs(moved).max() <= 1.5
    np.testing.assert_array_equal(found["stage"], batch["stage"])


def test_same_seed_same_weights():
    data = tf.data.Dataset.from_tensors(make_batch()).repeat(3)
    found = []
    for _ in range(2):
        model = make_conditional(transition=(1, 2), jitter_mm=1.5)
        model.fit(data, verbose=0)
        found.append(model.generator.get_weights())
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_saved_and_loaded_the_model_goes_on_alike(tmp_path):
    data = tf.data.Dataset.from_tensors(make_batch()).repeat(2)
    model = make_conditional(transition=(1, 4), jitter_mm=1.5, ema_decay=0.9)
    model.fit(data, verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert loaded.transition == (1, 4)
    assert loaded.jitter_mm == 1.5
    for each in (model, loaded):
        each.fit(data, verbose=0)
    for a, b in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_half_precision_keeps_images_in_float32():
    pair = make_networks(precision="mixed_bfloat16")
    assert pair[0].output.dtype == "float32"
    assert pair[1].output.dtype == "float32"
    copy = float32_copy(pair[0])
    assert {layer.compute_dtype for layer in copy.layers} == {"float32"}


def test_asked_is_a_generator_of_latents_alone():
    network = spread(make_conditional())
    seeds = np.arange(4)
    images = {
        stage: synthetic_slices(
            asked(network, stage=stage, plane="axial", position_mm=12),
            seeds,
            suvr_max=2.5,
        )
        for stage in ("NC", "AD")
    }
    assert images["NC"].shape == (4, 32, 32)
    latents = latents_from_seeds(seeds, 6)
    by_hand = network(
        {
            "latent": latents,
            "stage": tf.constant([[0.0, 0.0, 1.0]] * 4),
            "plane": tf.constant([[1.0, 0.0, 0.0]] * 4),
            "position_mm": tf.fill([4, 1], 12.0),
            "age": tf.fill([4, 1], np.float32("nan")),
            "sex": tf.fill([4, 1], np.float32("nan")),
        },
        training=False,
    )
    np.testing.assert_allclose(
        images["AD"], (by_hand[..., 0] + 1) * 1.25, atol=1e-5
    )
    assert np.abs(images["NC"] - images["AD"]).max() > 0.01


def test_what_is_not_asked_for_is_spread_evenly():
    layer = asked(make_networks()[0]).get_layer("asked")
    drawn = np.random.default_rng(0).uniform(-1, 1, [3000, 9])
    found = layer(tf.constant(drawn, tf.float32))
    for name, count in (("stage", 3), ("plane", 2)):
        shares = found[name].numpy().mean(axis=0)
        np.testing.assert_allclose(shares[:count], 1 / count, atol=0.03)
    axial = found["plane"].numpy()[:, 0] == 1
    for rows, plane in ((axial, "axial"), (~axial, "coronal")):
        positions, (low, high) = (
            found["position_mm"].numpy()[rows],
            BANDS[plane],
        )
        assert low <= positions.min() < low + 1
        assert high - 1 < positions.max() <= high
    np.testing.assert_array_equal(found["latent"], drawn[:, :6].astype("f"))


def test_mixtures_lie_between_and_saved_ones_are_the_same(tmp_path):
    network = spread(make_conditional())
    half = asked(network, stage=[0.5, 0.5, 0.0], plane="axial", position_mm=3)
    latents = tf.zeros([1, 9])
    assert half.get_layer("asked")(latents)["stage"].numpy().tolist() == [
        [0.5, 0.5, 0.0]
    ]
    half.save(tmp_path / "half.keras")
    loaded = keras.saving.load_model(tmp_path / "half.keras")
    np.testing.assert_array_equal(loaded(latents), half(latents))


def test_an_unconditional_generator_cannot_be_asked():
    with pytest.raises(ValueError, match="expected a conditional generator"):
        asked(build_generator(**SHAPE), stage="AD")
