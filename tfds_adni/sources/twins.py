"""The two folders of a phantom whose people have twins without the disease.

Both hold the same people under the same names, so they are two cohorts.
"""

from collections.abc import Iterable

from tfds_adni.sources.images import ImageFile
from tfds_adni.sources.tree import Tree

WITH_DISEASE = "with_disease"
WITHOUT_DISEASE = "without_disease"


def require_one_twin(tree: Tree, images: Iterable[ImageFile]) -> None:
    """Refuses a folder that holds people and their twins.

    Args:
        tree: The folder.
        images: Those in it.

    Raises:
        ValueError: If an image lies under one name in both.
    """
    places: dict[str, set] = {WITH_DISEASE: set(), WITHOUT_DISEASE: set()}
    for image in images:
        parts = tree.parts(image.path)
        for name, found in places.items():
            if name in parts:
                at = parts.index(name)
                found.add((parts[:at], parts[at + 1 :]))
    both = set.intersection(*places.values())
    if both:
        home = tree.root.joinpath(*min(both)[0])
        raise ValueError(
            f"expected one cohort, found the same people with and without "
            f"the disease in {home}: give {home / WITH_DISEASE} or "
            f"{home / WITHOUT_DISEASE}"
        )
