import csv

import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.training import callbacks
from pet_dcgan.training.callbacks import EpochLog, SampleGrid

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


class TestSampleGrid:
    @pytest.fixture
    def sheets(self, monkeypatch):
        """Name of each sheet to be drawn, and its rows."""
        drawn = {}
        monkeypatch.setattr(
            callbacks,
            "save_sheet",
            lambda path, rows, **facts: drawn.update({path.name: rows}),
        )
        return drawn

    @pytest.fixture
    def grid(self, tiny_model, tiny_config, tmp_path, writer, sheets):
        """`grid(epochs=5, ...)`: after all epochs, without training in them."""

        def make(**settings):
            config = tiny_config(**settings)
            callback = SampleGrid(
                tmp_path / "samples",
                tiles=tmp_path,
                config=config,
                real=SUVR,
                writer=writer,
            )
            callback.set_model(tiny_model())
            callback.on_train_begin()
            for epoch in range(config.epochs):
                callback.on_epoch_end(epoch)
            writer.flush()
            return callback

        return make

    def test_draws_the_first_every_nth_and_the_last_epoch(
        self, grid, sheets, tiny_model, tmp_path
    ):
        model = grid(epochs=5, samples_every=2, seed=11).model
        drawn = [1, 2, 4, 5]
        assert list(sheets) == [
            "real.png",
            *(f"epoch_000{epoch}.png" for epoch in drawn),
        ]
        assert board_tags(tmp_path) == [
            ("real (phantom)", 0),
            *(("synthetic (phantom)", epoch) for epoch in drawn),
        ]
        # the images are of the seeds from the run's seed on
        expected = synthetic_slices(
            model.generator, np.arange(11, 27), suvr_max=2.5
        )
        rows = [images for _, images in sheets["epoch_0005.png"]]
        np.testing.assert_allclose(np.concatenate(rows), expected, atol=1e-6)
        with np.load(tmp_path / "samples_0005.npz") as kept:
            np.testing.assert_allclose(kept["suvr"], expected[:8], atol=2e-3)
        # and drawing changes nothing in the training
        for a, b in zip(model.variables, tiny_model().variables, strict=True):
            np.testing.assert_array_equal(a, b)

    def test_a_resumed_run_keeps_its_real_slices(self, grid, sheets, tmp_path):
        (tmp_path / "samples").mkdir()
        (tmp_path / "samples" / "real.png").touch()
        grid(epochs=1)
        assert list(sheets) == ["epoch_0001.png"]

    def test_the_montage_has_up_to_twelve_rows_from_first_to_last(
        self, grid, sheets, tmp_path
    ):
        callback = grid(epochs=4, samples_every=2)
        callback.write_montage()
        labels = [label for label, _ in sheets["montage.png"]]
        assert labels == ["epoch 1", "epoch 2", "epoch 4"]
        for epoch in range(1, 21):
            path = tmp_path / f"samples_{epoch:04}.npz"
            np.savez(path, suvr=SUVR[:8], epoch=epoch)
        callback.write_montage()
        labels = [label for label, _ in sheets["montage.png"]]
        assert len(labels) == len(set(labels)) == 12
        assert (labels[0], labels[-1]) == ("epoch 1", "epoch 20")


def test_the_log_has_a_row_for_each_epoch_once(tmp_path, writer):
    def log(first, last):
        callback = EpochLog(tmp_path / "log.csv", phantom=True, writer=writer)
        for epoch in range(first, last):
            callback.on_epoch_begin(epoch)
            callback.on_epoch_end(epoch, {"d_loss": 1.5, "g_loss": epoch})
        with (tmp_path / "log.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    first = log(0, 2)
    assert board_tags(tmp_path) == [
        ("d_loss", 1),
        ("g_loss", 1),
        ("d_loss", 2),
        ("g_loss", 2),
    ]
    again = log(1, 3)
    assert again[0] == first[0]
    seconds = [float(row.pop("seconds")) for row in again]
    assert min(seconds) >= 0
    facts = {"d_loss": "1.5", "phantom": "true"}
    assert again == [
        facts | {"epoch": str(epoch + 1), "g_loss": str(epoch)}
        for epoch in range(3)
    ]
