"""From a notebook's own model to a run, a report and a SavedModel."""

import csv
import dataclasses
import os

import keras
import numpy as np
import pytest
from toy_model import make_config
from toy_networks import own_generator

from pet_dcgan.config import TrainConfig
from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.data.prepared_set import load_slices
from pet_dcgan.data.training_data import load_training_slices
from pet_dcgan.evaluation.evaluate import evaluate
from pet_dcgan.evaluation.training_curves import plot_run
from pet_dcgan.models.bending import Bender
from pet_dcgan.models.configured_dcgan import build_dcgan
from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.models.networks import build_generator
from pet_dcgan.runs.given import as_run
from pet_dcgan.runs.run import Run
from pet_dcgan.serving.export import export_run
from pet_dcgan.study.generators import GeneratorSpec, describe
from pet_dcgan.training.train import train


@pytest.fixture(scope="module")
def config(toy_set):
    return make_config(toy_set, epochs=3, ema_decay=0.9, bend_mm=1.5, seed=5)


@pytest.fixture(scope="module")
def slices(config):
    return load_training_slices(config)


@pytest.fixture(scope="module")
def model(config, slices):
    """A DCGAN that a notebook has fitted."""
    model = build_dcgan(config)
    model.fit(slices, batch_size=4, epochs=3, verbose=0)
    return model


@pytest.fixture
def run(model, slices, tmp_path):
    return Run.of_model(tmp_path / "secret" / "mine", model, slices)


def log_rows(run):
    with (run.path / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_three_lines(model, slices, tmp_path):
    run = Run.of_model(tmp_path / "mine", model, slices)
    metrics = evaluate(run, count=8, search=8)
    version = export_run(run, tmp_path / "models", allow_copies=True)
    assert metrics["preset"] == "own"
    assert metrics["training"]["generator"] == {
        "epoch": None,
        "chosen_by": "user",
    }
    # validation subjects may have chosen it: they are no strangers to it
    assert metrics["membership"]["held_out_subjects"] == 2
    page = (run.evaluation / "report.html").read_text()
    assert "trained outside of train()" in page
    assert "None" not in page.split("<dl>")[1].split("</dl>")[0]
    assert (run.evaluation / "training.png").is_file()  # of the History
    card = (version.parent / "MODEL_CARD.md").read_text()
    assert "| preset | own, trained outside of train() |" in card


def test_the_run_holds_what_the_model_shows_and_no_more(model, run, config):
    assert sorted(os.listdir(run.path)) == [
        *("SHA256SUMS", "config.json", "generator.keras", "log.csv"),
        *("networks.json", "subjects.csv"),
    ]
    found = Run.open(run.path)
    assert found.finished
    assert found.config == run.config
    known = {
        name: value
        for name, value in vars(found.config).items()
        if value is not None and name != "preset"
    }
    assert known == {name: getattr(config, name) for name in known}
    assert set(vars(config)) - set(known) == {
        *("preset", "width", "kernel_size", "batch_size"),
        *("g_learning_rate", "d_learning_rate", "beta_1", "beta_2"),
        *("samples_every", "select_every", "patience"),
        *("precision", "xla", "deterministic"),
    }
    latents = np.ones([2, 6], np.float32)
    np.testing.assert_array_equal(
        found.load_generator()(latents), model.sampler_network(latents)
    )
    assert found.subjects == ["999_S_3000", "999_S_3001", "999_S_3002"]


def test_bends_that_train_would_not_take_are_left_open(model, slices, tmp_path):
    networks = model.generator, model.discriminator
    bent = DCGAN(*networks, bender=Bender(2.0, 4.0))  # of 12 mm
    run = Run.of_model(tmp_path / "mine", bent, slices)
    assert Run.open(run.path).config.bend_mm is None


def test_the_log_is_what_the_last_fit_recorded(model, run):
    rows = log_rows(run)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    for name, values in model.history.history.items():
        assert [float(row[name]) for row in rows] == pytest.approx(values)
    assert {row["phantom"] for row in rows} == {"true"}
    assert len(plot_run(run)) == 2
    assert "3 of 3" in run._repr_html_()


def test_the_epochs_of_a_part_are_not_taken_for_all(config, slices, tmp_path):
    model = build_dcgan(config)
    for _ in range(2):
        model.fit(slices, batch_size=4, epochs=1, verbose=0)
    run = Run.of_model(tmp_path / "a", model, slices)
    assert run.config.epochs is None
    assert "1 of an unknown number" in run._repr_html_()
    model.fit(slices, batch_size=4, initial_epoch=2, epochs=3, verbose=0)
    again = Run.of_model(tmp_path / "b", model, slices)
    assert again.config.epochs == 3
    assert [row["epoch"] for row in log_rows(again)] == ["3"]


@pytest.mark.parametrize("make", [own_generator, None], ids=["own", "ours"])
def test_any_generator_will_do(config, slices, tmp_path, make):
    network = (
        make(config)
        if make
        else build_generator(size=32, channels=3, latent_dim=9, width=4)
    )
    run = Run.of_model(tmp_path / "mine", network, slices)
    assert not (run.path / "log.csv").exists()
    assert run.config.seed == 0
    assert run.config.ema_decay is run.config.epochs is None
    opened = Run.open(run.path)
    latents = np.ones([2, network.input_shape[-1]], np.float32)
    np.testing.assert_allclose(
        opened.load_generator()(latents), network(latents), atol=1e-6
    )
    study = describe(
        opened, GeneratorSpec(0, 0, 100, "axial", "AD"), given=True
    )
    assert (study["preset"], study["epoch"]) == ("own", None)


def test_evaluate_takes_a_model(model, slices, tmp_path):
    options = {"slices": slices, "out": tmp_path / "mine"}
    metrics = evaluate(model, **options, count=8, search=8)
    assert Run.open(tmp_path / "mine").metrics() == metrics
    with pytest.raises(FileExistsError, match="to be free"):
        evaluate(model, **options)


def test_what_else_is_given_is_a_run_or_its_folder(model, slices, run):
    assert as_run(run) is run
    assert as_run(str(run.path)).config == run.config
    for options, words in (
        ({"slices": slices}, "expected out= with a model"),
        ({"out": "x"}, "expected slices= with a model"),
        ({}, "expected slices= and out= with a model"),
    ):
        with pytest.raises(ValueError, match=words):
            as_run(model, **options)
    with pytest.raises(ValueError, match="expected out= with a model alone"):
        as_run(run, out="x")


class TestLeaks:
    def test_held_out_subjects(self, config, model, tmp_path):
        for split in ("validation", "test"):
            held_out = load_slices(
                config.data_dir,
                config.dataset,
                split=split,
                stage="AD",
                plane="axial",
            )
            network = own_generator(config)
            with pytest.raises(DataLeakageError, match="999_S_300"):
                Run.of_model(tmp_path / "mine", network, held_out)
        assert not list(tmp_path.iterdir())

    def test_subjects_that_the_slices_lack(self, config, model, tmp_path):
        some = load_training_slices(config, subjects={"999_S_3001"})
        with pytest.raises(
            DataLeakageError, match="found none of 2: 999_S_3000, 999_S_3002"
        ) as caught:
            Run.of_model(tmp_path / "mine", model, some)
        assert "\n" not in str(caught.value)

    def test_subjects_that_a_fit_was_measured_by(
        self, config, slices, tmp_path
    ):
        held_out = {
            split: load_slices(
                config.data_dir,
                config.dataset,
                split=split,
                stage="AD",
                plane="axial",
            )
            for split in ("validation", "test")
        }
        model = build_dcgan(config)
        options = {"batch_size": 4, "epochs": 1, "verbose": 0}
        model.fit(slices, validation_data=held_out["validation"], **options)
        assert Run.of_model(tmp_path / "a", model, slices).finished
        model.fit(slices, validation_data=held_out["test"], **options)
        with pytest.raises(DataLeakageError, match="2: 999_S_3004"):
            Run.of_model(tmp_path / "b", model, slices)

    def test_a_fit_that_was_refused_is_not_remembered(self, config, slices):
        model = build_dcgan(config)
        with pytest.raises(DataLeakageError, match="999_S_3000"):
            model.fit(slices, validation_data=slices, verbose=0)
        assert not model.subjects | model.measured_by

    def test_own_validation_subjects(self, config, slices, tmp_path):
        network = own_generator(config)
        with pytest.raises(DataLeakageError, match="999_S_3001"):
            Run.of_model(
                tmp_path / "a", network, slices, validation={"999_S_3001"}
            )
        with pytest.raises(TypeError, match="found one text"):
            Run.of_model(
                tmp_path / "a", network, slices, validation="999_S_3003"
            )
        run = Run.of_model(
            tmp_path / "b", network, slices, validation={"999_S_3003"}
        )
        assert Run.open(run.path).validation == ["999_S_3003"]

    def test_test_subjects_beside_own_validation_subjects(
        self, config, slices, tmp_path
    ):
        test = load_slices(
            config.data_dir,
            config.dataset,
            split="test",
            stage="AD",
            plane="axial",
        )
        for trained_on, chosen_by in (
            (test, {"999_S_3003"}),
            (slices, set(test.subjects)),
        ):
            with pytest.raises(DataLeakageError, match="999_S_3004"):
                Run.of_model(
                    tmp_path / "mine",
                    own_generator(config),
                    trained_on,
                    validation=chosen_by,
                )


@keras.saving.register_keras_serializable(package="toy")
class Forgetful(keras.layers.Layer):
    """Without what it was made with in its configuration."""

    def __init__(self, factor, **options):
        super().__init__(**options)
        self.factor = factor

    def call(self, images):
        return images * self.factor

    def get_config(self):
        return {"name": self.name}


def test_what_could_not_be_opened_is_not_made(config, slices, tmp_path):
    diverged = own_generator(config)
    diverged.set_weights([x * np.nan for x in diverged.get_weights()])
    inner = own_generator(config)
    images = Forgetful(0.5)(inner.output)
    for network, words in (
        (diverged, "expected finite weights"),
        (keras.Model(inner.input, images), "let get_config"),
    ):
        with pytest.raises(ValueError, match=words) as caught:
            Run.of_model(tmp_path / "mine", network, slices)
        assert "\n" not in str(caught.value)
    for no_slices in (slices.images, str(tmp_path)):
        with pytest.raises(TypeError, match="load_training_slices"):
            Run.of_model(tmp_path / "mine", inner, no_slices)
    assert not list(tmp_path.iterdir())


def test_a_run_without_its_generator_is_made_again(run, config):
    (run.path / "generator.keras").unlink()
    with pytest.raises(FileNotFoundError, match="again from its model"):
        Run.open(run.path).load_generator()
    # nor does train go on with it
    with pytest.raises(ValueError, match="found one of a model"):
        train(config, run.path, resume=True, verbose=0)


def test_what_does_not_fit_is_refused(config, model, slices, tmp_path):
    small = keras.Sequential([keras.Input([6]), keras.layers.Dense(4)])
    with pytest.raises(ValueError, match="expected"):
        Run.of_model(tmp_path / "mine", small, slices)
    other = build_generator(size=64, channels=1, width=4)
    with pytest.raises(ValueError, match="expected a generator from"):
        Run.of_model(tmp_path / "mine", other, slices)

    class Subclassed(keras.Model):
        pass

    with pytest.raises(ValueError, match="functional or Sequential"):
        Run.of_model(tmp_path / "mine", Subclassed(), slices)
    colder = build_dcgan(config)
    colder.facts = None
    assert Run.of_model(tmp_path / "mine", colder, slices).finished
    colder.facts = dataclasses.replace(slices.facts, stage="NC")
    with pytest.raises(ValueError, match="expected slices of ImageFacts"):
        Run.of_model(tmp_path / "other", colder, slices)


def test_it_is_whole_or_not_there(model, slices, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pet_dcgan.runs.model_run.write_generator", full)
    with pytest.raises(OSError, match="No space"):
        Run.of_model(tmp_path / "mine", model, slices)
    assert not list(tmp_path.iterdir())


def test_it_is_neither_resumed_nor_trained_again(run, tmp_path):
    for options in ({}, {"resume": True}):
        with pytest.raises(ValueError, match="make them with resolve_config"):
            train(run.config, tmp_path / "x", **options, verbose=0)


def test_only_such_a_configuration_leaves_settings_open(config):
    open_ = dict(vars(config)) | {"width": None}
    with pytest.raises(ValueError, match="width"):
        TrainConfig(**open_)
    assert TrainConfig(**open_ | {"preset": "own"}).width is None
    for name in ("size", "latent_dim", "channels", "seed", "phantom"):
        with pytest.raises(ValueError, match=name):
            TrainConfig(**open_ | {"preset": "own", name: None})


def test_a_damaged_generator_is_made_again_from_its_model(run):
    path = run.path / "generator.keras"
    path.write_bytes(b"PK half" + bytes(path.stat().st_size))
    with pytest.raises(ValueError, match="make the run again from its model"):
        run.load_generator()
