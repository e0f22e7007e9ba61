"""A finished run of the toy set without a training."""

import functools
import tempfile
from pathlib import Path

from toy_data import STAGES

from pet_dcgan.config import make_config
from pet_dcgan.models.networks import build_generator
from pet_dcgan.runs.generator_file import write_generator
from pet_dcgan.runs.run import Run

FACTS = {
    "plane": "axial",
    "phantom": True,
    "size": 32,
    "spacing_mm": 6.0,
    "suvr_max": 2.5,
    "reference": "brain",
    "seed": 0,
}


def make_run(
    path,
    toy_set,
    stage="AD",
    *,
    subjects=None,
    validation=(),
    finished=True,
    **facts,
):
    """A run at `path`, with large weights: images differ by their latents.

    `subjects` replaces who it trained on, `validation` is whom it was measured
    by if not by the set's own; with `finished=False` it has no
    generator; `facts` replace those of the data.
    """
    config = make_config(
        "demo",
        overrides={"width": 4, "latent_dim": 6},
        stage=stage,
        dataset="axial_32",
        **{"data_dir": str(toy_set), **FACTS, **facts},
    )
    number = STAGES.index(stage) + 1
    trained_on = subjects or [f"999_S_{number}{i:03}" for i in range(3)]
    run = Run.create(path, config, trained_on, validation)
    if finished:
        (run.path / "generator.keras").write_bytes(_generator())
    return run


@functools.cache
def _generator():
    """The file of the generator, which every run has."""
    generator = build_generator(size=32, channels=1, latent_dim=6, width=4)
    generator.set_weights([w * 12 for w in generator.get_weights()])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "generator.keras")
        write_generator(file, generator)
        return file.read_bytes()
