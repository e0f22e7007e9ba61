import csv

import numpy as np
import pytest
import tensorflow as tf
from board import tags_and_steps

from pet_dcgan.data.prepared_set import NoSlicesError
from pet_dcgan.runs.run import Run
from pet_dcgan.training import callbacks
from pet_dcgan.training.callbacks import EpochLog
from pet_dcgan.training.suspected_copies import centred_stored
from pet_dcgan.training.train import load_training_slices


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


def test_copies_are_searched_for_among_what_the_run_trains_on(
    tiny_config, tmp_path, quick_encoder
):
    config = tiny_config(select_every=1)
    slices = load_training_slices(config)
    built = callbacks.training_callbacks(
        Run(tmp_path, config, sorted(set(slices.subjects))),
        slices,
        writer=tf.summary.create_noop_writer(),
    )
    copies = built["selection"].copies
    np.testing.assert_array_equal(
        copies.train, centred_stored(slices.images, 2.5)
    )
    assert len(copies.owners) == len(slices.images)


def test_without_validation_subjects_the_last_generator_is_kept(
    tiny_config, tmp_path, monkeypatch, capsys
):
    def none(config, *, subjects):
        raise NoSlicesError("none of that stage")

    monkeypatch.setattr(callbacks, "load_validation_slices", none)
    config = tiny_config(select_every=1)
    slices = load_training_slices(config)
    built = callbacks.training_callbacks(
        Run(tmp_path, config, ["a"]),
        slices,
        writer=tf.summary.create_noop_writer(),
    )
    assert list(built) == ["health", "samples", "log", "checkpoint"]
    assert "no validation subjects of AD" in capsys.readouterr().err


def test_the_validation_subjects_of_the_run_choose_its_generator(
    tiny_config, tmp_path, monkeypatch
):
    asked = []

    def load(config, *, subjects):
        asked.append(subjects)
        raise NoSlicesError("none of that stage")

    monkeypatch.setattr(callbacks, "load_validation_slices", load)
    config = tiny_config()
    slices = load_training_slices(config)
    for validation in ((), ("b",)):
        callbacks.training_callbacks(
            Run(tmp_path, config, ["a"], validation),
            slices,
            writer=tf.summary.create_noop_writer(),
        )
    assert asked == [None, ["b"]]
