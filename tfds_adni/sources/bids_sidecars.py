"""The JSON files of BIDS: which hold for an image, and what they say of it.

By the inheritance principle a file `[sub-<label>_][<entity>-<label>_]pet.json`
in the image's folder or in one around it holds for every image below whose
name has all its entities; of several that give a key the nearest counts, and
of those in one folder the one with most entities.
<https://bids-specification.readthedocs.io/en/stable/common-principles.html>

`dataset_description.json` marks the root of a data set, and derivatives by
`DatasetType`; a folder inside `derivatives` is taken for one as well.
"""

import dataclasses
import functools
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from tfds_adni.sources.timing import FrameTiming, are_times
from tfds_adni.sources.tracers import TRACER_KEYS
from tfds_adni.sources.tree import Tree

_MAX_BYTES = 1024 * 1024
_DESCRIPTION = "dataset_description.json"
_DERIVATIVES = "derivatives"
_STARTS, _DURATIONS = "FrameTimesStart", "FrameDuration"
_INJECTION = "InjectionStart"
_KEPT = (*TRACER_KEYS, _STARTS, _DURATIONS, _INJECTION)


@dataclasses.dataclass(frozen=True)
class DataSet:
    """The BIDS data set that an image is part of.

    Attributes:
        root: Its folder, or the folder scanned.
        pipeline: The name of what made it, `""` for raw data.
    """

    root: Path
    pipeline: str = ""


class Sidecars:
    """The JSON files of a folder; each is opened once, if it is needed.

    Args:
        tree: The files of the folder.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        # By folder and subject, "" for files that hold for all of them.
        self._files: dict[tuple[Path, str], list] = defaultdict(list)
        self._descriptions = set()
        for path in tree.files_ending(".json"):
            *parts, suffix = path.name[: -len(".json")].split("_")
            if path.name == _DESCRIPTION:
                self._descriptions.add(path.parent)
            elif suffix == "pet":
                place = path.parent, _subject(parts)
                self._files[place].append((len(parts), path, set(parts)))
        for files in self._files.values():
            files.sort(key=lambda file: file[:2])
        self.data_set = functools.cache(self._data_set)
        self._read = functools.cache(_read_json)
        self._load = functools.cache(_load)

    def facts(self, image: Path, stem: str, root: Path) -> dict:
        """Returns what the JSON files say of an image, by key.

        Args:
            image: The image.
            stem: Its name without the extension.
            root: The folder to begin at; folders around it are left out.
        """
        facts: dict = {}
        parts = stem.split("_")
        for folder in reversed([*_upwards(image.parent, root)]):
            for subject in ("", _subject(parts)):
                for _, path, own in self._files.get((folder, subject), ()):
                    if own.issubset(parts):
                        facts |= self._read(path)
        return facts

    def _data_set(self, folder: Path) -> DataSet:
        """Returns the data set that a folder is part of."""
        for place in _upwards(folder, self._tree.root):
            if found := self._data_set_at(place):
                return found
        return DataSet(self._tree.root)

    def _data_set_at(self, folder: Path) -> DataSet | None:
        """Returns the data set that begins at a folder, if one does."""
        within, top = self._tree.parts(folder), folder == self._tree.root
        if within and within[-1] == _DERIVATIVES:
            return DataSet(folder, _DERIVATIVES)
        if within[-2:-1] == (_DERIVATIVES,) and not _is_level(within[-1]):
            return DataSet(folder, within[-1])
        if folder in self._descriptions:
            facts = self._load(folder / _DESCRIPTION)
            if facts.get("DatasetType") != "derivative":
                return DataSet(folder)
            return DataSet(folder, _maker(facts) if top else folder.name)
        return None


def timing_of(facts: Mapping[str, object]) -> FrameTiming | None:
    """Returns the times of a scan's frames, `None` where they are not known.

    BIDS counts from a time zero of its own; where the injection was at another
    time (`InjectionStart`), the starts are counted from the injection.

    Args:
        facts: Of its JSON files; times are lists of seconds.
    """
    starts, durations = facts.get(_STARTS), facts.get(_DURATIONS)
    if not (are_times(starts) and are_times(durations)):
        return None
    if len(starts) != len(durations) or min(durations) <= 0:
        return None
    injected = facts.get(_INJECTION)
    injected = injected if are_times([injected]) else 0
    return FrameTiming(
        tuple(float(start - injected) for start in starts),
        tuple(float(duration) for duration in durations),
    )


def _upwards(folder: Path, root: Path) -> Iterator[Path]:
    """Yields a folder and those around it up to a root."""
    for place in (folder, *folder.parents):
        yield place
        if place == root:
            return


def _subject(parts: list[str]) -> str:
    """Returns the part of a name that names a subject, `""` if none does."""
    return parts[0] if parts and parts[0].startswith("sub-") else ""


def _is_level(name: str) -> bool:
    """Whether a folder is of a subject, not of a pipeline."""
    return name.startswith("sub-") or name == "subjects"


def _maker(facts: Mapping[str, object]) -> str:
    """Returns the name of the program that made derivatives."""
    made = facts.get("GeneratedBy", facts.get("PipelineDescription"))
    for one in made if isinstance(made, list) else [made]:
        if isinstance(one, dict) and isinstance(one.get("Name"), str):
            return one["Name"]
    return _DERIVATIVES


def _read_json(path: Path) -> dict:
    """Returns the keys of a JSON file that are needed here."""
    facts = _load(path)
    return {key: facts[key] for key in _KEPT if facts.get(key) is not None}


def _load(path: Path) -> dict:
    """Reads a JSON file; empty where it is broken or no table of keys."""
    try:
        with open(path, "rb") as file:
            facts = json.loads(file.read(_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}
