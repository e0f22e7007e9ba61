import csv

import pytest
import tensorflow as tf
from board import tags_and_steps

from pet_dcgan.training.callbacks import EpochLog


@pytest.fixture
def writer(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path / "board"))
    yield writer
    writer.close()


def test_the_log_has_a_row_for_each_epoch_once(tmp_path, writer):
    def log(first, last):
        callback = EpochLog(tmp_path / "log.csv", phantom=True, writer=writer)
        callback.on_train_begin()
        for epoch in range(first, last):
            callback.on_epoch_begin(epoch)
            callback.on_epoch_end(epoch, {"d_loss": 1.5, "g_loss": epoch})
        with (tmp_path / "log.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    first = log(0, 2)
    assert tags_and_steps(tmp_path / "board") == [
        ("custom_scalars__config__", 0),
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
