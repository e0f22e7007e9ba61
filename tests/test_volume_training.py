"""A training of whole brains from a prepared set to a run folder, tiny."""

import csv
import shutil

import matplotlib as mpl
import numpy as np
import pytest
import tensorflow as tf
from toy_data import SUBJECTS
from toy_model import SMALL
from toy_volumes import volume_model, volume_slices
from training_process import assert_same_run

from pet_dcgan.data.training_data import load_training_slices, resolve_config
from pet_dcgan.evaluation.sample_plot import plot_samples
from pet_dcgan.features.volume_encoder import (
    VolumeEncoder,
    random_volume_encoder,
)
from pet_dcgan.metrics.cuts import orthogonal_cuts, three_plane
from pet_dcgan.metrics.distribution import kid
from pet_dcgan.models import kid as kid_metric
from pet_dcgan.models import volume_views
from pet_dcgan.models.conditioned import asked
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.runs import run as run_module
from pet_dcgan.runs.run import Run
from pet_dcgan.training import kid_selection
from pet_dcgan.training.dry_run import dry_run
from pet_dcgan.training.train import train

# beside those of every training
FILES = {"real.png", "montage.png", "epoch_0001.png", "epoch_0003.png"}


def make_config(data_dir, **overrides):
    """The preset's networks on the toy set, smaller."""
    changes = SMALL | {"channels": 32, "width": 2, "conditions": "stage"}
    changes |= {"epochs": 3, "transition": True, "ema_decay": 0.9}
    changes |= {"augment": "translate,cutout,rotate,scale", "bend_mm": 2.5}
    changes |= {"augment_target": 0.6}
    return resolve_config(
        "volume",
        data_dir=data_dir,
        dataset="volume_32",
        overrides=changes | {"select_every": 1} | overrides,
    )


def people():
    """Subjects to train on, and all others to choose a generator by."""
    count, first = sum(SUBJECTS.values()), SUBJECTS["train"]
    return {
        name: [f"999_S_{stage}{n:03}" for stage in (1, 2, 3) for n in numbers]
        for name, numbers in (
            ("subjects", range(first)),
            ("validation", range(first, count)),
        )
    }


@pytest.fixture(scope="module")
def few():
    """Few volumes are enough to choose a generator by, and few steps."""

    def encoder(volumes, *, subjects, seed):
        return random_volume_encoder(volumes, seed=seed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "train_volume_encoder", encoder)
        patch.setattr(kid_selection, "LEAST_SLICES", 2)
        patch.setattr(kid_selection, "SYNTHETIC_VOLUMES", 4)
        yield


@pytest.fixture(scope="module")
def run(toy_volumes, few, tmp_path_factory):
    """A finished run: read, not changed."""
    config = make_config(toy_volumes)
    path = tmp_path_factory.mktemp("runs") / "all"
    return train(config, path, verbose=0, **people())


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_has_all_its_files(run):
    assert {path.name for path in run.path.glob("samples/*.png")} == FILES
    assert isinstance(VolumeEncoder.load(run.path / "encoder"), VolumeEncoder)
    # of the transition, whose conditions do not count in full, none
    found = rows(run.path / "selection.csv")
    assert [row["epoch"] for row in found] == ["2", "3"]
    assert all(np.isfinite(float(row["val_kid"])) for row in found)


def test_health_has_no_column_of_planes_and_positions(run):
    (found, *_) = rows(run.path / "health.csv")
    assert "stage_effect" in found
    assert not {"plane_effect", "position_effect"} & found.keys()


def test_a_stopped_training_goes_on_to_the_same_weights(
    run, toy_volumes, tmp_path
):
    path = tmp_path / "stopped"
    shutil.copytree(run.path, path)
    (path / "generator.keras").unlink()
    (path / "checkpoint" / "state_0003.npz").unlink()
    resumed = train(
        make_config(toy_volumes),
        path,
        resume=True,
        verbose=0,
        **people(),
    )
    assert_same_run(run.path, resumed.path)


def test_the_generator_is_that_of_the_training(run):
    network = Run.open(run.path).load_generator()
    volumes = synthetic_slices(
        asked(network, stage="AD"), np.arange(2), suvr_max=2.5
    )
    assert volumes.shape == (2, 32, 32, 32)


def test_a_dry_run_says_what_volumes_cost(toy_volumes):
    said = dry_run(make_config(toy_volumes))
    assert "9 subjects, 9 volumes" in said


def test_too_few_volumes_to_choose_by_are_said_to_be_few(
    toy_volumes, tmp_path, capsys
):
    train(make_config(toy_volumes, epochs=1), tmp_path / "all", verbose=0)
    assert "or too few volumes, so the last one" in capsys.readouterr().err


class TestFit:
    """A model of volumes without a run."""

    def test_slices_of_volumes_and_a_validation(self):
        model = volume_model(conditional=False)
        model.facts = None
        history = model.fit(
            volume_slices(3),
            batch_size=4,
            validation_data=volume_slices(4, seed=1).images,
            verbose=0,
        ).history
        assert np.isfinite(history["val_kid"]).all()

    def test_batches_as_tfds_loads_them(self):
        stored = volume_slices(3).images
        batches = tf.data.Dataset.from_tensor_slices({"image": stored})
        model = volume_model(conditional=False)
        history = model.fit(batches.batch(4), verbose=0).history
        assert np.isfinite(history["d_loss"]).all()

    def test_a_conditional_one_and_the_stages_of_its_slices(self):
        slices = volume_slices(3)
        model = volume_model()
        model.facts = None
        model.fit(slices, batch_size=3, verbose=0)

    def test_slices_are_not_repeated_for_a_generator_of_volumes(self):
        slices = np.zeros([4, 32, 32, 1], np.float32) - 1
        with pytest.raises(ValueError, match="give volumes, or build"):
            volume_model(conditional=False).fit(slices, verbose=0)

    def test_over_replicas(self):
        strategy = tf.distribute.MirroredStrategy(["CPU:0"])
        with strategy.scope():
            model = volume_model(conditional=False)
        history = model.fit(
            volume_slices(3).images, batch_size=3, verbose=0
        ).history
        assert np.isfinite(history["g_loss"]).all()


class TestKid:
    """The Keras metric on volumes."""

    def test_its_cuts_are_those_of_the_encoder(self):
        volumes = np.random.default_rng(0).uniform(size=[2, 32, 32, 32])
        volumes = volumes.astype(np.float32)
        np.testing.assert_array_equal(
            tf.stack(volume_views.cuts(tf.constant(volumes)), axis=1),
            orthogonal_cuts(volumes),
        )

    def test_it_is_the_kid_of_the_features(self):
        real = volume_slices(3).images / np.float32(65535 / 2.5)
        other = volume_slices(3, seed=1).images / np.float32(65535 / 2.5)
        encoder = random_volume_encoder(real)
        metric = kid_metric.KID.of(encoder, suvr_max=2.5)
        metric.update_state(real / 1.25 - 1, other / 1.25 - 1)
        expected = kid(encoder.features(real), encoder.features(other)).value
        assert float(metric.result()) == pytest.approx(expected, rel=1e-3)
        again = kid_metric.KID.from_config(metric.get_config())
        assert again.volumes


def test_plot_samples_draws_three_cuts():
    with mpl.rc_context({"backend": "agg"}):
        model = volume_model(conditional=False)
        axes = plot_samples(model, count=5, real=volume_slices(3).images)
    shown = np.asarray(axes.get_images()[0].get_array())
    # a row of real volumes, and of four and of one synthetic one
    assert shown.shape == (3 * 32, 4 * 3 * 32)
    volumes = synthetic_slices(model.generator, np.arange(5), suvr_max=2.5)
    np.testing.assert_array_equal(shown[64:, :96], three_plane(volumes)[4])


def test_training_slices_of_a_set_of_volumes(toy_volumes):
    slices = load_training_slices(make_config(toy_volumes))
    assert slices.images.shape == (9, 32, 32, 32)
