"""What the archive of a conditional generator answers, row by row."""

import io

import keras
import numpy as np
import pytest
import tensorflow as tf
import toy_asked
from PIL import Image
from serving_contract import Refused, folder_call
from toy_phantom import contents

from pet_dcgan.models.archive import export_model
from pet_dcgan.models.model_info import ModelInfo
from pet_dcgan.models.plain_generator import generator_of
from pet_dcgan.models.sampling import latents_from_seeds
from pet_dcgan.models.saved_model import compare_model
from pet_dcgan.utils.png import check_png

ROWS = {
    "stage": np.array([[0, 0, 1], [0.25, 0.5, 0.25], [1, 0, 0]], np.float32),
    "plane": np.array(["axial", "coronal", "coronal"], object),
    "position_mm": np.array([12, -60.5, 37.3], np.float32),
    "age": np.array([70, np.nan, -1], np.float32),
    "sex": np.array(["F", "", "M"], object),
}
# the same as the network has it
INPUTS = {
    "stage": ROWS["stage"],
    "plane": np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0]], np.float32),
    "position_mm": ROWS["position_mm"][:, None],
    "age": np.array([[70], [np.nan], [np.nan]], np.float32),
    "sex": np.array([[0], [np.nan], [1]], np.float32),
}
SEEDS = np.array([3, 2**40, 3])


@pytest.fixture(scope="module")
def call(conditional_models):
    return folder_call(conditional_models / "conditional" / "1")


@pytest.fixture(scope="module")
def generator():
    return toy_asked.lively_generator()


def live(generator, inputs=INPUTS, seeds=SEEDS):
    """The network's own images `[n, 32, 32, 1]`."""
    latents = latents_from_seeds(seeds, toy_asked.LATENT_DIM)
    named = {name: tf.constant(each) for name, each in inputs.items()}
    return generator({"latent": latents, **named}, training=False).numpy()


def test_images_are_those_of_the_live_network(call, generator):
    expected = live(generator)
    suvr = call("generate", {"seed": SEEDS, **ROWS})
    assert suvr["status"].tolist() == [b""] * 3
    scaled = (expected[..., 0] + 1) * 1.25
    np.testing.assert_allclose(suvr["suvr"], scaled, atol=1e-5)
    latents = latents_from_seeds(SEEDS, toy_asked.LATENT_DIM).numpy()
    image = call("serving_default", {"latent": latents, **ROWS})
    np.testing.assert_allclose(image["image"], expected, atol=1e-5)
    pngs = call("generate_png", {"seed": SEEDS, **ROWS})["image_bytes"]
    for content, slice_ in zip(pngs, scaled, strict=True):
        check_png(content, size=32)
        with Image.open(io.BytesIO(content)) as image:
            steps = np.asarray(image, float) - slice_ / 2.5 * 65535
        assert np.abs(steps).max() <= 1.5


def test_every_condition_changes_the_image(call):
    for name, values in ROWS.items():
        others = {n: np.repeat(v[:1], 3, axis=0) for n, v in ROWS.items()}
        others[name] = values
        if name == "position_mm":
            others[name] = np.array([12, -40, 50], np.float32)
        found = call("generate", {"seed": np.zeros(3, int), **others})["suvr"]
        assert np.isfinite(found).all()
        assert np.ptp(found, axis=0).max() > 1e-3


def test_names_types_and_shapes(conditional_models):
    folder = conditional_models / "conditional" / "1"
    loaded = tf.saved_model.load(str(folder))
    asked = {
        "stage": ([None, 3], tf.float32),
        "plane": ([None], tf.string),
        "position_mm": ([None], tf.float32),
        "age": ([None], tf.float32),
        "sex": ([None], tf.string),
    }
    seed = {"seed": ([None], tf.int64)}
    latent = {"latent": ([None, 6], tf.float32)}
    expected = {
        "serving_default": (latent | asked, {"image", "status"}),
        "generate": (seed | asked, {"suvr", "status"}),
        "generate_png": (seed | asked, {"image_bytes", "status"}),
        "describe": (seed, {"facts_bytes"}),
    }
    assert set(loaded.signatures) == set(expected)
    for name, (inputs, outputs) in expected.items():
        signature = loaded.signatures[name]
        specs = {
            key: tf.TensorSpec(shape, kind, name=key)
            for key, (shape, kind) in inputs.items()
        }
        assert signature.structured_input_signature[1] == specs
        assert set(signature.structured_outputs) == outputs


def test_only_the_conditions_of_a_model_are_inputs(tmp_path):
    generator = toy_asked.lively_generator(toy_asked.FEW)
    facts = dict(vars(toy_asked.FACTS), plane="coronal")
    export_model(
        generator,
        tmp_path / "1",
        facts=type(toy_asked.FACTS)(**facts),
        verbose=False,
    )
    assert ModelInfo.read(tmp_path / "1").name == "conditional_coronal"
    call = folder_call(tmp_path / "1")
    stage = np.array([[1, 0, 0], [0, 0.5, 0.5]], np.float32)
    position = np.array([0, 0], np.float32)
    asked = {"stage": stage, "position_mm": position}
    found = call("generate", {"seed": SEEDS[:2], **asked})
    assert found["status"].tolist() == [
        b"",
        b"expected a stage that was trained on, of NC, AD",
    ]
    with pytest.raises(Refused):
        call("generate", {"seed": SEEDS[:2], "plane": ROWS["plane"], **asked})


def test_a_seed_has_one_latent_whatever_is_asked_for(call):
    """And so would be the same brain, as far as the model holds that."""
    at = {name: np.repeat(v[:1], 2, axis=0) for name, v in ROWS.items()}
    at["stage"] = np.array([[1, 0, 0], [0, 0, 1]], np.float32)
    latents = latents_from_seeds([8, 8], toy_asked.LATENT_DIM).numpy()
    by_seed = call("generate", {"seed": np.array([8, 8]), **at})["suvr"]
    image = call("serving_default", {"latent": latents, **at})["image"]
    np.testing.assert_allclose(by_seed, (image[..., 0] + 1) * 1.25, atol=1e-5)
    assert np.abs(by_seed[0] - by_seed[1]).max() > 1e-3


# --- rows that are refused ----------------------------------------------------

NAN, INF = np.nan, np.inf
BAD = [
    *(("stage", bad, "weights") for bad in ([0.5, 0.4, 0], [0, 0, 0])),
    *(("stage", bad, "weights") for bad in ([NAN, 0, 1], [INF, 0, 0])),
    *(("stage", bad, "weights") for bad in ([-0.5, 0.5, 1], [1, 1, 1])),
    ("stage", [1.002, 0, 0], "weights"),
    *(("plane", bad, "plane") for bad in ("sagittal", "AXIAL", "", "axial ")),
    *(("position_mm", bad, "-40 to 50") for bad in (-40.01, 50.1, NAN, INF)),
    *(("age", bad, "55 to 90") for bad in (54.9, 90.5, -2, 0, INF, -INF)),
    *(("sex", bad, "F or M") for bad in ("f", "male", "?")),
]


@pytest.mark.parametrize(("name", "value", "words"), BAD)
def test_a_bad_row_is_refused_and_its_neighbours_are_the_same(
    call, name, value, words
):
    rows = {key: np.repeat(v[:1], 3, axis=0) for key, v in ROWS.items()}
    seeds = np.array([5, 6, 7])
    good = _all_of(call, {"seed": seeds, **rows})
    rows[name] = rows[name].copy()
    rows[name][1] = value
    found = _all_of(call, {"seed": seeds, **rows})
    statuses, suvr, image, pngs = found
    assert words in statuses[1].decode()
    assert statuses[1].decode().isprintable()
    assert np.isnan(suvr[1]).all()
    assert np.isnan(image[1]).all()
    assert pngs[1] == b""
    for before, after in zip(good, found, strict=True):
        for row in (0, 2):
            assert _bytes(before[row]) == _bytes(after[row])


ODD = {
    "stage": [0, 0.5, 1, 0.333, -1, NAN, INF, 1e30, 1e-30],
    "plane": ["axial", "coronal", "sagittal", "", "\x00", "é" * 99],
    "position_mm": [0, -40, 50, 37.3, 37.31, NAN, INF, -INF, 1e38],
    "age": [55, 90, -1, NAN, INF, 91, 1e38],
    "sex": ["F", "M", "", "f", "\n"],
}


@pytest.mark.parametrize("seed", range(20))
def test_whatever_a_row_asks_for_its_neighbours_are_the_same(call, seed):
    random = np.random.default_rng(seed)
    good = call("generate_png", {"seed": SEEDS, **ROWS})
    odd = {name: values.copy() for name, values in ROWS.items()}
    row = random.integers(3)
    for name, values in ODD.items():
        size = 3 if name == "stage" else None
        odd[name][row] = random.choice(np.array(values, object), size)
    found = call("generate_png", {"seed": SEEDS, **odd})
    # refused with words, or drawn
    assert (found["status"][row] == b"") == (found["image_bytes"][row] != b"")
    for other in {0, 1, 2} - {row}:
        assert found["image_bytes"][other] == good["image_bytes"][other]
        assert found["status"][other] == b""


def test_the_ends_of_a_band_and_of_the_ages_are_inside(call):
    rows = {name: np.repeat(v[:1], 4, axis=0) for name, v in ROWS.items()}
    rows["plane"] = np.array(["axial", "axial", "coronal", "coronal"], object)
    rows["position_mm"] = np.array([-40, 50, -60.5, 37.3], np.float32)
    rows["age"] = np.array([55, 90, -1, np.nan], np.float32)
    found = call("generate", {"seed": np.arange(4), **rows})
    assert found["status"].tolist() == [b""] * 4
    # those of the other plane are not
    rows["plane"] = rows["plane"][::-1].copy()
    found = call("generate", {"seed": np.arange(4), **rows})["status"]
    assert [b"coronal" in each or b"axial" in each for each in found] == [
        *(False, True, True, False)
    ]


def test_inputs_of_other_lengths_are_refused_by_name(call):
    for name in ROWS:
        rows = ROWS | {name: ROWS[name][:2]}
        words = rf"{name} of the shape \[n.*\] with as many rows as seed"
        with pytest.raises(Refused, match=words):
            call("generate", {"seed": SEEDS, **rows})
    with pytest.raises(Refused, match=r"stage of the shape \[n, 3\]"):
        call("generate", {"seed": SEEDS, **ROWS, "stage": ROWS["stage"][:, :2]})
    many = {name: np.repeat(v[:1], 65, axis=0) for name, v in ROWS.items()}
    with pytest.raises(Refused, match="n of at most 64"):
        call("generate", {"seed": np.arange(65), **many})
    with pytest.raises(Refused):
        call("generate", {"seed": SEEDS})


def test_a_png_says_its_own_stage_and_plane(call):
    pngs = call("generate_png", {"seed": SEEDS, **ROWS})["image_bytes"]
    texts = []
    for content in pngs:
        with Image.open(io.BytesIO(content)) as image:
            texts.append((image.text["stage"], image.text["plane"]))
            assert image.text["synthetic"] == "true"
    assert texts == [("AD", "axial"), ("mixture", "coronal"), ("NC", "coronal")]


# --- the archive --------------------------------------------------------------


def test_the_same_network_gives_the_same_bytes(generator, tmp_path):
    for number in (1, 2):
        export_model(
            generator,
            tmp_path / str(number),
            facts=toy_asked.FACTS,
            verbose=False,
        )
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_an_archive_of_other_weights_is_noticed(conditional_models, generator):
    folder = conditional_models / "conditional" / "1"
    facts = ModelInfo.read(folder)
    compare_model(generator, folder, facts)
    other = toy_asked.lively_generator()
    # what only one condition reaches
    embedding = other.get_layer("embed").kernel
    changed = embedding.numpy()
    changed[-2:] += 0.5
    embedding.assign(changed)
    with pytest.raises(ValueError, match="images differ by"):
        compare_model(other, folder, facts)


def test_of_the_faster_form_for_a_cpu_too(conditional_models):
    """Its convolutions are ours, and are copied into Keras's own."""
    network = toy_asked.lively_generator()
    plain = generator_of(network)
    kinds = {type(layer).__name__ for layer in plain.layers}
    assert "StridedConv2DTranspose" not in kinds
    assert {"ConditionFeatures", "LabelWeight", "Modulation"} <= kinds
    np.testing.assert_allclose(live(plain), live(network), atol=1e-5)


def test_other_inputs_than_its_conditions_are_refused(generator):
    more = {
        name: keras.Input(tensor.shape[1:], name=name)
        for name, tensor in generator.input.items()
    }
    other = keras.Input([1], name="other")
    level = keras.layers.Reshape([1, 1, 1])(other)
    image = keras.layers.Add()([generator(more), level])
    wrapped = keras.Model(more | {"other": other}, image)
    with pytest.raises(ValueError, match="expected a"):
        generator_of(wrapped)


def _all_of(call, inputs):
    """Statuses, slices, images and PNGs of one request."""
    latents = latents_from_seeds(inputs["seed"], 6).numpy()
    rows = {n: v for n, v in inputs.items() if n != "seed"}
    suvr = call("generate", inputs)
    image = call("serving_default", {"latent": latents, **rows})
    png = call("generate_png", inputs)
    statuses = [each["status"].tolist() for each in (suvr, image, png)]
    assert statuses[0] == statuses[1] == statuses[2]
    return statuses[0], suvr["suvr"], image["image"], png["image_bytes"]


def _bytes(value):
    return value if isinstance(value, bytes) else value.tobytes()
