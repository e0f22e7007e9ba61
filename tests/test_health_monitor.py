import re
import sys

import numpy as np
import pytest
import tensorflow as tf
from health_training import STEPS, Training, toy_batches
from scipy.ndimage import gaussian_filter

from pet_dcgan.models.dcgan import build_dcgan
from pet_dcgan.training.health.monitor import IMAGES
from pet_dcgan.training.health.states import HealthFinding
from pet_dcgan.training.health.vitals import RealImages, pooled

DISCRIMINATOR_WINS = {"d_learning_rate": 5e-3, "g_learning_rate": 1e-4}
COLLAPSES = {"latent_dim": 1, "g_learning_rate": 3e-3}
COLLAPSE = HealthFinding(
    state="collapse", words="alike", remedy="do this", failure=True
)
COPIES = HealthFinding(state="memorisation", words="copies", remedy="do that")


@pytest.fixture
def training(tiny_config, tmp_path):
    """`training(**options, **settings)`: see `health_training.Training`."""

    def make(*, images=None, every=50, stop_on_failure=False, **settings):
        return Training(
            tmp_path,
            tiny_config(**{"epochs": 400} | settings),
            images=images,
            every=every,
            stop_on_failure=stop_on_failure,
        )

    return make


class TestStates:
    """Each state as a real training comes to it."""

    def test_a_healthy_training_raises_nothing(
        self, training, capsys, tmp_path
    ):
        trained = training().fit(15)
        assert trained.states == []
        assert "epoch" not in capsys.readouterr().err
        assert len(trained.rows) == 15
        assert float(trained.rows[-1]["diversity"]) > 0.5
        assert float(trained.rows[-1]["misfit"]) < 0.4
        # its state is kept
        (tmp_path / "state_0015.npz").touch()
        trained.monitor.on_epoch_begin(15)
        assert (tmp_path / "sound_0015.npz").exists()
        trained.monitor.on_train_end()
        assert not (tmp_path / "sound_0015.npz").exists()

    def test_the_generator_collapses(self, training, capsys):
        trained = training(**COLLAPSES).fit(12)
        ((state, epoch),) = trained.states
        assert state == "collapse"
        row = trained.rows[epoch - 1]
        assert float(row["distinctness"]) < 0.05 < float(row["diversity"])
        assert "--set latent_dim=100" in row["said"]
        # once, in one line and one text
        lines = capsys.readouterr().err.splitlines()
        assert lines.count(f"pet-dcgan: epoch {epoch}: {row['said']}") == 1
        assert sum("collapsed" in line for line in lines) == 1
        texts = [entry for entry in trained.board() if entry[0] == "health"]
        assert texts == [("health", epoch, row["said"])]

    def test_the_discriminator_wins_and_that_ends_it(
        self, training, capsys, tmp_path, monkeypatch
    ):
        monkeypatch.setattr("pet_dcgan.training.health.states.FAILED_LOOKS", 6)
        run = training(stop_on_failure=True, **DISCRIMINATOR_WINS)
        with pytest.raises(ValueError, match="found at epoch") as found:
            run.fit(40)
        ((state, epoch),) = run.states
        assert state == "discriminator_winning"
        assert 5 <= epoch == len(run.rows) - 1 <= 8
        words = str(found.value)
        assert re.search(r"recognises (99|100)% of all images", words)
        assert "--set g_learning_rate=0.001 --set d_learning_rate" in words
        assert "\n" not in words
        assert capsys.readouterr().err.count("is winning") == 1
        assert [tag for tag, *_ in run.board()].count("health") == 1
        # nothing of it was sound
        assert not list(tmp_path.glob("*.npz"))

    @pytest.mark.slow
    def test_the_generator_wins(self, training):
        trained = training(d_learning_rate=1e-5).fit(8)
        ((state, _),) = trained.states
        assert state == "generator_winning"

    @pytest.mark.slow
    def test_nothing_is_learnt(self, training):
        rates = {"g_learning_rate": 1e-6, "d_learning_rate": 1e-6}
        trained = training(**rates).fit(16)
        ((state, epoch),) = trained.states
        assert state == "no_progress"
        assert epoch >= 10

    @pytest.mark.slow
    def test_few_images_are_memorised(self, training):
        trained = training(images=smooth_fields(4), width=8).fit(24)
        ((state, _),) = trained.states
        assert state == "memorisation"

    @pytest.mark.slow
    def test_many_images_are_not(self, training):
        assert training(images=smooth_fields(64), width=8).fit(24).states == []


class TestSaying:
    def test_what_was_said_is_not_said_again(self, training, capsys):
        training().monitor._report(3, [COLLAPSE])
        assert "epoch 3: alike: do this" in capsys.readouterr().err
        again = training()
        again.monitor._report(3, [COLLAPSE])
        again.monitor._report(4, [COLLAPSE, COPIES])
        assert (
            capsys.readouterr().err == "pet-dcgan: epoch 4: copies: do that\n"
        )
        assert again.states == [("collapse", 3), ("memorisation", 4)]

    def test_a_line_starts_below_the_bar_of_a_terminal(
        self, training, monkeypatch, capsys
    ):
        run = training()
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        run.monitor._report(2, [COPIES])
        assert capsys.readouterr().err.startswith("\npet-dcgan: epoch 2: cop")


class TestLooking:
    def test_looks_by_steps_and_at_the_end(self, training):
        rows = training(every=20, epochs=7).idle(7).rows
        assert [row["epoch"] for row in rows] == ["3", "6", "7"]

    def test_scalars_stand_in_the_board(self, training):
        names = ("diversity", "distinctness", "misfit", "training_distance")
        assert {(tag, step) for tag, step, _ in training().idle(1).board()} == {
            (f"health/{name}", 1) for name in names
        }

    def test_images_are_of_the_average_where_there_is_one(self, training):
        run = training(ema_decay=0.9)
        run.start()
        network, latents = run.model.average, run.monitor._latents
        network.set_weights([w * 3 for w in network.get_weights()])
        images = run.monitor._draw(latents).numpy()
        assert images.shape == (IMAGES, 32, 32)
        expected = network(latents, training=False).numpy()[..., 0]
        np.testing.assert_allclose(images, (expected + 1) * 1.25, atol=1e-5)

    def test_the_same_model_measures_the_same(self, training, tmp_path):
        first = training().idle(1).rows
        assert len(first[0]["misfit"]) <= len("0.123456")
        (tmp_path / "health.csv").unlink()
        assert training().idle(1).rows == first

    def test_looking_changes_nothing_in_the_training(
        self, training, tiny_config
    ):
        looked = training().fit(2).model
        plain = build_dcgan(tiny_config(epochs=400))
        plain.fit(
            toy_batches(tiny_config(epochs=400)),
            steps_per_epoch=STEPS,
            epochs=2,
            shuffle=False,
            verbose=0,
        )
        for name, variables in plain.state.items():
            for a, b in zip(variables, looked.state[name], strict=True):
                np.testing.assert_array_equal(a, b)


class TestStopping:
    def test_only_where_it_is_asked(self, training):
        training().monitor._report(1, [COLLAPSE])
        run = training(stop_on_failure=True)
        # said before, in a part of the run that went on
        with pytest.raises(ValueError, match="epoch 2 that alike: do this"):
            run.monitor._report(2, [COLLAPSE])
        assert run.states == [("collapse", 1)]

    def test_memorisation_does_not_end_it(self, training, capsys):
        run = training(stop_on_failure=True)
        run.monitor._report(1, [COPIES])
        assert "epoch 1: copies: do that" in capsys.readouterr().err
        with pytest.raises(ValueError, match="epoch 2 that alike: do this"):
            run.monitor._report(2, [COPIES, COLLAPSE])

    def test_the_last_sound_state_becomes_the_newest(self, training, tmp_path):
        run = training(stop_on_failure=True)
        for epoch in (4, 5):
            (tmp_path / f"state_{epoch:04}.npz").write_text(str(epoch))
        run.monitor._sound = 5
        run.monitor.on_epoch_begin(5)
        run.monitor.on_epoch_begin(6)
        for epoch in (9, 10):
            (tmp_path / f"state_{epoch:04}.npz").write_text(str(epoch))
        with pytest.raises(ValueError, match="state of epoch 5, the last so"):
            run.monitor._report(11, [COLLAPSE])
        states = sorted(p.name for p in tmp_path.glob("*.npz"))
        assert states == ["state_0004.npz", "state_0005.npz"]


class TestNonFinite:
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_ends_in_the_step_it_happens(self, training, value):
        run = training()
        run.monitor.on_epoch_begin(3)
        run.monitor.on_train_batch_end(0, {"d_loss": 1.0, "g_loss": 2.0})
        with pytest.raises(
            ValueError, match=r"at epoch 4 .*diverged \(g_loss (nan|inf)"
        ):
            run.monitor.on_train_batch_end(6, {"d_loss": 1.0, "g_loss": value})
        assert run.states == [("non_finite", 4)]
        assert run.rows[-1]["diversity"] == ""

    def test_ends_a_fit_on_bad_images_with_a_remedy(self, training):
        bad = np.full([4, 32, 32, 1], np.nan, np.float32)
        batches = tf.data.Dataset.from_tensors(bad).repeat()
        run = training(images=(None, batches))
        with pytest.raises(ValueError, match="--set g_learning_rate=") as found:
            run.fit(1)
        assert "\n" not in str(found.value)
        ((tag, step, text),) = run.board()
        assert (tag, step) == ("health", 1)
        assert "diverged" in text

    def test_finds_a_weight_that_no_loss_shows(self, training):
        run = training(every=5)
        run.start()
        run.monitor.on_epoch_end(0)
        kernel = run.model.generator.get_layer("up_8").kernel
        kernel.assign(np.full(kernel.shape, np.inf))
        with pytest.raises(ValueError, match="up_8/kernel with NaN"):
            run.monitor.on_epoch_end(1)


def smooth_fields(count):
    """Real images, and batches, of `count` fields no two of which are near."""
    noise = np.random.default_rng(0).normal(size=[count + 16, 32, 32])
    smooth = gaussian_filter(noise, [0, 4, 4])
    images = (0.9 * smooth / np.abs(smooth).max()).astype(np.float32)
    rows = pooled((images + 1) * 1.25)
    real = RealImages(rows[:count], np.arange(count), rows[count:])
    batches = tf.data.Dataset.from_tensor_slices(images[:count, ..., None])
    return real, batches.repeat().shuffle(count, seed=1).batch(4)
