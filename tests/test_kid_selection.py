import csv
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.features.train_encoder import train_encoder
from pet_dcgan.metrics.distribution import Kid, kid
from pet_dcgan.models.dcgan import build_dcgan
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.runs import run_encoder
from pet_dcgan.runs.run import Run
from pet_dcgan.runs.selection_log import (
    ended_early,
    evaluations_without_improvement,
    generator_facts,
    read_evaluations,
)
from pet_dcgan.training import callbacks, kid_selection
from pet_dcgan.training.kid_selection import KidSelection
from pet_dcgan.training.train import train

REAL = np.random.default_rng(0).uniform(0, 2.5, [8, 32, 32])


class Pooled:
    """Images to means of 8x8 blocks, in place of an encoder."""

    def features(self, images):
        blocks = np.asarray(images).reshape(len(images), 4, 8, 4, 8)
        return blocks.mean((2, 4)).reshape(len(images), 16)


class Network:
    """A generator of one weight: the epochs it was trained for."""

    epochs = 0

    def get_weights(self):
        return [np.array([self.epochs])]


@pytest.fixture
def found(monkeypatch):
    """`found(0.5, 0.3, ...)`: the KIDs of the evaluations to come."""

    def find(*values):
        kids = iter([Kid(value, 0.01) for value in values])
        monkeypatch.setattr(kid_selection, "kid", lambda *_, **__: next(kids))

    return find


@pytest.fixture
def selection(tmp_path, tiny_config, monkeypatch):
    """`selection(3, **settings)`: after three epochs."""

    def select(count, *, first=0, subjects="aabbccdd", **settings):
        callback = KidSelection(
            tmp_path,
            config=tiny_config(**{"epochs": 20, "select_every": 1} | settings),
            encoder=Pooled(),
            real=REAL,
            subjects=np.array([*subjects]),
        )
        network = Network()
        callback.set_model(
            SimpleNamespace(sampler_network=network, stop_training=False)
        )
        callback.on_train_begin()
        for epoch in range(first, count):
            network.epochs = epoch + 1
            callback.on_epoch_end(epoch, {})
            if callback.model.stop_training:
                break
        return callback

    monkeypatch.setattr(
        kid_selection, "synthetic_slices", lambda *_, **__: REAL
    )
    return select


def kept(path):
    return sorted(p.name for p in (path / "checkpoint").glob("best_*"))


def test_evaluations_come_when_due_and_at_the_end(selection, found, tmp_path):
    found(0.5, 0.4, 0.6)
    selection(5, select_every=2, epochs=5)
    rows = read_evaluations(tmp_path / "selection.csv")
    assert [(row.epoch, row.val_kid) for row in rows] == [
        (2, 0.5),
        (4, 0.4),
        (5, 0.6),
    ]


def test_the_log_gets_the_value_of_an_evaluation(selection, found):
    found(0.25)
    callback = selection(0, select_every=2)
    logs = {}
    callback.on_epoch_end(0, logs)
    assert logs == {}
    callback.on_epoch_end(1, logs)
    assert logs == {"val_kid": 0.25}


@pytest.mark.parametrize(
    ("patience", "count", "ends"),
    [(0, 5, 0), (3, 3, 0), (3, 4, 1), (4, 4, 0), (4, 5, 1)],
)
def test_evaluations_without_improvement_end_a_training(
    selection, found, tmp_path, capsys, patience, count, ends
):
    found(0.3, 0.4, 0.3, 0.5, 0.35)  # as low again is no better
    callback = selection(count, patience=patience)
    assert bool(callback.model.stop_training) == ends
    assert evaluations_without_improvement(callback.evaluations) == count - 1
    # and for a part that resumes
    assert ended_early(tmp_path, epoch=count, patience=patience) == ends
    message = f"stopped after epoch {count} of 20"
    assert (message in capsys.readouterr().err) == ends


@pytest.mark.parametrize(("last", "ends"), [(0.2999, 0), (0.3, 1), (0.3001, 1)])
def test_only_a_lower_kid_is_better(selection, found, last, ends):
    found(0.3, 0.4, 0.4, last)
    assert bool(selection(4, patience=3).model.stop_training) == ends


def test_a_training_at_its_end_ends_no_earlier(selection, found, capsys):
    found(0.3, 0.4, 0.4)
    callback = selection(3, patience=2, epochs=3)
    assert not callback.model.stop_training
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("values", "epochs"),
    [
        ((0.9, 0.8, 0.7, 0.6, 0.5, 0.4), (3, 4, 5, 6)),
        # an old best is kept until a better one is settled
        ((0.5, 0.2, 0.3, 0.3, 0.3, 0.3, 0.1), (2, 7)),
    ],
)
def test_what_any_state_to_resume_from_needs_is_kept(
    selection, found, tmp_path, values, epochs
):
    found(*values)
    selection(len(values))
    assert kept(tmp_path) == [f"best_000{epoch}.npz" for epoch in epochs]


def test_a_resumed_part_forgets_what_it_repeats(selection, found, tmp_path):
    found(0.5, 0.4, 0.1)
    selection(3)
    # the state of epoch 2 is the last whole one, and epoch 3 differs now
    found(0.45, 0.3)
    selection(4, first=2)
    rows = read_evaluations(tmp_path / "selection.csv")
    assert [row.val_kid for row in rows] == [0.5, 0.4, 0.45, 0.3]
    assert generator_facts(tmp_path, epochs=4)["epoch"] == 4
    with np.load(tmp_path / "checkpoint" / "best_0004.npz") as weights:
        assert weights["weight_0"] == [4]


def test_the_kid_is_of_the_moving_average_and_real_slices(
    tmp_path, tiny_config, monkeypatch
):
    monkeypatch.setattr(kid_selection, "SYNTHETIC", 16)
    config = tiny_config(select_every=1, ema_decay=0.9, seed=3)
    model = build_dcgan(config)
    model.average.weights[0].assign_add(tf.ones_like(model.average.weights[0]))
    subjects = np.repeat(list("abcd"), 2)
    callback = KidSelection(
        tmp_path, config=config, encoder=Pooled(), real=REAL, subjects=subjects
    )
    callback.set_model(model)
    callback.on_epoch_end(0)
    seeds = 2**40 + 3 * 16 + np.arange(16)
    images = synthetic_slices(model.average, seeds, suvr_max=2.5)
    features = Pooled().features
    expected = kid(features(REAL), features(images), subjects=subjects)
    (found,) = callback.evaluations
    assert (found.val_kid, found.standard_error) == tuple(expected)


@pytest.mark.parametrize("seed", [0, 3])
def test_the_images_are_of_the_same_256_seeds(selection, seed):
    seeds = selection(0, seed=seed).seeds
    assert len(seeds) == 256
    assert seeds[0] == 2**40 + 256 * seed


@pytest.mark.parametrize(
    ("subjects", "known"), [("aaabbbcc", False), ("aabbccdd", True)]
)
def test_four_validation_subjects_have_an_error_of_their_own(
    selection, subjects, known
):
    callback = selection(0, subjects=subjects)
    assert (callback.subjects is not None) is known


class TestWholeRuns:
    """Trainings of a few epochs, with KIDs that are made up."""

    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch):
        def briefly(images, **options):
            return train_encoder(images, steps=2, **options)

        monkeypatch.setattr(run_encoder, "train_encoder", briefly)
        monkeypatch.setattr(kid_selection, "SYNTHETIC", 16)

    @pytest.fixture
    def weights(self, tmp_path, tiny_config):
        """`weights(name, **settings)`: of `generator.keras` of a whole run."""

        def run(name, resume=False, **settings):
            config = tiny_config(select_every=1, **settings)
            done = train(config, tmp_path / name, resume=resume, verbose=0)
            return done.load_generator().get_weights()

        return run

    def test_the_generator_is_the_one_of_the_best_epoch(
        self, weights, found, tmp_path, capsys
    ):
        found(0.5, 0.2, 0.4)
        chosen = weights("chosen", epochs=3)
        assert "kept the generator of epoch 2: KID on validation subjects " in (
            capsys.readouterr().err
        )
        with np.load(tmp_path / "chosen/checkpoint/best_0002.npz") as best:
            for index, array in enumerate(chosen):
                np.testing.assert_array_equal(array, best[f"weight_{index}"])
        with np.load(tmp_path / "chosen/checkpoint/state_0002.npz") as state:
            np.testing.assert_array_equal(chosen[0], state["generator_0"])
        assert (tmp_path / "chosen" / "encoder" / "encoder.npz").is_file()
        with (tmp_path / "chosen" / "log.csv").open(newline="") as file:
            kids = [row["val_kid"] for row in csv.DictReader(file)]
        assert kids == ["0.5", "0.2", "0.4"]

    def test_a_stopped_run_chooses_the_same_generator(
        self, weights, tmp_path, monkeypatch
    ):
        options = {"epochs": 3, "ema_decay": 0.9}
        straight = weights("straight", **options)
        write = kid_selection.write_evaluations

        def stop(path, evaluations, **facts):
            if evaluations[-1].epoch == 2:
                raise KeyboardInterrupt
            write(path, evaluations, **facts)

        with monkeypatch.context() as patch:
            patch.setattr(kid_selection, "write_evaluations", stop)
            with pytest.raises(KeyboardInterrupt):
                weights("stopped", **options)
        resumed = weights("stopped", resume=True, **options)
        for a, b in zip(straight, resumed, strict=True):
            np.testing.assert_array_equal(a, b)
        logs = [
            (tmp_path / name / "selection.csv").read_bytes()
            for name in ("straight", "stopped")
        ]
        assert logs[0] == logs[1]

    def test_a_run_that_had_ended_early_does_not_go_on(
        self, weights, found, tmp_path, monkeypatch
    ):
        options = {"epochs": 9, "patience": 1}

        def full(self, model):
            raise OSError(28, "No space left on device")

        found(0.2, 0.3)
        with monkeypatch.context() as patch:
            patch.setattr(Run, "save_generator", full)
            with pytest.raises(OSError, match="No space left"):
                weights("ad", **options)
        found()  # a further evaluation would fail
        best = tmp_path / "ad" / "checkpoint" / "best_0001.npz"
        best.rename(tmp_path / "best")
        with pytest.raises(FileNotFoundError, match=r"is missing, .*resume"):
            weights("ad", resume=True, **options)
        (tmp_path / "best").rename(best)
        weights("ad", resume=True, **options)
        rows = read_evaluations(tmp_path / "ad" / "selection.csv")
        assert [row.epoch for row in rows] == [1, 2]

    def test_without_validation_subjects_the_last_one_is_kept(
        self, weights, monkeypatch, capsys, tmp_path
    ):
        def none(config):
            raise ValueError("none of that stage")

        monkeypatch.setattr(callbacks, "load_validation_slices", none)
        weights("ad", epochs=1)
        assert "no validation subjects of AD" in capsys.readouterr().err
        assert not (tmp_path / "ad" / "selection.csv").exists()
