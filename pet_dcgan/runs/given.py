"""A run, however it was given: itself, its folder, or a model to make it of."""

from pathlib import Path

import keras

from pet_dcgan.data.slices import Slices
from pet_dcgan.runs.run import Run


def as_run(
    given: Run | keras.Model | str | Path,
    *,
    slices: Slices | None = None,
    out: str | Path | None = None,
) -> Run:
    """The run that was given, or that is made of a model.

    Args:
        given: A run, its folder, or a `DCGAN` or generator.
        slices: What a model was trained on.
        out: Folder for the run of a model.

    Raises:
        FileNotFoundError: If there is no such run.
        ValueError: If slices or a folder are missing for a model, or given
            for a run, which has its own.
    """
    is_model = isinstance(given, keras.Model)
    needed = {"slices": slices, "out": out}
    wrong = [n for n, x in needed.items() if (x is None) == is_model]
    if wrong:
        names = " and ".join(f"{name}=" for name in wrong)
        raise ValueError(
            f"expected {names} with a model, found none: give what it was "
            "trained on, and a folder for its run"
            if is_model
            else f"expected {names} with a model alone, found them with a run, "
            "which has its own: leave them out"
        )
    if is_model:
        return Run.of_model(out, given, slices)
    return given if isinstance(given, Run) else Run.open(given)
