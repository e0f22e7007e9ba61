"""A generator of volumes as a served archive, and what it says of itself."""

import json

import numpy as np
import pytest
import tensorflow as tf
import toy_volumes
from toy_volume_models import (
    LATENT_DIM,
    SIZE,
    TEMPLATE,
    right_sided,
    volume_facts,
    volume_generator,
)

import pet_dcgan
from pet_dcgan.conditions import Conditions
from pet_dcgan.metrics.cuts import three_plane
from pet_dcgan.models.condition_values import checked_values
from pet_dcgan.models.model_info import SIGNATURES, ModelInfo
from pet_dcgan.models.sampling import latents_from_seeds
from pet_dcgan.models.volume_views import sheets, voxel_rows
from pet_dcgan.runs import model_run
from pet_dcgan.serving.compatibility import check_compatible
from pet_dcgan.serving.exported_model import ExportedModel

SEEDS = np.array([0, 77, 2**40])
STAGES = np.array([[0, 0, 1], [1, 0, 0], [0.25, 0.25, 0.5]], np.float32)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """`conditional_volume` and `ad_volume`."""
    folder = tmp_path_factory.mktemp("volumes") / "models"
    facts = volume_facts()
    pet_dcgan.export(volume_generator(), folder, facts=facts)
    single = volume_generator(conditions=None)
    pet_dcgan.export(single, folder, facts=volume_facts(stage="AD"))
    return folder


@pytest.fixture(scope="module")
def call(models):
    loaded = tf.saved_model.load(str(models / "conditional_volume" / "1"))
    return lambda name, **given: {
        output: values.numpy()
        for output, values in loaded.signatures[name](
            **{n: tf.constant(each) for n, each in given.items()}
        ).items()
    }


@pytest.fixture(scope="module")
def suvr():
    """What the live network draws `[3, 32, 32, 32]`."""
    latent = latents_from_seeds(SEEDS, LATENT_DIM)
    stage = tf.constant(STAGES)
    images = volume_generator()({"latent": latent, "stage": stage})
    return (images.numpy() + 1) * 1.25


def pixels(png):
    return tf.io.decode_png(png, dtype=tf.uint16).numpy()[..., 0]


def steps(suvr):
    return np.clip(suvr / 2.5, 0, 1) * 65535


def facts_with_people(**asked):
    """A model of volumes that knows ages and sexes, and what it is asked."""
    conditions = Conditions(
        names=("stage", "age", "sex"),
        bands_mm={"volume": (0.0, 0.0)},
        ages=(55.0, 90.0),
    )
    facts = ModelInfo(
        stage="ALL",
        plane="volume",
        size=32,
        channels=32,
        latent_dim=6,
        spacing_mm=7.0,
        suvr_max=2.5,
        reference="brain",
        preset="own",
        phantom=True,
        made_by="test",
        max_rows=3,
        conditions=conditions.to_dict(),
    )
    return facts, checked_values(conditions, stage="NC", **asked)


# --- views --------------------------------------------------------------------


def test_a_sheet_is_that_of_the_metrics():
    volumes = np.random.default_rng(0).random((2, 8, 8, 8), np.float32)
    found = sheets(tf.constant(volumes)).numpy()
    assert found.shape == (2, 8, 24)
    np.testing.assert_array_equal(found, three_plane(volumes))


def test_rows_of_voxels_are_the_volume():
    volumes = np.random.default_rng(0).random((2, 8, 8, 8), np.float32)
    found = voxel_rows(tf.constant(volumes)).numpy()
    assert found.shape == (2, 64, 8)
    np.testing.assert_array_equal(found.reshape(2, 8, 8, 8), volumes)
    # x = 1, y = 2, z = 3
    assert found[0, 1 * 8 + 2, 3] == volumes[0, 1, 2, 3]


# --- what is exported ---------------------------------------------------------


def test_models_are_named_by_stage_and_volume(models):
    names = sorted(path.name for path in models.iterdir())
    assert names == ["ad_volume", "conditional_volume", "models.config"]
    assert "/models/ad_volume" in (models / "models.config").read_text()


def test_every_signature_answers_as_the_live_network(call, suvr):
    asked = {"seed": SEEDS, "stage": STAGES}
    found = call("generate", **asked)
    assert found["suvr"].shape == (3, SIZE, SIZE, SIZE)
    np.testing.assert_allclose(found["suvr"], suvr, atol=1e-5)
    assert list(found["status"]) == [b""] * 3
    latent = latents_from_seeds(SEEDS, LATENT_DIM).numpy()
    found = call("serving_default", latent=latent, stage=STAGES)
    np.testing.assert_allclose((found["image"] + 1) * 1.25, suvr, atol=1e-5)
    found = call("generate_png", **asked)
    for png, volume in zip(found["image_bytes"], suvr, strict=True):
        sheet = three_plane(volume[np.newaxis])[0]
        assert np.abs(pixels(png) - steps(sheet)).max() <= 1.5
    found = call("generate_voxels", **asked)
    for png, volume in zip(found["image_bytes"], suvr, strict=True):
        stored = pixels(png).reshape(SIZE, SIZE, SIZE)
        assert np.abs(stored - steps(volume)).max() <= 1.5


def test_describe_says_what_a_volume_is(call, models):
    (text,) = call("describe", seed=np.zeros(1, int))["facts_bytes"]
    facts = json.loads(text)
    assert (facts["kind"], facts["plane"]) == ("volume", "volume")
    assert (facts["space"], facts["spacing_mm"]) == ("native", 7.0)
    assert facts["affine"][0] == [7.0, 0.0, 0.0, -112.0]
    assert (facts["size"], facts["channels"], facts["max_rows"]) == (32, 32, 3)
    assert "cut" in facts["signatures"]["generate_png"]
    assert set(facts["how_to_ask"]) == {"stage", "status"}
    single = ModelInfo.read(models / "ad_volume" / "1")
    assert single.signatures == (*SIGNATURES, "generate_voxels")
    assert (single.name, single.takes) == ("ad_volume", None)


def test_a_model_of_slices_says_so_too():
    facts = ModelInfo(
        stage="AD",
        plane="axial",
        size=32,
        channels=1,
        latent_dim=6,
        spacing_mm=3.0,
        suvr_max=2.5,
        reference="brain",
        preset="own",
        phantom=True,
        made_by="test",
    )
    assert json.loads(facts.to_json())["kind"] == "slice"
    assert facts.signatures == SIGNATURES
    assert facts.picture_shape("generate_png") == (32, 32)


def test_a_row_out_of_range_is_refused_alone(call):
    stages = STAGES.copy()
    stages[1] = [0.5, 0.0, 0.0]
    asked = {"seed": SEEDS, "stage": stages}
    found = call("generate", **asked)
    assert np.isnan(found["suvr"][1]).all()
    assert np.isfinite(found["suvr"][[0, 2]]).all()
    assert b"sum to 1" in found["status"][1]
    assert call("generate_voxels", **asked)["image_bytes"][1] == b""


def test_more_rows_than_fit_into_an_answer_are_refused(call):
    seeds, stages = np.arange(4), np.tile(STAGES[:1], [4, 1])
    for name in ("generate", "generate_png", "generate_voxels"):
        with pytest.raises(tf.errors.InvalidArgumentError, match="at most 3"):
            call(name, seed=seeds, stage=stages)


def test_the_card_is_of_volumes(models):
    card = (models / "conditional_volume" / "MODEL_CARD.md").read_text()
    assert card.startswith("# conditional_volume: synthetic brain PET volumes")
    assert "| image | 32 x 32 x 32, 7 mm |" in card
    assert "| space | native: the centre of the brain is the origin |" in card
    assert "in no template" in card
    # what is neither in volumes nor measured of them
    for word in ("slices", "Slices", "position", "PSNR"):
        assert word not in card


def test_the_same_network_gives_the_same_bytes(models, tmp_path):
    again = pet_dcgan.export(volume_generator(), tmp_path, facts=volume_facts())
    first = models / "conditional_volume" / "1"
    for path in sorted(first.rglob("*")):
        if path.is_file():
            other = again / path.relative_to(first)
            assert other.read_bytes() == path.read_bytes(), path.name


def test_another_space_would_break_clients(models, tmp_path):
    network = right_sided()
    moved = volume_facts(stage="AD", space=TEMPLATE)
    new = pet_dcgan.export(network, tmp_path / "new", facts=moved)
    last = pet_dcgan.export(
        network, tmp_path / "last", facts=volume_facts(stage="AD")
    )
    with pytest.raises(ValueError, match="space MNI152NLin2009cAsym instead"):
        check_compatible(new, last)
    found = ExportedModel(new).load().facts
    assert found.space == TEMPLATE
    assert json.loads(found.to_json())["affine"][1][3] == -17.5 - 16 * 7


# --- what is refused ----------------------------------------------------------


def test_facts_of_slices_do_not_fit_volumes(tmp_path):
    facts = pet_dcgan.ImageFacts(
        stage="AD", plane="axial", spacing_mm=7, suvr_max=2.5, phantom=True
    )
    with pytest.raises(ValueError, match="of a generator of volumes, found"):
        pet_dcgan.export(right_sided(), tmp_path, facts=facts)


def test_facts_of_volumes_do_not_fit_slices(tmp_path, tiny_model):
    facts = volume_facts(stage="AD")
    with pytest.raises(ValueError, match="of a generator of slices, found"):
        pet_dcgan.export(tiny_model().generator, tmp_path, facts=facts)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"channels": 1}, "expected channels to be 32 of images of the plane"),
        ({"size": 300, "channels": 300}, "expected size to be at most 256"),
        ({"plane": "axial"}, "expected channels to be 1 or 3 of images"),
        # an answer of that many would be a hundred times as large
        ({"max_rows": 4}, "expected max_rows to be at most 3 of volumes"),
        ({"space": "MNI"}, "space"),
    ],
)
def test_a_description_that_contradicts_itself_is_refused(
    models, change, words
):
    facts = ModelInfo.read(models / "ad_volume" / "1")
    values = json.loads(facts.to_json()) | change
    with pytest.raises(ValueError, match=words):
        ModelInfo.from_json(json.dumps(values), source="a test")


# --- of a run -----------------------------------------------------------------


def test_a_run_of_volumes_is_exported_with_its_counts(tmp_path, monkeypatch):
    # the set is not on disk
    for name in ("require_not_held_out", "_require_no_test"):
        monkeypatch.setattr(model_run, name, lambda *_: None)
    model = toy_volumes.volume_model()
    slices = toy_volumes.volume_slices(2)
    run = pet_dcgan.Run.of_model(tmp_path / "secret", model, slices)
    version = pet_dcgan.export(run, tmp_path / "models")
    assert version == tmp_path / "models" / "conditional_volume" / "1"
    card = (version.parent / "MODEL_CARD.md").read_text()
    assert "| training subjects | 6 |" in card
    assert "| preset | own" in card
    metrics = json.loads((version.parent / "metrics.json").read_text())
    assert metrics["evaluated"] is False
    assert metrics["plane"] == "volume"
    for path in (tmp_path / "models").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"secret" not in content, path
            assert not any(name.encode() in content for name in run.subjects)
    table = pet_dcgan.generate(
        version, count=1, stage="MCI", out=tmp_path / "out", bids=True
    )
    assert "sub-syn0000\tMCI\t0\t" in table.read_text()
