"""Either side of the numbers that looking at a training turns on.

How often and at how much it is looked, when advice changes, and when a
training ends early. The numbers stand here once more, so that one that moves
is noticed.
"""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.metrics.distribution import Kid
from pet_dcgan.runs.selection_log import (
    KidEvaluation,
    ended_early,
    evaluations_without_improvement,
    write_evaluations,
)
from pet_dcgan.training.health import remedies
from pet_dcgan.training.health.log import HealthLog
from pet_dcgan.training.health.monitor import HealthMonitor
from pet_dcgan.training.health.vitals import RealImages, Vitals, pooled
from pet_dcgan.training.kid_selection import KidSelection, ValidationSlices


@pytest.fixture
def advice(tiny_config):
    return lambda against, **settings: against(tiny_config(**settings))


class Counting:
    """Real images that count the generated ones they are shown."""

    shown = 0

    def vitals(self, generated):
        self.shown = len(generated)
        return Vitals(
            diversity=1.0, distinctness=1.0, misfit=0.0, training_distance=1.0
        )


@pytest.fixture
def monitor(tiny_config, tmp_path):
    """`monitor(steps_per_epoch)`, whose epochs are so long."""

    def make(steps, real=None):
        return HealthMonitor(
            HealthLog(tmp_path / "health.csv", phantom=True),
            config=tiny_config(),
            real=real,
            steps_per_epoch=steps,
            writer=tf.summary.create_noop_writer(),
            checkpoint=tmp_path,
        )

    return make


@pytest.mark.parametrize(
    ("steps", "epochs"),
    [(1, 50), (24, 3), (25, 2), (26, 2), (49, 2), (50, 1), (51, 1)],
)
def test_epochs_that_make_fifty_steps(monitor, steps, epochs):
    assert monitor(steps).every == epochs


def test_a_look_is_at_64_images(monitor):
    def drawn(latents, training):
        return tf.zeros([len(latents), 32, 32, 1])

    looking = monitor(50, Counting())
    looking.set_model(SimpleNamespace(sampler_network=drawn, variables=[]))
    looking.on_train_begin()
    losses = ("d_loss", "g_loss", "real_accuracy", "fake_accuracy")
    looking.on_epoch_end(0, dict.fromkeys(losses, 0.5))
    assert looking.real.shown == 64


@pytest.mark.parametrize(("side", "fits"), [(31, 0), (32, 1), (33, 0), (64, 1)])
def test_images_of_a_multiple_of_32_pixels_are_looked_at(side, fits):
    images = np.ones([2, side, side])
    if fits:
        assert pooled(images).shape == (2, 1024)
    else:
        with pytest.raises(ValueError, match="multiple of 32"):
            pooled(images)


@pytest.mark.parametrize(("count", "whole"), [(511, 1), (512, 1), (513, 0)])
def test_up_to_512_real_images_are_compared_with_each_other(count, whole):
    line = np.arange(count)[:, None].astype(float)
    # two of so many points on a line are so far apart, if all count
    apart = np.array([[0], [(count + 1) / 3]])
    found = RealImages(line, np.arange(count)).vitals(apart).diversity
    assert (found == pytest.approx(1, rel=1e-6)) == whole


@pytest.mark.parametrize(("subjects", "known"), [(["a"] * 2, 0), ("ab", 1)])
def test_two_subjects_are_enough_to_stand_in_for_held_out_ones(subjects, known):
    real = RealImages(np.eye(2), list(subjects))
    assert np.isfinite(real.vitals(np.eye(2)).training_distance) == known


@pytest.mark.parametrize("name", ["g_learning_rate", "d_learning_rate"])
@pytest.mark.parametrize(
    ("times", "near"),
    [(0.495, 0), (0.5, 0), (0.505, 1), (1.98, 1), (2.0, 0), (2.02, 0)],
)
def test_rates_within_twice_of_the_steady_ones_are_near(
    advice, name, times, near
):
    steady = {"g_learning_rate": 1e-3, "d_learning_rate": 2e-4}
    rates = steady | {name: times * steady[name]}
    text = advice(remedies.against_imbalance, **rates)
    advised = "--set g_learning_rate=0.001 --set d_learning_rate=0.0002"
    assert (advised in text) != near


@pytest.mark.parametrize(
    ("latent_dim", "advised"), [(15, True), (16, False), (17, False)]
)
def test_latents_that_are_too_short(advice, latent_dim, advised):
    text = advice(remedies.against_sameness, latent_dim=latent_dim)
    assert ("--set latent_dim=100" in text) is advised


@pytest.mark.parametrize(
    ("beta_1", "advised"), [(0.495, False), (0.5, False), (0.505, True)]
)
def test_a_beta_1_that_is_too_high(advice, beta_1, advised):
    text = advice(remedies.against_sameness, beta_1=beta_1)
    assert ("--set beta_1=0.5" in text) is advised


@pytest.mark.parametrize(("patience", "advised"), [(0, True), (1, False)])
def test_copies_are_met_by_patience_where_there_is_none(
    advice, patience, advised
):
    settings = {"select_every": 3, "patience": patience}
    text = advice(remedies.against_copies, **settings)
    assert ("--set select_every=3 --set patience=4" in text) is advised
    assert text.endswith("--set augment_target=0.6")


class Means:
    """Images to their means, in the place of an encoder."""

    def features(self, images):
        return np.asarray(images).mean(axis=(1, 2))[:, None]


@pytest.fixture
def selection(tmp_path, tiny_config, monkeypatch):
    """`selection(0.5, 0.3)`: with looks that find so much, all in one go."""

    def select(*values, subjects="abcd", **settings):
        kids = iter([Kid(value, 0.01) for value in values])
        monkeypatch.setattr(KidSelection, "_kid", lambda self: next(kids))
        callback = KidSelection(
            tmp_path,
            config=tiny_config(select_every=1, **{"epochs": 20} | settings),
            encoder=Means(),
            real=ValidationSlices(np.ones([8, 32, 32]), np.array([*subjects])),
        )
        network = SimpleNamespace(get_weights=lambda: [np.zeros(1)])
        callback.set_model(
            SimpleNamespace(sampler_network=network, stop_training=False)
        )
        callback.on_train_begin()
        for epoch in range(len(values)):
            callback.on_epoch_end(epoch, {})
        return callback

    return select


IN_VAIN = [0.3, 0.4, 0.3, 0.5, 0.35]  # as low again is no better


@pytest.mark.parametrize(
    ("patience", "looks", "ends"),
    [(0, 5, 0), (3, 3, 0), (3, 4, 1), (3, 5, 1), (4, 4, 0), (4, 5, 1)],
)
def test_looks_in_vain_that_end_a_training(
    selection, tmp_path, patience, looks, ends
):
    callback = selection(*IN_VAIN[:looks], patience=patience)
    assert bool(callback.model.stop_training) == ends
    assert evaluations_without_improvement(callback.looks) == looks - 1
    # and for a part that resumes
    assert ended_early(tmp_path, epoch=looks, patience=patience) == ends


@pytest.mark.parametrize(("last", "vain"), [(0.2999, 0), (0.3, 3), (0.3001, 3)])
def test_a_look_is_better_where_its_kid_is_lower(selection, last, vain):
    callback = selection(0.3, 0.4, 0.4, last, patience=3)
    assert evaluations_without_improvement(callback.looks) == vain
    assert bool(callback.model.stop_training) == bool(vain)


@pytest.mark.parametrize(("epochs", "ends"), [(3, 0), (4, 1)])
def test_a_training_at_its_end_ends_no_earlier(selection, epochs, ends):
    callback = selection(0.3, 0.4, 0.4, patience=2, epochs=epochs)
    assert bool(callback.model.stop_training) == ends


@pytest.mark.parametrize(("epoch", "ended"), [(3, 0), (4, 0), (5, 0), (6, 1)])
def test_looks_up_to_an_epoch_count_for_it(tmp_path, epoch, ended):
    looks = [
        KidEvaluation(2, 0.3, 0.1),
        KidEvaluation(4, 0.4, 0.1),
        KidEvaluation(6, 0.4, 0.1),
    ]
    write_evaluations(tmp_path / "selection.csv", looks, phantom=True)
    assert ended_early(tmp_path, epoch=epoch, patience=2) == ended


@pytest.mark.parametrize(("subjects", "known"), [("abc", 0), ("abcd", 1)])
def test_four_validation_subjects_have_an_error_of_their_own(
    selection, subjects, known
):
    callback = selection(subjects=subjects * 2)
    assert (callback.subjects is not None) == known


@pytest.mark.parametrize("seed", [0, 3])
def test_a_look_is_at_the_same_256_seeds(selection, seed):
    seeds = selection(seed=seed).seeds
    assert len(seeds) == 256
    assert seeds[0] == 2**40 + 256 * seed


def test_the_best_of_three_epochs_before_is_kept(selection, tmp_path):
    selection(0.5, 0.4, 0.3, 0.2, 0.1)
    files = sorted(p.name for p in (tmp_path / "checkpoint").iterdir())
    assert files == [f"best_000{e}.npz" for e in (2, 3, 4, 5)]
