import csv

import matplotlib.image
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.training.callbacks import EpochLog, EpochProgress, SampleGrid

REAL = np.random.default_rng(0).uniform(-1, 1, [4, 32, 32, 1])
SUVR = np.random.default_rng(1).uniform(0, 2.5, [16, 32, 32])


@pytest.fixture
def writer(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path / "board"))
    yield writer
    writer.close()


def board_tags(tmp_path):
    """(tag, step) of everything written for TensorBoard."""
    found = []
    for path in (tmp_path / "board").iterdir():
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            found += [(v.tag, event.step) for v in event.summary.value]
    return found


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


class TestSampleGrid:
    @pytest.fixture
    def fitted(self, tiny_model, tiny_config, tmp_path, writer):
        def fit(**settings):
            config = tiny_config(**settings)
            grid = SampleGrid(
                tmp_path / "samples",
                tiles=tmp_path / "tiles",
                config=config,
                real=SUVR,
                writer=writer,
            )
            model = tiny_model()
            model.fit(
                REAL,
                epochs=config.epochs,
                shuffle=False,
                verbose=0,
                callbacks=[grid],
            )
            writer.flush()
            return model, grid

        return fit

    def test_draws_the_first_every_nth_and_the_last_epoch(
        self, fitted, tiny_model, tmp_path
    ):
        model, _ = fitted(epochs=5, samples_every=2, seed=11)
        assert sorted(p.name for p in (tmp_path / "samples").iterdir()) == [
            *(f"epoch_000{epoch}.png" for epoch in (1, 2, 4, 5)),
            "real.png",
        ]
        assert board_tags(tmp_path) == [
            ("real (phantom)", 0),
            *(("synthetic (phantom)", epoch) for epoch in (1, 2, 4, 5)),
        ]
        # the images are of the seeds from the run's seed on
        expected = synthetic_slices(
            model.generator, np.arange(11, 19), suvr_max=2.5
        )
        with np.load(tmp_path / "tiles" / "samples_0005.npz") as kept:
            np.testing.assert_allclose(kept["suvr"], expected, atol=2e-3)
        # and drawing changes nothing in the training
        other = tiny_model()
        other.fit(REAL, epochs=5, shuffle=False, verbose=0)
        for a, b in zip(model.weights, other.weights, strict=True):
            np.testing.assert_array_equal(a, b)

    def test_the_montage_has_a_row_for_each_kept_epoch(self, fitted):
        _, grid = fitted(epochs=4, samples_every=2)
        picture = matplotlib.image.imread(grid.write_montage())
        # three rows (epochs 1, 2, 4) of 128 pixels below the title
        assert picture.shape[0] == pytest.approx(3 * 128 + 70, abs=2)

    def test_a_long_montage_keeps_first_and_last(
        self, tiny_config, tmp_path, writer, monkeypatch
    ):
        for epoch in range(1, 21):
            path = tmp_path / f"samples_{epoch:04}.npz"
            np.savez(path, suvr=SUVR[:8], epoch=epoch)
        grid = SampleGrid(
            tmp_path,
            tiles=tmp_path,
            config=tiny_config(),
            real=SUVR,
            writer=writer,
        )
        seen = []
        monkeypatch.setattr(
            "pet_dcgan.training.callbacks.save_sheet",
            lambda path, rows, **_: seen.extend(label for label, _ in rows),
        )
        grid.write_montage()
        assert len(seen) == len(set(seen)) == 12
        assert (seen[0], seen[-1]) == ("epoch 1", "epoch 20")


class TestEpochLog:
    @pytest.fixture
    def log(self, tmp_path, writer):
        def log(first, last):
            callback = EpochLog(
                tmp_path / "log.csv", phantom=True, writer=writer
            )
            callback.on_train_begin()
            for epoch in range(first, last):
                callback.on_epoch_begin(epoch)
                callback.on_epoch_end(epoch, {"d_loss": 1.5, "g_loss": epoch})
            return rows(tmp_path / "log.csv")

        return log

    def test_a_row_an_epoch_with_every_metric(self, log, tmp_path):
        found = log(0, 2)
        seconds = [float(row.pop("seconds")) for row in found]
        assert found == [
            {"epoch": "1", "d_loss": "1.5", "g_loss": "0", "phantom": "true"},
            {"epoch": "2", "d_loss": "1.5", "g_loss": "1", "phantom": "true"},
        ]
        assert min(seconds) >= 0
        assert board_tags(tmp_path) == [
            ("d_loss", 1),
            ("g_loss", 1),
            ("d_loss", 2),
            ("g_loss", 2),
        ]

    def test_repeated_epochs_stand_once(self, log):
        first = log(0, 3)
        again = log(1, 4)
        assert [row["epoch"] for row in again] == ["1", "2", "3", "4"]
        assert again[0] == first[0]


def test_a_bar_counts_the_epochs_of_a_stopped_run_too(tiny_model):
    counts = []
    callback = EpochProgress(lambda *each: counts.append(each))
    tiny_model().fit(
        REAL, epochs=4, initial_epoch=2, callbacks=[callback], verbose=0
    )
    assert counts == [(3, 4), (4, 4)]
