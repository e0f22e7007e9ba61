"""What an evaluation refuses before it begins."""

from pet_dcgan.config import SET_FACTS, TrainConfig
from pet_dcgan.data.slices import Slices


def require_options(*, seed: int, search: int, count: int | None) -> None:
    """Refuses options of an evaluation that are out of range.

    Args:
        seed: Seed of the first synthetic image.
        search: Number of images that are searched for copies.
        count: Number of synthetic images, None for the default.

    Raises:
        ValueError: If one is.
    """
    if not 0 <= seed < 2**62:
        raise ValueError(f"expected a seed of 0 or more, found {seed}")
    if search < 1:
        raise ValueError(
            f"expected one image or more to search for copies, found {search}"
        )
    if count is not None and count < 2:
        raise ValueError(f"expected a count of 2 or more, found {count}")


def require_same_set(config: TrainConfig, slices: Slices) -> None:
    """Refuses slices of another set than a run was trained on.

    Args:
        config: The run's.
        slices: Of the set.

    Raises:
        ValueError: If their pixels mean something else.
    """
    for name in SET_FACTS:
        wanted, found = getattr(config, name), getattr(slices.meta, name)
        if wanted != found:
            raise ValueError(
                f"expected a data set with the run's {name} {wanted}, found "
                f"{found}: give the --data-dir the run was trained on"
            )
