"""Trains on the toy set as one of several devices; run as a script.

Logical devices and TF_CONFIG have to be there before anything else, so this
is a process of its own: `python shared_training.py STRATEGY DEVICES DATA_DIR
RUN [resume] [own] [name=value ...]`.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

# An epoch is one step of all twelve slices, so that log.csv has every step.
# The rates are the paper's: at the demo's, ten times as high, one weight whose
# gradient is all rounding, which Adam's first steps scale up, shows in the
# fourth digit of the losses after five steps.
STEPS = {
    "g_learning_rate": "1e-4",
    "d_learning_rate": "1e-4",
    "width": "4",
    "latent_dim": "6",
    "batch_size": "12",
    "epochs": "10",
    "samples_every": "100",
}


def main(name, devices, data_dir, run, *settings):
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_visible_devices([], "GPU")
    logical = [tf.config.LogicalDeviceConfiguration()] * int(devices)
    tf.config.set_logical_device_configuration(cpu, logical)
    from pet_dcgan.presets import PLAIN
    from pet_dcgan.training.distribution import make_strategy
    from pet_dcgan.training.train import resolve_config, train

    strategy = make_strategy(name)
    given = dict(text.split("=") for text in settings if "=" in text)
    config = resolve_config(
        "demo",
        data_dir=data_dir,
        dataset="axial_32",
        stage=None if "conditions" in given else "AD",
        overrides=PLAIN | STEPS | given,
    )
    resume = "resume" in settings
    own = own_parts() if "own" in settings else {}
    train(config, run, strategy=strategy, resume=resume, verbose=0, **own)


def own_parts():
    """Networks without dropout, of which each device has its own, and rates."""
    import keras
    from toy_networks import own_discriminator, own_generator

    halved = keras.callbacks.LearningRateScheduler(lambda _, rate: rate / 2)
    return {
        "generator": lambda c: own_generator(c, block=False, dropout=0),
        "discriminator": lambda c: own_discriminator(c, dropout=0),
        "callbacks": [halved],
    }


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (ValueError, OSError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
