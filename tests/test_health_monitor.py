import csv
import dataclasses
import functools
import math
import re
import sys
import types

import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import gaussian_filter
from toy_health import (
    HEALTHY,
    OBEDIENT,
    make_conditional_records,
    make_records,
)
from toy_model import make_config

from pet_dcgan.data.batches import training_batches
from pet_dcgan.data.conditional_slices import (
    condition_arrays,
    conditions_for,
)
from pet_dcgan.data.training_data import (
    load_training_slices,
    load_validation_slices,
)
from pet_dcgan.models.configured_dcgan import build_dcgan
from pet_dcgan.training import health
from pet_dcgan.training.condition_vitals import RealConditions
from pet_dcgan.training.health import HealthFinding
from pet_dcgan.training.health_log import HealthLog
from pet_dcgan.training.health_monitor import HealthMonitor
from pet_dcgan.training.train import train
from pet_dcgan.training.vitals import RealImages, Vitals, pooled, pooled_stored

# instead of 50, so that a state shows within seconds
STEPS = 20
LOSSES = ("d_loss", "g_loss", "real_accuracy", "fake_accuracy")
DISCRIMINATOR_WINS = {"d_learning_rate": 5e-3, "g_learning_rate": 1e-4}
COLLAPSE = HealthFinding(
    state="collapse", description="alike", remedy="do this", failure=True
)
COPIES = HealthFinding(
    state="memorisation", description="copies", remedy="or, that"
)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


class TestLog:
    @pytest.fixture
    def log(self, tmp_path):
        return lambda: HealthLog(tmp_path / "health.csv", phantom=True)

    def test_a_row_has_what_was_measured_and_reported(self, log):
        first, second = make_records(2)
        kept = log()
        kept.add(1, first)
        kept.add(2, second, [COLLAPSE, COPIES])
        found = rows(kept.path)
        assert ",".join(found[0]) == (
            "epoch,d_loss,g_loss,real_accuracy,fake_accuracy,diversity,"
            "distinctness,misfit,training_distance,states,said,phantom"
        )
        assert [row["epoch"] for row in found] == ["1", "2"]
        assert found[0]["misfit"] == "0.05"
        assert found[0]["states"] == found[0]["said"] == ""
        assert found[1]["states"] == "collapse memorisation"
        assert found[1]["said"] == "alike: do this; copies: or, that"
        assert {row["phantom"] for row in found} == {"true"}

    def test_records_are_read_as_they_were(self, log, tmp_path):
        (tmp_path / "health.csv").write_text("")
        assert log().records_before(9) == []
        misfits = (0.1 + 0.2, 1 / 3)
        for record in make_records(
            2, misfit=misfits, training_distance=math.nan
        ):
            log().add(record.epoch, record)
        log().add(3, None, [COLLAPSE])  # an end without measures
        found = log().records_before(9)
        assert [record.misfit for record in found] == [*misfits]
        assert math.isnan(found[0].training_distance)
        assert len(log().records_before(2)) == 1

    def test_a_run_stopped_twice_still_knows_its_reports(self, log):
        records = make_records(3)
        assert log().is_new(COLLAPSE)
        for record in records:
            log().add(
                record.epoch, record, [COLLAPSE] if record.epoch == 3 else []
            )
        (again,) = make_records(1, misfit=0.07)
        for epoch in (1, 2, 3):
            log().add(epoch, dataclasses.replace(again, epoch=epoch))
            assert not log().is_new(COLLAPSE)
        assert log().is_new(COPIES)
        log().add(3, records[2], [COPIES])
        found = rows(log().path)
        assert [row["epoch"] for row in found] == ["1", "2", "3"]
        assert [row["misfit"] for row in found] == ["0.07", "0.07", "0.05"]
        assert found[2]["states"] == "collapse memorisation"

    @pytest.mark.parametrize(
        "text",
        [
            "epoch,d_loss\n1,2.0\n",
            "HEADER\nx,1,1,1,1,1,1,1,1,,,true\n",
            "HEADER\n1,1,1,1,1,1,many,1,1,,,true\n",
            "HEADER\n1,1\n",
            "HEADER\n1,1,1,1,1,1,1,1,1,,,true,more\n",
            b"\xff\xfe\x00",
        ],
    )
    def test_another_file_is_refused(self, log, text):
        kept = log()
        kept.add(1, make_records(1)[0])
        header = kept.path.read_text().partition("\n")[0]
        if isinstance(text, str):
            text = text.replace("HEADER", header).encode()
        kept.path.write_bytes(text)
        with pytest.raises(ValueError, match=r"health\.csv, found .*remove"):
            log()


class TestConditionalLog:
    @pytest.fixture
    def log(self, tmp_path):
        return lambda conditional=True: HealthLog(
            tmp_path / "health.csv", phantom=True, conditional=conditional
        )

    def test_has_columns_of_its_conditions(self, log):
        first, second = make_conditional_records(2, plane_effect=math.nan)
        log().add(1, first)
        log().add(2, second, [COLLAPSE])
        found = rows(log().path)
        assert ",".join(found[0]) == (
            "epoch,d_loss,g_loss,real_accuracy,fake_accuracy,diversity,"
            "distinctness,misfit,training_distance,label_weight,"
            "conditional_diversity,stage_effect,plane_effect,position_effect,"
            "states,said,phantom"
        )
        assert found[0]["stage_effect"] == "0.8"
        assert found[1]["states"] == "collapse"
        read = log().records_before(9)
        assert [type(r) for r in read] == [type(first)] * 2
        assert read[0].position_effect == first.position_effect
        assert math.isnan(read[1].plane_effect)

    def test_is_none_of_another_training(self, log):
        log(conditional=False).add(1, make_records(1)[0])
        with pytest.raises(ValueError, match=r"label_weight.*remove the file"):
            log()


@functools.cache
def toy_images(config):
    """Real images of the toy set, and endless batches to train on."""
    training = load_training_slices(config)
    stored = (training.images, load_validation_slices(config).images)
    row_sets = [pooled_stored(images, config.suvr_max) for images in stored]
    real = RealImages(row_sets[0], training.subjects, row_sets[1])
    return real, training_batches(training, config)


def smooth_fields(count):
    """The same of `count` fields no two of which are near."""
    noise = np.random.default_rng(0).normal(size=[count + 16, 32, 32])
    smooth = gaussian_filter(noise, [0, 4, 4])
    images = (0.9 * smooth / np.abs(smooth).max()).astype(np.float32)
    pool = pooled((images + 1) * 1.25)
    real = RealImages(pool[:count], np.arange(count), pool[count:])
    batches = tf.data.Dataset.from_tensor_slices(images[:count, ..., None])
    return real, batches.repeat().shuffle(count, seed=1).batch(4)


class Training:
    """A model and its monitor in `folder`."""

    def __init__(self, folder, config, images, every, stop_on_failure):
        real, self.batches = images or toy_images(config)
        self.folder = folder
        self.writer = tf.summary.create_file_writer(str(folder / "board"))
        self.monitor = HealthMonitor(
            HealthLog(folder / "health.csv", phantom=config.phantom),
            config=config,
            real=real,
            steps_per_epoch=every,
            writer=self.writer,
            checkpoint=folder,
            stop_on_failure=stop_on_failure,
        )
        self.config = config

    @functools.cached_property
    def model(self):
        """The model, which the monitor examines from now on."""
        model = build_dcgan(self.config)
        self.monitor.set_model(model)
        return model

    def start(self):
        """As the beginning of a training."""
        self.monitor.set_model(self.model)
        self.monitor.on_train_begin()

    def fit(self, epochs):
        """Trains `STEPS` steps per epoch."""
        self.model.fit(
            self.batches,
            steps_per_epoch=STEPS,
            epochs=epochs,
            shuffle=False,
            verbose=0,
            callbacks=[self.monitor],
        )
        return self

    def idle(self, epochs):
        """Ends epochs without training in them."""
        self.start()
        for epoch in range(epochs):
            self.monitor.on_epoch_begin(epoch)
            self.monitor.on_epoch_end(epoch, dict.fromkeys(LOSSES, 0.5))
        return self

    @property
    def rows(self):
        return rows(self.folder / "health.csv")

    @property
    def states(self):
        """State and epoch of each report."""
        pairs = ((row["states"], int(row["epoch"])) for row in self.rows)
        return [(state, epoch) for state, epoch in pairs if state]

    def board(self):
        """Tag and text of everything written for TensorBoard."""
        self.writer.flush()
        found = []
        for path in (self.folder / "board").iterdir():
            for record in tf.data.TFRecordDataset(str(path)):
                event = tf.compat.v1.Event.FromString(record.numpy())
                found += [
                    (v.tag, b"".join(v.tensor.string_val).decode())
                    for v in event.summary.value
                ]
        return found


@pytest.fixture
def training(tiny_config, tmp_path):
    """`training(**options, **settings)`: a `Training`.

    `images` are as `toy_images` gives them; `every` is what the monitor takes
    for the steps of an epoch.
    """

    def make(*, images=None, every=50, stop_on_failure=False, **settings):
        config = tiny_config(**{"epochs": 400} | settings)
        return Training(tmp_path, config, images, every, stop_on_failure)

    return make


class TestStates:
    """Each state as a real training comes to it."""

    @pytest.mark.slow
    def test_a_healthy_training_reports_nothing(self, training, capsys):
        trained = training(width=8).fit(12)
        assert trained.states == []
        assert "epoch" not in capsys.readouterr().err
        assert len(trained.rows) == 12
        assert float(trained.rows[-1]["diversity"]) > 0.5
        assert float(trained.rows[-1]["misfit"]) < 0.4

    def test_the_discriminator_wins_and_that_ends_it(
        self, training, capsys, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(health, "FAILURE_WINDOW", 6)
        run = training(stop_on_failure=True, **DISCRIMINATOR_WINS)
        with pytest.raises(ValueError, match="failed at epoch") as found:
            run.fit(40)
        ((state, epoch),) = run.states
        assert state == "discriminator_winning"
        assert 5 <= epoch == len(run.rows) - 1 <= 8
        message = str(found.value)
        assert re.search(r"recognises (99|100)% of all images", message)
        assert "--set g_learning_rate=0.001 --set d_learning_rate" in message
        assert "\n" not in message
        # once, in one line and one text
        said = run.rows[epoch - 1]["said"]
        lines = capsys.readouterr().err.splitlines()
        assert lines.count(f"pet-dcgan: epoch {epoch}: {said}") == 1
        assert sum("is winning" in line for line in lines) == 1
        assert [text for tag, text in run.board() if tag == "health"] == [said]
        # no epoch was healthy
        assert not list(tmp_path.glob("*.npz"))

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("settings", "epochs", "state"),
        [
            ({"d_learning_rate": 1e-5}, 8, "generator_winning"),
            ({"latent_dim": 1, "g_learning_rate": 3e-3}, 12, "collapse"),
            (
                {"g_learning_rate": 1e-6, "d_learning_rate": 1e-6},
                16,
                "no_progress",
            ),
        ],
    )
    def test_rates_or_latents_out_of_balance(
        self, training, settings, epochs, state
    ):
        ((found, epoch),) = training(**settings).fit(epochs).states
        assert found == state
        assert epoch >= 10 or state != "no_progress"

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("count", "states"), [(4, ["memorisation"]), (64, [])]
    )
    def test_few_images_are_memorised(self, training, count, states):
        trained = training(images=smooth_fields(count), width=8).fit(24)
        assert [state for state, _ in trained.states] == states


class TestChecks:
    @pytest.mark.parametrize(
        ("steps", "epochs"),
        [(1, 50), (24, 3), (25, 2), (26, 2), (49, 2), (50, 1), (51, 1)],
    )
    def test_come_every_fifty_steps(self, training, steps, epochs):
        assert training(every=steps).monitor.every == epochs

    def test_come_at_the_end_too(self, training):
        rows = training(every=20, epochs=7).idle(7).rows
        assert [row["epoch"] for row in rows] == ["3", "6", "7"]

    def test_draw_64_images_from_the_moving_average(self, training):
        run = training(ema_decay=0.9)
        run.start()
        network, latents = run.model.average, run.monitor._latents
        network.set_weights([w * 3 for w in network.get_weights()])
        images = run.monitor._draw(latents).numpy()
        assert images.shape == (64, 32, 32)
        expected = network(latents, training=False).numpy()[..., 0]
        np.testing.assert_allclose(images, (expected + 1) * 1.25, atol=1e-5)

    def test_repeat_and_change_nothing_in_the_training(
        self, training, tiny_config, tmp_path
    ):
        first = training().idle(1)
        assert {tag for tag, _ in first.board()} == {
            f"health/{name}" for name in HEALTHY if name not in LOSSES
        }
        rows = first.rows
        assert len(rows[0]["misfit"]) <= len("0.123456")
        (tmp_path / "health.csv").unlink()
        assert training().idle(1).rows == rows
        for name, variables in build_dcgan(tiny_config()).state.items():
            for a, b in zip(variables, first.model.state[name], strict=True):
                np.testing.assert_array_equal(a, b)


class TestReports:
    def test_come_once_and_below_the_bar_of_a_terminal(
        self, training, monkeypatch, capsys
    ):
        training().monitor._report(3, [COLLAPSE])
        assert "epoch 3: alike: do this" in capsys.readouterr().err
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        again = training()
        again.monitor._report(3, [COLLAPSE])
        again.monitor._report(4, [COLLAPSE, COPIES])
        found = capsys.readouterr().err
        assert found == "\npet-dcgan: epoch 4: copies: or, that\n"
        assert again.states == [("collapse", 3), ("memorisation", 4)]

    def test_end_a_training_only_on_request_and_failure(self, training):
        training().monitor._report(1, [COLLAPSE])
        run = training(stop_on_failure=True)
        run.monitor._report(1, [COPIES])
        # reported before, in a part of the run that went on
        with pytest.raises(ValueError, match="at epoch 2: alike: do this"):
            run.monitor._report(2, [COPIES, COLLAPSE])
        assert run.states == [("collapse memorisation", 1)]

    def test_the_last_healthy_state_becomes_the_newest(
        self, training, tmp_path
    ):
        run = training(stop_on_failure=True)
        values = {n: v for n, v in HEALTHY.items() if n not in LOSSES}
        run.monitor.real = types.SimpleNamespace(
            vitals=lambda rows: Vitals(**values)
        )
        run.start()
        for epoch in range(12):
            run.monitor.on_epoch_begin(epoch)
            (tmp_path / f"state_{epoch + 1:04}.npz").touch()
            run.monitor.on_epoch_end(epoch, HEALTHY)
            if epoch == 4:
                values["misfit"] = 0.3  # just bad
        assert (tmp_path / "sound_0005.npz").exists()
        message = "last healthy state, of epoch 5, is kept"
        with pytest.raises(ValueError, match=message):
            run.monitor._report(12, [COLLAPSE])
        assert max(p.name for p in tmp_path.glob("*.npz")) == "state_0005.npz"

    def test_a_training_that_ends_leaves_no_healthy_state(
        self, training, tmp_path
    ):
        (tmp_path / "sound_0005.npz").touch()
        training().monitor.on_train_end()
        assert not list(tmp_path.glob("*.npz"))


class TestNonFinite:
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_loss_ends_the_training_at_once(self, training, value):
        run = training()
        run.monitor.on_epoch_begin(3)
        run.monitor.on_train_batch_end(0, {"d_loss": 1.0, "g_loss": 2.0})
        message = r"at epoch 4: .*diverged \(g_loss (nan|inf)"
        with pytest.raises(ValueError, match=message):
            run.monitor.on_train_batch_end(6, {"d_loss": 1.0, "g_loss": value})
        assert run.states == [("non_finite", 4)]
        assert run.rows[-1]["diversity"] == ""
        ((tag, text),) = run.board()
        assert tag == "health"
        assert "diverged" in text

    def test_weight_is_found_that_no_loss_shows(self, training):
        run = training(every=5)
        run.start()
        run.monitor.on_epoch_end(0)
        kernel = run.model.generator.get_layer("up_8").kernel
        kernel.assign(np.full(kernel.shape, np.inf))
        with pytest.raises(ValueError, match="up_8/kernel with NaN"):
            run.monitor.on_epoch_end(1)


@pytest.mark.slow
def test_a_failing_run_stops_and_can_be_resumed(
    toy_set, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(health, "FAILURE_WINDOW", 5)
    config = make_config(toy_set, epochs=52, batch_size=2, **DISCRIMINATOR_WINS)
    path = tmp_path / "ad"
    with pytest.raises(ValueError, match="is winning") as found:
        train(config, path, stop_on_failure=True, verbose=0)
    assert str(found.value).startswith("the training failed at epoch")
    assert "--set g_learning_rate=0.001" in str(found.value)
    assert len(list((path / "checkpoint").glob("state_*.npz"))) == 2
    before = [row["states"] for row in rows(path / "health.csv")]
    assert before[-1] == "discriminator_winning"
    # without the option it finishes, and reports nothing twice
    capsys.readouterr()
    run = train(config, path, resume=True, verbose=0)
    assert "is winning" not in capsys.readouterr().err
    assert run.finished
    after = [row["states"] for row in rows(path / "health.csv")]
    assert after == [*before, *[""] * (len(after) - len(before))]
    assert not list((path / "checkpoint").glob("sound_*.npz"))


def test_a_conditional_training_is_examined_by_its_conditions(
    toy_set, tmp_path
):
    settings = {"stage": "ALL", "conditions": "stage,position", "epochs": 3}
    config = make_config(toy_set, transition=True, **settings)
    train(config, tmp_path / "all", verbose=0)
    found = rows(tmp_path / "all" / "health.csv")
    assert set(HEALTHY | OBEDIENT) < set(found[-1])
    last = found[-1]
    assert last["label_weight"] == "1.0"
    assert float(last["conditional_diversity"]) > 0
    assert last["plane_effect"] == "nan"
    # discs do not change with the position
    assert math.isfinite(float(last["position_effect"]))
    assert 0 < abs(float(last["stage_effect"])) < 10
    assert last["states"] == ""


def test_a_conditional_generator_is_asked_for_what_images_show(
    toy_set, tmp_path
):
    settings = {"stage": "ALL", "conditions": "stage,position", "epochs": 50}
    config = make_config(toy_set, ema_decay=0.9, **settings)
    slices = load_training_slices(config)
    conditions = conditions_for(slices, config.condition_names)
    pool = pooled_stored(slices.images, config.suvr_max)
    values = condition_arrays(slices, conditions)
    writer = tf.summary.create_file_writer(str(tmp_path / "board"))
    monitor = HealthMonitor(
        HealthLog(tmp_path / "health.csv", phantom=True, conditional=True),
        config=config,
        real=RealImages(pool, slices.subjects),
        steps_per_epoch=50,
        writer=writer,
        checkpoint=tmp_path,
        conditions=RealConditions(conditions, values, pool, slices.subjects),
    )
    model = build_dcgan(config, conditions=conditions, steps=50)
    monitor.set_model(model)
    monitor.on_train_begin()
    asked = monitor.conditions.requests[-1]
    latents = monitor._latents[: len(asked["stage"])]
    inputs = {name: tf.constant(values) for name, values in asked.items()}
    expected = model.average({"latent": latents} | inputs, training=False)
    expected = pooled((expected.numpy()[..., 0] + 1) * 1.25)
    np.testing.assert_allclose(monitor._drawn(asked), expected, atol=1e-5)
    monitor.on_epoch_end(0, dict.fromkeys(LOSSES, 0.5))
    writer.flush()
    (board,) = (tmp_path / "board").iterdir()
    tags = {
        value.tag
        for record in tf.data.TFRecordDataset(str(board))
        for value in tf.compat.v1.Event.FromString(record.numpy()).summary.value
    }
    names = set(HEALTHY | OBEDIENT) - set(LOSSES)
    assert {f"health/{name}" for name in names} == tags
