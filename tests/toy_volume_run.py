"""Finished runs of volumes without a training, of a set of balls."""

import toy_volume_set
from toy_data import STAGES
from toy_volume_models import LATENT_DIM, volume_generator

from pet_dcgan.conditions import Conditions
from pet_dcgan.config import make_config
from pet_dcgan.models.tissue_mean import tissue_suvr_max
from pet_dcgan.runs.generator_file import write_generator
from pet_dcgan.runs.run import Run

SUBJECTS = {"train": 4, "validation": 9, "test": 9}


class Adni(toy_volume_set.Adni, skip_registration=True):
    """Nine held-out subjects of each stage in a split."""

    pkg_dir_path = None

    def _split_generators(self, dl_manager):
        splits, first = {}, 0
        for name, count in SUBJECTS.items():
            splits[name] = toy_volume_set._split(first, count)
            first += count
        return splits


def prepare(data_dir):
    """Writes `<data_dir>/adni/volume_32/2.0.0` and returns `data_dir`."""
    return toy_volume_set.prepare(data_dir, Adni)


def volume_run(path, data_dir, *, stage=None, training=4, **facts):
    """A run at `path` of every stage, or of one without conditions.

    `facts` replace those of the data.
    """
    conditions = None
    overrides = {"width": 4, "latent_dim": LATENT_DIM, "channels": 32}
    if stage is None:
        conditions = Conditions(
            names=("stage",), bands_mm={"volume": (0.0, 0.0)}
        )
        overrides |= {"conditions": "stage", "transition": True}
    known = {
        "plane": "volume",
        "phantom": True,
        "size": 32,
        "spacing_mm": 7.0,
        "suvr_max": 2.5,
        "reference": "brain",
        "seed": 0,
    }
    config = make_config(
        "demo",
        overrides=overrides,
        stage=stage or "ALL",
        dataset="volume_32",
        **{"data_dir": str(data_dir), **known, **facts},
    )
    subjects = [
        f"999_S_{STAGES.index(each) + 1}{number:03}"
        for each in ([stage] if stage else STAGES)
        for number in range(training)
    ]
    run = Run.create(path, config, subjects, conditions=conditions)
    generator = volume_generator(
        conditions=conditions, tissue_suvr_max=tissue_suvr_max(config)
    )
    write_generator(run.path / "generator.keras", generator)
    return run
