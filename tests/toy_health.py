"""Health records by number, and trainings of a tiny model to be monitored."""

import csv
import functools

import tensorflow as tf

from pet_dcgan.data.batches import training_batches
from pet_dcgan.data.training_data import (
    load_training_slices,
    load_validation_slices,
)
from pet_dcgan.models.dcgan import build_dcgan
from pet_dcgan.training.health_monitor import HealthLog, HealthMonitor
from pet_dcgan.training.vitals import HealthRecord, RealImages, pooled_stored

# instead of 50, so that a state shows within seconds
STEPS = 20
HEALTHY = {
    "d_loss": 1.1,
    "g_loss": 1.4,
    "real_accuracy": 0.7,
    "fake_accuracy": 0.7,
    "diversity": 0.9,
    "distinctness": 0.25,
    "misfit": 0.05,
    "training_distance": 1.0,
}


def make_records(count, **changes):
    """`count` records; a change is a number, or one number a record."""
    records = []
    for index in range(count):
        values = {
            name: value[index] if isinstance(value, list | tuple) else value
            for name, value in (HEALTHY | changes).items()
        }
        records.append(HealthRecord(epoch=index + 1, **values))
    return records


@functools.cache
def real_images(config):
    """What the toy set's training is compared with."""
    training = load_training_slices(config)
    held_out = load_validation_slices(config)
    return RealImages(
        pooled_stored(training.images, config.suvr_max),
        training.subjects,
        pooled_stored(held_out.images, config.suvr_max),
    )


class Training:
    """A model, its monitor in `folder`, and what the monitor wrote.

    `images` are the real images and endless batches to train on, if not the
    toy set's; `every` is what the monitor takes for the steps of an epoch.
    """

    def __init__(
        self, folder, config, *, images=None, every=50, stop_on_failure=False
    ):
        self.config = config
        self.folder = folder
        real, self.batches = images or (None, None)
        self.writer = tf.summary.create_file_writer(str(folder / "board"))
        self.monitor = HealthMonitor(
            HealthLog(folder / "health.csv", phantom=config.phantom),
            config=config,
            real=real or real_images(config),
            steps_per_epoch=every,
            writer=self.writer,
            checkpoint=folder,
            stop_on_failure=stop_on_failure,
        )

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
            self.batches or toy_batches(self.config),
            steps_per_epoch=STEPS,
            epochs=epochs,
            shuffle=False,
            verbose=0,
            callbacks=[self.monitor],
        )
        self.writer.flush()
        return self

    def idle(self, epochs):
        """Ends epochs without training in them."""
        logs = dict.fromkeys(
            ("d_loss", "g_loss", "real_accuracy", "fake_accuracy"), 0.5
        )
        self.start()
        for epoch in range(epochs):
            self.monitor.on_epoch_begin(epoch)
            self.monitor.on_epoch_end(epoch, logs)
        self.writer.flush()
        return self

    @property
    def rows(self):
        """The rows of `health.csv`."""
        with (self.folder / "health.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    @property
    def states(self):
        """State and epoch of each report."""
        return [
            (row["states"], int(row["epoch"]))
            for row in self.rows
            if row["states"]
        ]

    def board(self):
        """(tag, step, text) of everything written for TensorBoard."""
        found = []
        for path in (self.folder / "board").iterdir():
            for record in tf.data.TFRecordDataset(str(path)):
                event = tf.compat.v1.Event.FromString(record.numpy())
                found += [
                    (v.tag, event.step, b"".join(v.tensor.string_val).decode())
                    for v in event.summary.value
                ]
        return found


def toy_batches(config):
    """Batches of the toy set, more than any test needs."""
    return training_batches(load_training_slices(config), config)
