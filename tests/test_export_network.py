"""Generators without a run: exported as a version, and drawn from."""

import csv
import dataclasses
import json
import shutil

import keras
import numpy as np
import own_networks
import pytest
from own_networks import generator_of
from test_archive import FACTS, lively
from test_same_bytes import files
from test_serving_contract import by_folder, by_session, by_stub

import pet_dcgan
from pet_dcgan.models.sampling import latents_from_seeds, suvr_from_latents
from pet_dcgan.serving.exported_model import ExportedModel
from pet_dcgan.serving.source import opened


@pytest.fixture(scope="module")
def network():
    return generator_of(own_networks.upsampled)


@pytest.fixture(scope="module")
def models(network, tmp_path_factory):
    """A folder of models that has the network twice."""
    folder = tmp_path_factory.mktemp("own") / "models"
    for number in ("1", "2"):
        version = pet_dcgan.export(network, folder, facts=FACTS)
        assert version == folder / "ad" / number
    return folder


# --- export -------------------------------------------------------------------


def test_a_network_gets_a_number_and_a_place_in_the_list(models):
    assert {path.name for path in (models / "ad").iterdir()} == {
        *("1", "2", "MODEL_CARD.md", "metrics.json")
    }
    assert 'name: "ad"' in (models / "models.config").read_text()
    first, second = (files(models / "ad" / number) for number in ("1", "2"))
    card = "assets.extra/MODEL_CARD.md"
    assert first.pop(card) != second.pop(card)  # its version
    assert first == second
    assert len(ExportedModel(models / "ad").load().draw([5])) == 1


def test_its_card_says_that_nothing_was_measured(models):
    card = (models / "ad" / "MODEL_CARD.md").read_text()
    for line in (
        *("| preset | own, trained outside", "| training subjects | not recorded |"),
        *("| training slices | not recorded |", "Not evaluated."),
        *("Not checked.", "| version | 2 |", "**PHANTOM.**"),
        "Generator of a GAN: single axial slices",
    ):
        assert line in card
    found = json.loads((models / "ad" / "metrics.json").read_text())
    assert found == {
        "evaluated": False,
        "phantom": True,
        "plane": "axial",
        "preset": "own",
        "stage": "AD",
    }


def test_a_fitted_dcgan_knows_its_facts(toy_slices, tmp_path):
    model = lively()
    model.facts = None
    model.fit(toy_slices, batch_size=4, epochs=1, verbose=0)
    version = pet_dcgan.export(model, tmp_path / "models")
    facts = ExportedModel(version).facts
    assert (facts.spacing_mm, facts.phantom) == (6.0, True)
    words = [each.encode() for each in model.subjects]
    for content in files(tmp_path / "models").values():
        assert not any(word in content for word in words)


def test_keras_file_of_a_run_or_of_ones_own_is_exported(
    network, make_run, tmp_path, models
):
    own = tmp_path / "own.keras"
    network.save(own)
    loaded = keras.saving.load_model(own)
    version = pet_dcgan.export(loaded, tmp_path / "models", facts=FACTS)
    assert files(version) == files(models / "ad" / "1")
    run = make_run()
    loaded = keras.saving.load_model(run.path / "generator.keras")
    version = pet_dcgan.export(loaded, tmp_path / "run", facts=FACTS)
    weights = "variables/variables.data-00000-of-00001"
    by_run = pet_dcgan.export(run, tmp_path / "by_run")
    assert files(version)[weights] == files(by_run)[weights]


def test_facts_are_for_networks_alone(make_run, tmp_path):
    with pytest.raises(ValueError, match="has its own: leave facts= out"):
        pet_dcgan.export(make_run(), tmp_path / "models", facts=FACTS)
    with pytest.raises(ValueError, match=r"found none: write facts=pet_dcgan"):
        pet_dcgan.export(generator_of(own_networks.styled), tmp_path / "models")
    with pytest.raises(ValueError, match="found str without"):
        pet_dcgan.export("runs/ad", tmp_path / "models", facts=FACTS)
    assert not (tmp_path / "models").exists()


def test_clients_of_the_last_version_are_not_broken(network, models, tmp_path):
    folder = shutil.copytree(models, tmp_path / "models")
    before = files(folder)
    facts = dataclasses.replace(FACTS, spacing_mm=3)
    with pytest.raises(ValueError, match=r"spacing_mm 3\.0 instead of 6\.0"):
        pet_dcgan.export(network, folder, facts=facts)
    assert files(folder) == before


@pytest.mark.parametrize(
    "way",
    [by_folder, by_stub, pytest.param(by_session, marks=pytest.mark.slow)],
    ids=lambda each: each.__name__,
)
def test_it_is_served_as_a_runs_is(way, network, models, tmp_path):
    """With layers that no network of ours has."""
    seeds = np.array([0, 1, 2**40])
    with way(models, tmp_path) as call:
        found = call("generate", {"seed": seeds})["suvr"]
        (facts, *_) = call("describe", {"seed": seeds})["facts_bytes"]
    latents = latents_from_seeds(seeds, network.input_shape[-1])
    expected = suvr_from_latents(network, latents, FACTS.suvr_max)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert json.loads(facts)["preset"] == "own"


# --- generate -----------------------------------------------------------------


def test_a_live_network_gives_the_bytes_of_an_exported_one(
    network, models, tmp_path
):
    for name in ("png", "npy"):
        live, stored = tmp_path / f"live_{name}", tmp_path / f"stored_{name}"
        options = {"count": 3, "seed": 62, "format": name}
        pet_dcgan.generate(network, out=live, facts=FACTS, **options)
        pet_dcgan.generate(models / "ad", out=stored, **options)
        found, expected = files(live), files(stored)
        tables = [each.pop("images.csv").decode() for each in (found, expected)]
        assert found == expected
        assert len(found) == 3
        rows = [list(csv.DictReader(text.splitlines())) for text in tables]
        versions = [{row.pop("model_version") for row in some} for some in rows]
        assert versions == [{"live"}, {"2"}]
        assert rows[0] == rows[1]


def test_a_dcgan_is_drawn_from_by_its_own_facts(tmp_path):
    model = lively()
    table = pet_dcgan.generate(model, count=2, out=tmp_path / "images")
    (first, second) = sorted(table.parent.glob("phantom_ad_*.png"))
    assert first.read_bytes() != second.read_bytes()


def test_a_batch_goes_on_with_the_same_weights_alone(tmp_path):
    out, model = tmp_path / "images", lively()

    class Stopped(Exception):  # noqa: N818
        pass

    def stop(done, count):
        raise Stopped

    with pytest.raises(Stopped):
        pet_dcgan.generate(model, count=70, out=out, progress=stop)
    weights = model.generator.get_weights()
    model.generator.set_weights([0.7 * each for each in weights])
    with pytest.raises(FileExistsError, match="live of ad draws others now"):
        pet_dcgan.generate(model, count=70, out=out)
    model.generator.set_weights(weights)
    calls = []
    pet_dcgan.generate(
        model, count=70, out=out, progress=lambda *done: calls.append(done)
    )
    assert calls == [(70, 70)]


@pytest.mark.parametrize(
    ("given", "facts", "words"),
    [
        ("models", FACTS, "facts= with a network alone, found it with"),
        (generator_of(own_networks.styled), None, "found none: write facts="),
        (None, FACTS, "found NoneType without"),
        (3, FACTS, "found int without"),
    ],
)
def test_what_cannot_be_drawn_from_is_refused(given, facts, words, tmp_path):
    out = tmp_path / "images"
    with pytest.raises(ValueError, match=words) as error:
        pet_dcgan.generate(given, count=1, out=out, facts=facts)
    assert str(error.value).isprintable()
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_exported_before_it_is_drawn_from(make_run, tmp_path):
    with pytest.raises(ValueError, match=r"export it with pet_dcgan\.export"):
        pet_dcgan.generate(make_run(), count=1, out=tmp_path / "images")


def test_every_kind_of_model_is_opened_in_one_place(models, stub, network):
    url = f"{stub.url}/v1/models/ad"
    for given, facts, version in (
        *((models / "ad", None, "2"), (str(models / "ad" / "1"), None, "1")),
        *((url, None, "2"), (network, FACTS, "live")),
    ):
        with opened(given, facts=facts) as model:
            assert model.version == version
            assert len(model.draw(np.arange(3))) == 3
    assert not model.path.exists()
