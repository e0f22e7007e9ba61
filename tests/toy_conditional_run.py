"""Finished conditional runs of the toy sets without a training."""

import numpy as np
from toy_data import STAGES
from toy_run import FACTS

from pet_dcgan.conditions import Conditions
from pet_dcgan.config import make_config
from pet_dcgan.models.networks import build_generator
from pet_dcgan.runs.generator_file import write_generator
from pet_dcgan.runs.run import Run

CONDITIONS = Conditions(
    names=("stage", "position"), bands_mm={"axial": (0.0, 18.0)}
)


def conditional_run(path, toy_set, *, training=3, obeys=True, **options):
    """A run at `path` whose weights are random, and large.

    `training` is how many subjects of each stage it trained on. With
    `obeys=False` conditions change nothing; `options` replace `conditions`
    and facts of the data.
    """
    conditions = options.pop("conditions", CONDITIONS)
    config = make_config(
        "demo",
        overrides={
            "width": 4,
            "latent_dim": 6,
            "conditions": ",".join(conditions.names),
            "transition": True,
        },
        stage="ALL",
        dataset="axial_32",
        **{"data_dir": str(toy_set), **FACTS, **options},
    )
    subjects = [
        f"999_S_{STAGES.index(stage) + 1}{number:03}"
        for stage in conditions.stages
        for number in range(training)
    ]
    run = Run.create(path, config, subjects, conditions=conditions)
    generator = build_generator(
        size=32, channels=1, latent_dim=6, width=4, conditions=conditions
    )
    rng = np.random.default_rng(0)
    for weight in generator.weights:
        values = weight.numpy() * 12
        if "condition" in weight.path:
            values = rng.normal(size=values.shape) * obeys
        if "label_weight" in weight.path:
            values = np.ones_like(values)
        weight.assign(values)
    write_generator(run.path / "generator.keras", generator)
    return run
