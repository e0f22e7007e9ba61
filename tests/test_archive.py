import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.intensity import png_from_suvr
from pet_dcgan.networks import build_generator
from pet_dcgan.sampling import synthetic_slices
from pet_dcgan.serving import archive
from pet_dcgan.serving.archive import compare_archive, save_archive

SEEDS = np.array([0, 1, 77, 2**40, 5])


def lively_generator(channels=3):
    """Large weights and unequal batch statistics: images that differ."""
    model = build_generator(size=32, channels=channels, latent_dim=6, width=4)
    random = np.random.default_rng(0)
    model.set_weights(
        [w * 12 + random.uniform(0, 0.1, w.shape) for w in model.get_weights()]
    )
    return model


@pytest.fixture(scope="module")
def generator():
    return lively_generator()


@pytest.fixture(scope="module")
def folder(generator, tmp_path_factory):
    path = tmp_path_factory.mktemp("archive") / "1"
    save_archive(generator, path, suvr_max=2.5)
    return path


@pytest.fixture(scope="module")
def signatures(folder):
    loaded = tf.saved_model.load(str(folder))
    yield loaded.signatures
    del loaded


def test_names_types_and_shapes(signatures):
    expected = {
        "serving_default": ("latent", tf.float32, [None, 6], "image"),
        "generate": ("seed", tf.int64, [None], "suvr"),
        "generate_png": ("seed", tf.int64, [None], "image_bytes"),
    }
    assert set(signatures) == set(expected)
    for name, (key, dtype, shape, output) in expected.items():
        given = signatures[name].structured_input_signature[1]
        assert given == {key: tf.TensorSpec(shape, dtype, name=key)}
        assert list(signatures[name].structured_outputs) == [output]
    outputs = signatures["generate"].structured_outputs
    assert outputs["suvr"].shape.as_list() == [None, 32, 32]
    outputs = signatures["serving_default"].structured_outputs
    assert outputs["image"].shape.as_list() == [None, 32, 32, 3]


def test_latents_give_the_live_images(generator, signatures):
    latents = np.random.default_rng(0).uniform(-1, 1, (5, 6)).astype("f4")
    image = signatures["serving_default"](latent=latents)["image"]
    live = generator(latents, training=False)
    np.testing.assert_allclose(image, live, atol=1e-5)
    assert np.abs(image).max() <= 1


def test_seeds_give_the_live_slices(generator, signatures):
    suvr = signatures["generate"](seed=SEEDS)["suvr"]
    live = synthetic_slices(generator, SEEDS, suvr_max=2.5)
    np.testing.assert_allclose(suvr, live, atol=1e-5)


def test_png_holds_16_bits_on_the_scale_of_the_data_set(generator, signatures):
    encoded = signatures["generate_png"](seed=SEEDS)["image_bytes"]
    live = synthetic_slices(generator, SEEDS, suvr_max=2.5)
    for png, suvr in zip(encoded, live, strict=True):
        stored = tf.io.decode_png(png, dtype=tf.uint16)
        assert stored.shape == (32, 32, 1)
        steps = stored[..., 0].numpy().astype(int)
        steps -= png_from_suvr(suvr, 2.5)
        assert np.abs(steps).max() <= 1
        assert png.numpy()[24] == 16  # bit depth, in the header


def test_a_seed_alone_equals_the_seed_in_a_batch(signatures):
    batch = signatures["generate"](seed=SEEDS)["suvr"]
    png = signatures["generate_png"](seed=SEEDS)["image_bytes"]
    assert np.ptp(batch, axis=0).max() > 0.1
    for row, seed in enumerate(SEEDS):
        alone = signatures["generate"](seed=[seed])["suvr"][0]
        np.testing.assert_allclose(alone, batch[row], atol=1e-5)
        alone = signatures["generate_png"](seed=[seed])["image_bytes"][0]
        one, other = (
            tf.io.decode_png(each, dtype=tf.uint16).numpy().astype(int)
            for each in (alone, png[row])
        )
        assert np.abs(one - other).max() <= 1


def test_no_rows_give_no_images(signatures):
    none = np.zeros(0, np.int64)
    assert signatures["generate"](seed=none)["suvr"].shape == (0, 32, 32)
    assert len(signatures["generate_png"](seed=none)["image_bytes"]) == 0


def test_weights_are_stored_once(generator, folder):
    stored = sum(f.stat().st_size for f in (folder / "variables").iterdir())
    weights = sum(w.nbytes for w in generator.get_weights())
    assert weights < stored < 1.2 * weights


def test_no_python_operations(folder):
    text = (folder / "saved_model.pb").read_bytes()
    assert b"StatelessRandomUniform" in text
    assert b"PyFunc" not in text


STANDALONE = """
    import sys

    class Refuse:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in ("keras", "tf_keras", "pet_dcgan"):
                # tensorflow looks for Keras and takes either as its absence
                raise type("Absent", (ImportError, ValueError), {})(name)

    sys.meta_path.insert(0, Refuse())
    import tensorflow as tf
    import numpy as np

    model = tf.saved_model.load(sys.argv[1])
    call = model.signatures
    seeds = tf.constant(np.load(sys.argv[2]))
    suvr = call["generate"](seed=seeds)["suvr"]
    png = call["generate_png"](seed=seeds)["image_bytes"]
    pixels = [tf.io.decode_png(each, dtype=tf.uint16) for each in png]
    latent = tf.fill([3, 6], 0.5)
    image = call["serving_default"](latent=latent)["image"]
    assert not {"keras", "pet_dcgan"} & set(sys.modules)
    np.savez(sys.argv[3], suvr=suvr, image=image, pixels=np.stack(pixels))
"""


def test_runs_without_keras_and_without_this_package(
    generator, folder, tmp_path
):
    np.save(tmp_path / "seeds.npy", SEEDS)
    arguments = [folder, tmp_path / "seeds.npy", tmp_path / "out.npz"]
    code = textwrap.dedent(STANDALONE)
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = np.load(tmp_path / "out.npz")
    live = synthetic_slices(generator, SEEDS, suvr_max=2.5)
    np.testing.assert_allclose(found["suvr"], live, atol=1e-5)
    steps = found["pixels"][..., 0].astype(int) - png_from_suvr(live, 2.5)
    assert np.abs(steps).max() <= 1
    image = generator(np.full((3, 6), 0.5, np.float32), training=False)
    np.testing.assert_allclose(found["image"], image, atol=1e-5)


def test_comparison_reports_a_small_difference(generator, folder):
    assert compare_archive(generator, folder, suvr_max=2.5) <= 1e-5


def test_comparison_refuses_other_weights(folder):
    other = lively_generator()
    weights = other.get_weights()
    weights[0] = weights[0] + 0.01
    other.set_weights(weights)
    with pytest.raises(ValueError, match="found differences of"):
        compare_archive(other, folder, suvr_max=2.5)


def test_comparison_refuses_another_png_scale(generator, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "PNG_MAX", 65530)
    save_archive(generator, tmp_path / "1", suvr_max=2.5)
    with pytest.raises(ValueError, match=r"and \d+ steps: nothing was"):
        compare_archive(generator, tmp_path / "1", suvr_max=2.5)


def test_comparison_refuses_nan(generator, tmp_path, monkeypatch):
    broken = lively_generator()
    broken.set_weights([w * np.nan for w in broken.get_weights()])
    monkeypatch.setattr(archive, "_require_exportable", lambda model: None)
    save_archive(broken, tmp_path / "1", suvr_max=2.5)
    with pytest.raises(ValueError, match="found differences of inf"):
        compare_archive(generator, tmp_path / "1", suvr_max=2.5)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    model = lively_generator(channels=1)
    weights = model.get_weights()
    weights[3][0] = np.inf
    model.set_weights(weights)
    with pytest.raises(ValueError, match=r"NaN or infinity in .*norm"):
        save_archive(model, tmp_path / "1", suvr_max=2.5)
    assert not (tmp_path / "1").exists()


def test_half_precision_is_refused(tmp_path):
    latent = keras.Input([6])
    image = keras.layers.Dense(4, dtype="mixed_float16", name="half")(latent)
    with pytest.raises(ValueError, match="layer half in float16"):
        save_archive(keras.Model(latent, image), tmp_path / "1", suvr_max=2.5)
