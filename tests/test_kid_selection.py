import csv
import io
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.backend.event_processing import plugin_event_accumulator
from tensorboard.util import tensor_util
from toy_brains import subjects_slices
from toy_conditional import make_conditional, spread
from toy_model import make_config
from toy_volumes import volume_model, volume_slices
from training_process import assert_same_run

from pet_dcgan.data.suvr import png_from_suvr
from pet_dcgan.features.volume_encoder import random_volume_encoder
from pet_dcgan.metrics.distribution import Kid, kid
from pet_dcgan.models.conditioned import asked
from pet_dcgan.models.configured_dcgan import build_dcgan
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.runs.selection_log import best_evaluation, ended_early
from pet_dcgan.training import kid_selection
from pet_dcgan.training.kid_selection import KidSelection, enough_slices
from pet_dcgan.training.suspected_copies import SuspectedCopies
from pet_dcgan.training.train import train

REAL = np.random.default_rng(0).uniform(0, 2.5, [8, 32, 32])


class Pooled:
    """Images to means of 8x8 blocks, in place of an encoder."""

    def features(self, images):
        blocks = np.asarray(images).reshape(len(images), 4, 8, 4, 8)
        return blocks.mean((2, 4)).reshape(len(images), 16)


class Copies:
    """Finds so many suspected copies, evaluation by evaluation, then none."""

    def __init__(self, *shares):
        self.shares = iter(shares)

    def excess(self, rows):
        return next(self.shares, 0.0)


class Network:
    """A generator of one weight: the epochs it was trained for."""

    epochs = 0

    def get_weights(self):
        return [np.array([self.epochs])]


def made_up(patch, *values):
    """Sets the KIDs of the evaluations to come."""
    kids = iter([Kid(value, 0.01) for value in values])
    patch.setattr(kid_selection, "kid", lambda *_, **__: next(kids))


def log_rows(run_path):
    """(epoch, KID) of each row of `selection.csv`."""
    with (run_path / "selection.csv").open(newline="") as file:
        return [
            (int(row["epoch"]), float(row["val_kid"]))
            for row in csv.DictReader(file)
        ]


@pytest.fixture
def found(monkeypatch):
    """`found(0.5, 0.3, ...)`: see `made_up`."""
    return lambda *values: made_up(monkeypatch, *values)


@pytest.fixture
def selection(tmp_path, tiny_config, monkeypatch):
    """`selection(3, **settings)`: after three epochs."""

    def select(count, *, first=0, subjects="aabbccdd", copies=None, **settings):
        callback = KidSelection(
            tmp_path,
            config=tiny_config(**{"epochs": 20, "select_every": 1} | settings),
            encoder=Pooled(),
            real=REAL,
            subjects=np.array([*subjects]),
            copies=copies or Copies(),
        )
        network = Network()
        callback.set_model(
            SimpleNamespace(sampler_network=network, stop_training=False)
        )
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


def test_evaluations_come_when_due_and_at_the_end(selection, found, tmp_path):
    found(0.5, 1 / 3, 0.6)
    callback = selection(1, select_every=2, epochs=5)
    logs = {}
    for epoch in range(1, 5):
        callback.on_epoch_end(epoch, logs)
    assert logs == {"val_kid": 0.6}
    assert log_rows(tmp_path) == [(2, 0.5), (4, 1 / 3), (5, 0.6)]
    text = (tmp_path / "selection.csv").read_text()
    assert text.startswith(
        "epoch,val_kid,standard_error,suspects,phantom\n2,0.5,0.01,0.0,"
    )


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
    # and for a part that resumes, from this epoch or the one before
    assert ended_early(tmp_path, epoch=count, patience=patience) == ends
    assert not ended_early(tmp_path, epoch=count - 1, patience=patience)
    message = f"stopped after epoch {count} of 20"
    assert (message in capsys.readouterr().err) == ends


@pytest.mark.parametrize(("last", "ends"), [(0.2999, 0), (0.3, 1), (0.3001, 1)])
def test_only_a_lower_kid_is_better(selection, found, last, ends):
    found(0.3, 0.4, 0.4, last)
    assert bool(selection(4, patience=3).model.stop_training) == ends


def test_a_lower_kid_of_copies_is_no_better(selection, found, tmp_path):
    copies = Copies(0.002, 0.27, 0.0)
    found(0.03, 0.02)  # sums of 0.032 and 0.29
    assert selection(2, patience=1, copies=copies).model.stop_training
    assert ended_early(tmp_path, epoch=2, patience=1)
    found(0.025)
    selection(3, first=2, copies=copies)
    kept = sorted(p.name for p in (tmp_path / "checkpoint").glob("best_*"))
    assert kept == ["best_0001.npz", "best_0003.npz"]


def test_training_slices_are_drawn_no_better_than_poor_images(
    selection, found, tmp_path, monkeypatch
):
    images, subjects, _ = subjects_slices(9, seed=0)
    own, others = subjects != "s0_8", subjects == "s0_8"
    copies = SuspectedCopies(
        png_from_suvr(images[own], 2.5),
        subjects[own],
        suvr_max=2.5,
        held_out=images[others],
    )
    drawn = iter([REAL, images[own]])
    monkeypatch.setattr(
        kid_selection, "synthetic_slices", lambda *_, **__: next(drawn)
    )
    found(0.4, 0.01)
    callback = selection(2, copies=copies)
    poor, copied = callback.evaluations
    assert (poor.suspects, copied.suspects) == (0, 1)
    assert best_evaluation(callback.evaluations) == poor


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
    kept = sorted(p.name for p in (tmp_path / "checkpoint").glob("best_*"))
    assert kept == [f"best_000{epoch}.npz" for epoch in epochs]


def test_a_resumed_part_forgets_what_it_repeats(selection, found, tmp_path):
    found(0.5, 0.4, 0.1)
    selection(3)
    # the state of epoch 2 is the last whole one, and epoch 3 differs now
    found(0.45, 0.3)
    selection(4, first=2)
    assert [kid for _, kid in log_rows(tmp_path)] == [0.5, 0.4, 0.45, 0.3]
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
        tmp_path,
        config=config,
        encoder=Pooled(),
        real=REAL,
        subjects=subjects,
        copies=Copies(),
    )
    callback.set_model(model)
    callback.on_epoch_end(0)
    seeds = 2**40 + 3 * 16 + np.arange(16)
    images = synthetic_slices(model.average, seeds, suvr_max=2.5)
    features = Pooled().features
    expected = kid(features(REAL), features(images), subjects=subjects)
    (found,) = callback.evaluations
    assert (found.val_kid, found.standard_error) == tuple(expected)


@pytest.mark.parametrize(
    ("seed", "subjects", "known"), [(0, "aaaabbbb", 0), (3, "aaabbbcc", 1)]
)
def test_seeds_are_the_same_and_three_subjects_have_an_error_of_their_own(
    selection, seed, subjects, known
):
    callback = selection(0, seed=seed, subjects=subjects)
    assert len(callback.seeds) == 256
    assert callback.seeds[0] == 2**40 + 256 * seed
    assert (callback.subjects is not None) == known


class TestWholeRun:
    """A training that ends early after epoch 3, with KIDs that are made up."""

    @pytest.fixture(scope="class")
    def run(self, toy_set, quick_encoder, tmp_path_factory):
        """The finished run: read, not changed."""
        config = make_config(
            toy_set,
            epochs=9,
            select_every=1,
            patience=1,
            samples_every=2,
            ema_decay=0.9,
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kid_selection, "SYNTHETIC", 16)
            made_up(patch, 0.5, 0.2, 0.4)
            path = tmp_path_factory.mktemp("runs") / "ad"
            return train(config, path, verbose=0)

    def test_the_generator_is_the_one_of_the_best_epoch(self, run):
        chosen = run.load_generator().get_weights()
        with np.load(run.path / "checkpoint/best_0002.npz") as best:
            for index, array in enumerate(chosen):
                np.testing.assert_array_equal(array, best[f"weight_{index}"])
        with np.load(run.path / "checkpoint/state_0002.npz") as state:
            np.testing.assert_array_equal(chosen[0], state["average_0"])
        assert (run.path / "encoder" / "encoder.npz").is_file()
        with (run.path / "log.csv").open(newline="") as file:
            kids = [row["val_kid"] for row in csv.DictReader(file)]
        assert kids == ["0.5", "0.2", "0.4"]

    def test_a_run_that_had_ended_early_does_not_go_on(
        self, run, found, tmp_path, capsys
    ):
        found()  # a further evaluation would fail
        stopped = tmp_path / "ad"
        shutil.copytree(run.path, stopped)
        (stopped / "generator.keras").unlink()
        best = stopped / "checkpoint" / "best_0002.npz"
        best.rename(stopped / "best")
        with pytest.raises(FileNotFoundError, match=r"is missing, .*resume"):
            train(run.config, stopped, resume=True, verbose=0)
        (stopped / "best").rename(best)
        train(run.config, stopped, resume=True, verbose=0)
        assert_same_run(run.path, stopped)
        shown = capsys.readouterr().err
        message = "kept the generator of epoch 2: KID on validation subjects "
        assert message in shown
        assert ", excess of suspected copies " in shown

    def test_tensorboard_shows_scalars_and_sample_grids(self, run):
        log = plugin_event_accumulator.EventAccumulator(
            str(run.path / "tensorboard")
        ).Reload()

        def steps(plugin):
            return {
                tag: [event.step for event in log.Tensors(tag)]
                for tag in log.Tags()["tensors"]
                if log.SummaryMetadata(tag).plugin_data.plugin_name == plugin
            }

        scalars = steps("scalars")
        for name in ("d_loss", "g_loss", "val_kid", "real_accuracy"):
            assert scalars[name] == [1, 2, 3]
        images = {"real (phantom)": [0], "synthetic (phantom)": [1, 2]}
        assert steps("images") == images
        event = log.Tensors("real (phantom)")[-1]
        _, _, encoded = tensor_util.make_ndarray(event.tensor_proto)
        grid = np.array(Image.open(io.BytesIO(encoded)).convert("L"))
        # three rows of four slices of 32 pixels, not of one grey
        assert grid.shape == (96, 128)
        assert np.ptp(grid) > 50


def test_stages_and_planes_of_few_slices_are_not_measured():
    shown = np.array([["NC", "axial"]] * 4 + [["AD", "axial"]] * 3)
    found = enough_slices(shown, 7)
    assert list(found) == [("NC", "axial")]
    np.testing.assert_array_equal(found["NC", "axial"], range(4))
    # many in all, and none that can be measured
    assert not enough_slices(shown[[0, 1, 4, 5]], 4)
    assert not enough_slices(None, 3)
    assert len(enough_slices(None, 4)) == 1


def test_the_kid_of_a_conditional_generator_is_the_mean_over_stages(
    tmp_path, tiny_config
):
    network = spread(make_conditional())
    shown = np.array([["NC", "axial"]] * 4 + [["AD", "coronal"]] * 4)
    settings = {"epochs": 9, "select_every": 1, "latent_dim": 6}
    callback = KidSelection(
        tmp_path,
        config=tiny_config(**settings),
        encoder=Pooled(),
        real=REAL,
        subjects=np.array([*"aabbccdd"]),
        copies=Copies(),
        shown=shown,
    )
    model = SimpleNamespace(sampler_network=network, label_weight=0.5)
    callback.set_model(model)
    callback.on_epoch_end(0, {})
    assert not callback.evaluations  # what is asked for has no effect yet
    model.label_weight = 1.0
    callback.on_epoch_end(1, {})
    expected = [
        kid(
            Pooled().features(REAL[rows]),
            Pooled().features(
                synthetic_slices(
                    asked(network, stage=stage, plane=plane),
                    callback.seeds,
                    suvr_max=2.5,
                )
            ),
        ).value
        for stage, plane, rows in (
            ("NC", "axial", slice(0, 4)),
            ("AD", "coronal", slice(4, 8)),
        )
    ]
    (found,) = callback.evaluations
    assert found.val_kid == pytest.approx(np.mean(expected))


def test_volumes_are_measured_by_stage_in_features_of_volumes(
    tmp_path, tiny_config
):
    real = volume_slices(4)
    train = volume_slices(5, seed=1)
    network = spread(volume_model())
    suvr = real.images / np.float32(65535 / 2.5)
    encoder = random_volume_encoder(suvr)
    copies = SuspectedCopies(
        train.images, train.subjects, suvr_max=2.5, held_out=suvr
    )
    callback = KidSelection(
        tmp_path,
        config=tiny_config(epochs=1, select_every=1, latent_dim=6),
        encoder=encoder,
        real=suvr,
        subjects=real.subjects,
        copies=copies,
        shown=np.stack([real.stages, real.planes], axis=1),
    )
    assert sorted(callback.groups) == [
        (stage, "volume") for stage in ("AD", "MCI", "NC")
    ]
    assert len(callback.seeds) == kid_selection.SYNTHETIC_VOLUMES
    callback.set_model(SimpleNamespace(sampler_network=network))
    callback.on_epoch_end(0, {})
    (found,) = callback.evaluations
    features = encoder.features(suvr)
    expected = [
        kid(
            features[real.stages == stage],
            encoder.features(
                synthetic_slices(
                    asked(network, stage=stage), callback.seeds, suvr_max=2.5
                )
            ),
        ).value
        for stage in ("NC", "MCI", "AD")
    ]
    assert found.val_kid == pytest.approx(np.mean(expected))
    assert found.suspects == 0
