"""Which people the subjects of BIDS data sets side by side are.

A label such as `sub-01` names one person in a data set and its derivatives,
and another person in the data set of the next site. The root of a data set of
raw images has `dataset_description.json` or `participants.tsv`; one in another,
such as a backup, is of the same people, and so are two that hold the same
files. ADNI's ids name one person everywhere.
"""

import functools
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from tfds_adni.sources.bids_names import parse_name
from tfds_adni.sources.bids_sidecars import Sidecars
from tfds_adni.sources.images import SAME, ImageFile, split_copies
from tfds_adni.sources.record import subject_of_label
from tfds_adni.sources.tree import Tree

_SHOWN = 3


class People:
    """The data sets of images, where a label of theirs has several owners.

    Args:
        tree: The folder of the images.
        images: Those with BIDS names.
        sidecars: Their JSON files.
    """

    def __init__(
        self, tree: Tree, images: Iterable[ImageFile], sidecars: Sidecars
    ) -> None:
        self._tree, self._sidecars = tree, sidecars
        self._roots = {
            path.parent
            for path in tree.files_ending(
                "participants.tsv", "dataset_description.json"
            )
            if not sidecars.data_set(path.parent).pipeline
        }
        self._root = functools.cache(self._root_of)
        files: dict[str, dict[Path | None, list]] = defaultdict(dict)
        for image in images if len(self._roots) > 1 else ():
            of = files[subject_of_image(image)]
            of.setdefault(self._root(image.path.parent), []).append(image)
        self._owners = {
            subject: owners
            for subject, of in files.items()
            if subject.startswith("sub-")
            and len(owners := _side_by_side(of)) > 1
            and not _are_copies(of[root] for root in owners if root in of)
        }

    def prefix(self, image: ImageFile) -> str:
        """Returns what tells a subject's id from that of another data set.

        Args:
            image: One of the images.

        Returns:
            Such as `siteA/`, `""` where the label has one owner.

        Raises:
            ValueError: If it may be of either of several people.
        """
        subject = subject_of_image(image)
        owners = self._owners.get(subject)
        if not owners:
            return ""
        names = ["/".join(self._tree.parts(owner)) for owner in owners]
        root = self._root(image.path.parent)
        for name, owner in zip(names, owners, strict=True):
            if root and root.is_relative_to(owner):
                return f"{name}/"
        raise ValueError(
            f"one label of several people: {subject} of "
            f"{' and '.join(names[:_SHOWN])}; put the file into one of them"
        )

    def _root_of(self, folder: Path) -> Path | None:
        """Returns the data set whose people images are of, if one is named."""
        home = self._sidecars.data_set(folder)
        place = home.root.parent if home.pipeline else folder
        while place.is_relative_to(self._tree.root):
            if place in self._roots:
                return place
            place = place.parent
        return None


def subject_of_image(image: ImageFile) -> str:
    """Returns the subject id of a BIDS image by its name alone."""
    return subject_of_label((parse_name(image.stem) or {"sub": ""})["sub"])


def _side_by_side(roots: Iterable[Path | None]) -> list[Path]:
    """Returns the outermost data sets, or those in the only one."""
    known = {root for root in roots if root}
    outer = [r for r in known if known.isdisjoint(r.parents)]
    inner = known.difference(outer)
    if len(outer) == 1 and len(inner) > 1:
        return _side_by_side(inner)
    return sorted(outer)


def _are_copies(sets: Iterable[list[ImageFile]]) -> bool:
    """Whether two data sets have one image in common."""
    by_stem: dict[str, list[ImageFile]] = defaultdict(list)
    for images in sets:
        for stem, image in {image.stem: image for image in images}.items():
            by_stem[stem].append(image)
    return any(
        why == SAME
        for same in by_stem.values()
        for _, why in split_copies(same)
    )
