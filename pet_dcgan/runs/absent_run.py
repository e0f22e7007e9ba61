"""The errors for a folder that is no run, and for a run that is not ready."""

from pathlib import Path

from pet_dcgan.config import ALL_STAGES, OWN, TrainConfig
from pet_dcgan.models.model_info import GRAPH_FILE
from pet_dcgan.presets import EVERY, PRESETS, VOLUME
from pet_dcgan.utils.meant import as_typed, meant


def is_run(path: Path) -> bool:
    """Whether a folder has the files of a run, finished or not."""
    return all((path / n).is_file() for n in ("config.json", "subjects.csv"))


def absent_run(path: Path, missing: str) -> FileNotFoundError:
    """The error for a path that is no run, with the run that was meant.

    Args:
        path: What was given.
        missing: The file of a run that is not there.
    """
    runs = meant(path, is_run)
    if (path / GRAPH_FILE).is_file() or any(path.glob(f"*/{GRAPH_FILE}")):
        remedy = "it is an exported model, name the run it was exported from"
    elif runs:
        remedy = f"name a run, as {as_typed(*runs)}"
    else:
        remedy = "name a folder made by pet-dcgan train"
    return FileNotFoundError(
        f"expected a run folder, found no {missing}: {remedy}"
    )


def finishing(config: TrainConfig, path: Path) -> str:
    """What to do about a run without a generator.

    Args:
        config: Of the run.
        path: Its folder.
    """
    if config.preset == OWN:
        return "make the run again from its model"
    return f"go on with {resume_command(config, path)}"


def resume_command(config: TrainConfig, path: Path) -> str:
    """The command that goes on with a stopped run.

    Args:
        config: Of the run, which `train` has begun.
        path: Its folder.
    """
    facts = {
        "data-dir": config.data_dir,
        "config": config.dataset,
        "stage": config.stage,
        # the only one of a set of volumes is not named
        "plane": "" if config.plane == VOLUME else config.plane,
        "run": str(path),
        "preset": config.preset,
    }
    options = [
        f"--{n} {as_typed(value)}"
        for n, value in facts.items()
        if value and value != ALL_STAGES  # nor all planes
    ]
    usually = PRESETS[config.preset]
    # unless these are given, a preset has others where slices are few, and
    # with other conditions
    given = {"epochs", *EVERY}
    if config.conditions != usually["conditions"]:
        given.add("transition")
    for name, usual in usually.items():
        value = getattr(config, name)
        if value != usual or name in given:
            # JSON's words for Python's
            text = str(value).lower() if value in (True, False) else value
            options.append(f"--set {as_typed(f'{name}={text}')}")
    if config.seed:
        options.append(f"--seed {config.seed}")
    return f"pet-dcgan train {' '.join(options)} --resume"
