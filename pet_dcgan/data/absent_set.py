"""The error for a prepared set that is not there."""

from pathlib import Path

from pet_dcgan.config import DATASETS
from pet_dcgan.utils.choices import similar
from pet_dcgan.utils.meant import as_typed, meant

NAME = "adni"


def absent_set(data_dir: Path, dataset: str) -> FileNotFoundError:
    """Says what to write in place of what was given.

    Args:
        data_dir: Folder in which `adni/<dataset>/<version>` was looked for.
        dataset: Name of the configuration.
    """
    others = _sets(data_dir)
    return FileNotFoundError(
        f"expected a prepared set {NAME}/{dataset} in {data_dir}, found "
        f"{', '.join(others) or _found(data_dir)}: "
        f"{_remedy(data_dir, dataset, others)}"
    )


def _remedy(data_dir: Path, dataset: str, others: list[str]) -> str:
    """What to do about it."""
    if not others and (folders := meant(data_dir, _sets)):
        return f"write --data-dir {as_typed(*folders)}"
    near = similar(dataset, others)
    if near and dataset not in DATASETS:
        return f"write --config {as_typed(near[0])}"
    if dataset not in DATASETS:
        dataset = (similar(dataset, DATASETS) or DATASETS)[0]
    other = f", or write --config {as_typed(*others)}" if others else ""
    return (
        "make it with pet-dcgan prepare FOLDER --data-dir "
        f"{as_typed(data_dir)} --config {as_typed(dataset)}{other}"
    )


def _sets(data_dir: Path) -> list[str]:
    """The configurations that are prepared in a folder."""
    found = data_dir.glob(f"{NAME}/*/*.*.*/")
    return sorted({path.parts[-2] for path in found})


def _found(data_dir: Path) -> str:
    """What is there in place of sets."""
    if data_dir.is_dir():
        return "none"
    return "a file" if data_dir.exists() else "no such folder"
