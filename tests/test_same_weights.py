"""The same seed gives the same weights, by `fit` and by `train`: equal bits."""

import shutil

import keras
import numpy as np
import pytest
from toy_networks import own_discriminator, own_generator

from pet_dcgan.data.training_data import load_training_slices
from pet_dcgan.models.augmentation import Augmenter
from pet_dcgan.models.bending import Bender
from pet_dcgan.models.configured_dcgan import build_dcgan
from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.models.networks import build_discriminator, build_generator
from pet_dcgan.training.train import train

# all that has a state, or draws numbers, of its own
SETTINGS = {
    "ema_decay": 0.9,
    "augment": "translate,cutout,rotate,scale",
    "augment_target": 0.6,
    "bend_mm": 6.0,
    "epochs": 4,
    "seed": 3,
}
OWN = {"generator": own_generator, "discriminator": own_discriminator}


@pytest.fixture(scope="module")
def config(toy_set):
    from toy_model import make_config

    return make_config(toy_set, **SETTINGS)


@pytest.fixture(scope="module")
def trained(config, tmp_path_factory):
    """A run of `train`."""
    return train(config, tmp_path_factory.mktemp("same") / "ad", verbose=0)


def fitted(model, config):
    """The generator of a notebook's own `fit`."""
    model.fit(
        load_training_slices(config),
        batch_size=config.batch_size,
        epochs=config.epochs,
        verbose=0,
    )
    return model.sampler_network


def assert_same(run, network):
    kept, found = run.load_generator().get_weights(), network.get_weights()
    for one, other in zip(kept, found, strict=True):
        np.testing.assert_array_equal(one, other)
    assert any(np.any(each) for each in found)


def by_hand(config):
    """The same model as a reader of the documentation makes it."""
    shape = {
        "size": config.size,
        "channels": config.channels,
        "width": config.width,
        "kernel_size": config.kernel_size,
        "seed": config.seed,
    }
    model = DCGAN(
        build_generator(latent_dim=config.latent_dim, **shape),
        build_discriminator(**shape),
        seed=config.seed,
        ema_decay=config.ema_decay,
        augmenter=Augmenter(
            config.augmentations,
            config.augment_probability,
            target=config.augment_target,
            seed=config.seed,
        ),
        # a pixel has 6 mm, and a field changes over 24
        bender=Bender(1.0, 4.0, seed=config.seed),
    )
    adam = {"beta_1": config.beta_1, "beta_2": config.beta_2}
    model.compile(
        keras.optimizers.Adam(config.g_learning_rate, **adam),
        keras.optimizers.Adam(config.d_learning_rate, **adam),
    )
    return model


def test_fit_and_train(config, trained):
    assert_same(trained, fitted(build_dcgan(config), config))


def test_a_model_made_by_hand(config, trained):
    assert_same(trained, fitted(by_hand(config), config))


def test_another_seed_gives_others(toy_set, config, trained):
    from toy_model import make_config

    other = make_config(toy_set, **SETTINGS | {"seed": 4})
    others = fitted(build_dcgan(other), config)
    with pytest.raises(AssertionError):
        assert_same(trained, others)


def test_fit_with_validation_data(config, trained):
    """Measuring draws nothing that training draws."""
    slices = load_training_slices(config)
    model = build_dcgan(config)
    model.fit(
        slices,
        validation_data=slices.images[:8],
        batch_size=config.batch_size,
        epochs=config.epochs,
        verbose=0,
    )
    assert_same(trained, model.sampler_network)


@pytest.mark.parametrize("epoch", [3, 4])
def test_a_resumed_training(config, trained, tmp_path, epoch):
    path = tmp_path / "stopped"
    shutil.copytree(trained.path, path)
    (path / "generator.keras").unlink()
    for later in range(epoch + 1, config.epochs + 1):
        (path / "checkpoint" / f"state_{later:04}.npz").unlink()
    run = train(config, path, resume=True, verbose=0)
    assert_same(run, fitted(build_dcgan(config), config))


@pytest.mark.parametrize("as_models", [False, True])
def test_own_networks(config, tmp_path, as_models):
    made = {role: make(config) for role, make in OWN.items()}
    run = train(
        config, tmp_path / "ad", verbose=0, **(made if as_models else OWN)
    )
    # it was copied, so that it is still as it was made
    assert_same(run, fitted(build_dcgan(config, **made), config))
