"""Configurations and models whose training takes seconds."""

from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.models.networks import build_discriminator, build_generator
from pet_dcgan.presets import PLAIN
from pet_dcgan.training.train import resolve_config

# what is tested is switched on by each test
SMALL = PLAIN | {"width": 4, "batch_size": 4, "latent_dim": 6, "epochs": 2}


def make_config(data_dir, *, stage="AD", seed=0, **overrides):
    """The demo's networks on the toy set, smaller, with `overrides` alone."""
    return resolve_config(
        "demo",
        data_dir=data_dir,
        dataset="axial_32",
        stage=stage,
        overrides=SMALL | overrides,
        seed=seed,
    )


def make_model(seed=0, **options):
    """A compiled DCGAN of 32 px, 1 channel, width 4, latents of 6."""
    shape = {"size": 32, "channels": 1, "width": 4, "seed": seed}
    model = DCGAN(
        build_generator(latent_dim=6, **shape),
        build_discriminator(**shape),
        seed=seed,
        **options,
    )
    model.compile()
    return model
