import csv

import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.features.train_encoder import train_encoder
from pet_dcgan.metrics.distribution import Kid, kid
from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.models.networks import build_discriminator, build_generator
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.runs import run_encoder
from pet_dcgan.runs.run import Run
from pet_dcgan.runs.selection_log import generator_facts, read_evaluations
from pet_dcgan.training import kid_selection
from pet_dcgan.training.kid_selection import KidSelection, ValidationSlices
from pet_dcgan.training.train import train

REAL = np.random.default_rng(0).uniform(0, 2.5, [8, 32, 32])


def make_averaged():
    shape = {"size": 32, "channels": 1, "width": 4}
    model = DCGAN(
        build_generator(latent_dim=6, **shape),
        build_discriminator(**shape),
        ema_decay=0.9,
    )
    model.compile()
    return model


class Pooled:
    """Images to means of 8x8 blocks, in the place of an encoder."""

    def features(self, images):
        blocks = np.asarray(images).reshape(len(images), 4, 8, 4, 8)
        return blocks.mean((2, 4)).reshape(len(images), 16)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Encoders of two steps, and few images a look."""

    def briefly(images, **options):
        return train_encoder(images, steps=2, **options)

    monkeypatch.setattr(run_encoder, "train_encoder", briefly)
    monkeypatch.setattr(kid_selection, "SYNTHETIC", 16)


@pytest.fixture
def found(monkeypatch):
    """`found(0.5, 0.3, ...)`: what the looks to come find."""

    def find(*values):
        kids = iter([Kid(value, 0.01) for value in values])
        monkeypatch.setattr(KidSelection, "_kid", lambda self: next(kids))

    return find


@pytest.fixture
def selection(tmp_path, tiny_config, tiny_model):
    """`selection(3, **settings)`: three epochs are behind it."""

    def select(behind, *, first=0, model=None, **settings):
        callback = KidSelection(
            tmp_path,
            config=tiny_config(**{"epochs": 20, "select_every": 1} | settings),
            encoder=Pooled(),
            real=ValidationSlices(REAL, np.repeat(list("abcd"), 2)),
        )
        callback.set_model(model or tiny_model())
        callback.on_train_begin()
        for epoch in range(first, behind):
            callback.model.generator.weights[0].assign_add(
                tf.ones_like(callback.model.generator.weights[0])
            )
            callback.on_epoch_end(epoch, {})
            if callback.model.stop_training:
                break
        return callback

    return select


def kept(path):
    return sorted(p.name for p in (path / "checkpoint").glob("best_*"))


def test_looks_come_when_it_is_time_and_at_the_end(selection, found, tmp_path):
    found(0.5, 0.4, 0.6)
    selection(5, select_every=2, epochs=5)
    looks = read_evaluations(tmp_path / "selection.csv")
    assert [look.epoch for look in looks] == [2, 4, 5]
    assert [look.val_kid for look in looks] == [0.5, 0.4, 0.6]


def test_the_best_network_is_that_of_its_epoch(selection, found, tmp_path):
    found(0.5, 0.3, 0.4, 0.35)
    callback = selection(4)
    start = callback.model.generator.weights[0].numpy() - 4
    best = callback.best_network(callback.model)
    np.testing.assert_allclose(best.weights[0].numpy(), start + 2, atol=1e-5)
    assert generator_facts(tmp_path, epochs=4)["epoch"] == 2


def test_it_says_which_epoch_was_kept(selection, found, capsys):
    found(0.5, 0.3, 0.4)
    callback = selection(3)
    callback.best_network(callback.model)
    assert "that of epoch 2: KID on validation subjects 0.3000, standard" in (
        capsys.readouterr().err
    )


def test_the_log_gets_the_value_of_a_look(selection, found):
    found(0.25)
    callback = selection(0, select_every=2)
    logs = {}
    callback.on_epoch_end(0, logs)
    assert logs == {}
    callback.on_epoch_end(1, logs)
    assert logs == {"val_kid": 0.25}


@pytest.mark.parametrize(("patience", "last"), [(0, 6), (2, 4), (3, 5)])
def test_patience_ends_a_training(
    selection, found, tmp_path, capsys, patience, last
):
    found(0.5, 0.3, 0.4, 0.35, 0.3, 0.3)
    callback = selection(6, patience=patience)
    assert read_evaluations(callback.path)[-1].epoch == last
    assert callback.model.stop_training is bool(patience)
    said = capsys.readouterr().err
    assert (f"ends after epoch {last} of 20" in said) is bool(patience)


def test_no_early_end_is_announced_at_the_end(selection, found, capsys):
    found(0.1, 0.2)
    callback = selection(2, patience=1, epochs=2)
    assert not callback.model.stop_training
    assert capsys.readouterr().err == ""


def test_few_files_are_kept_and_always_one_before_the_recent(
    selection, found, tmp_path
):
    found(*np.linspace(1, 0.1, 9))  # each look is better than the last
    selection(9)
    assert kept(tmp_path) == [f"best_000{e}.npz" for e in (6, 7, 8, 9)]


def test_an_old_best_is_kept_until_a_better_one_is_settled(
    selection, found, tmp_path
):
    found(0.5, 0.2, 0.3, 0.3, 0.3, 0.3, 0.1)
    selection(7)
    assert kept(tmp_path) == ["best_0002.npz", "best_0007.npz"]


def test_a_resumed_part_forgets_what_it_repeats(selection, found, tmp_path):
    found(0.5, 0.4, 0.1)
    before = selection(3)
    # the state of epoch 2 is the last whole one, and epoch 3 differs now
    found(0.45, 0.3)
    callback = selection(4, first=2, model=before.model)
    looks = read_evaluations(tmp_path / "selection.csv")
    assert [look.val_kid for look in looks] == [0.5, 0.4, 0.45, 0.3]
    callback.best_network(callback.model)
    assert generator_facts(tmp_path, epochs=4)["epoch"] == 4


def test_a_missing_best_file_is_told(selection, found, tmp_path):
    found(0.5)
    callback = selection(1)
    (tmp_path / "checkpoint" / "best_0001.npz").unlink()
    with pytest.raises(FileNotFoundError, match=r"found no file: go on"):
        callback.best_network(callback.model)


def test_a_look_is_the_kid_of_the_average_against_real_ones(selection):
    model = make_averaged()
    model.average.weights[0].assign_add(tf.ones_like(model.average.weights[0]))
    callback = selection(0, model=model)
    images = synthetic_slices(model.average, callback.seeds, suvr_max=2.5)
    expected = kid(
        Pooled().features(REAL),
        Pooled().features(images),
        subjects=np.repeat(list("abcd"), 2),
    )
    assert callback._kid() == expected


def test_few_validation_subjects_have_the_error_of_slices(
    tmp_path, tiny_config
):
    callback = KidSelection(
        tmp_path,
        config=tiny_config(select_every=1),
        encoder=Pooled(),
        real=ValidationSlices(REAL, np.repeat(list("ab"), 4)),
    )
    assert callback.subjects is None


class TestWholeRuns:
    """Trainings of a few epochs, with looks that are made up."""

    @pytest.fixture
    def weights(self, tmp_path, tiny_config):
        """`weights(name, **settings)`: of `generator.keras` of a whole run."""

        def run(name, resume=False, **settings):
            config = tiny_config(**settings)
            done = train(config, tmp_path / name, resume=resume, verbose=0)
            return done.load_generator().get_weights()

        return run

    def test_the_generator_is_the_one_of_the_best_epoch(
        self, weights, found, tmp_path
    ):
        found(0.5, 0.2, 0.4)
        chosen = weights("chosen", epochs=3, select_every=1)
        found()
        two = weights("two", epochs=2)
        for a, b in zip(chosen, two, strict=True):
            np.testing.assert_array_equal(a, b)
        run = Run.open(tmp_path / "chosen")
        assert generator_facts(run.path, epochs=3)["epoch"] == 2
        assert (run.path / "encoder" / "encoder.npz").is_file()

    def test_the_log_has_a_column_with_gaps(self, weights, found, tmp_path):
        found(0.5)
        weights("ad", epochs=2, select_every=2)
        with (tmp_path / "ad" / "log.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["val_kid"] for row in rows] == ["", "0.5"]

    def test_a_stopped_run_chooses_the_same_generator(
        self, weights, tmp_path, monkeypatch
    ):
        options = {"epochs": 4, "select_every": 1, "ema_decay": 0.9}
        straight = weights("straight", **options)
        write = kid_selection.write_evaluations

        def stop(path, looks, **facts):
            if looks[-1].epoch == 3:
                raise KeyboardInterrupt
            write(path, looks, **facts)

        with monkeypatch.context() as patch:
            patch.setattr(kid_selection, "write_evaluations", stop)
            with pytest.raises(KeyboardInterrupt):
                weights("stopped", **options)
        resumed = weights("stopped", resume=True, **options)
        for a, b in zip(straight, resumed, strict=True):
            np.testing.assert_array_equal(a, b)
        looks = [
            (tmp_path / name / "selection.csv").read_bytes()
            for name in ("straight", "stopped")
        ]
        assert looks[0] == looks[1]

    def test_a_run_that_had_ended_early_does_not_go_on(
        self, weights, found, tmp_path, monkeypatch
    ):
        options = {"epochs": 9, "select_every": 1, "patience": 1}

        def full(self, model):
            raise OSError(28, "No space left on device")

        found(0.2, 0.3)
        with monkeypatch.context() as patch:
            patch.setattr(Run, "save_generator", full)
            with pytest.raises(OSError, match="No space left"):
                weights("ad", **options)
        found()  # a further look would fail
        weights("ad", resume=True, **options)
        looks = read_evaluations(tmp_path / "ad" / "selection.csv")
        assert [look.epoch for look in looks] == [1, 2]

    def test_without_validation_subjects_the_last_one_is_kept(
        self, weights, monkeypatch, capsys, tmp_path
    ):
        def none(config):
            raise ValueError("none of that stage")

        target = "pet_dcgan.training.callback_list.load_validation_slices"
        monkeypatch.setattr(target, none)
        weights("ad", epochs=1, select_every=1)
        assert "no validation subjects of AD" in capsys.readouterr().err
        assert not (tmp_path / "ad" / "selection.csv").exists()
