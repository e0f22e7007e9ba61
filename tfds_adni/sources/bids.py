"""Reads PET-BIDS data sets and what Clinica writes.

A scan is a file `sub-<label>[_ses-<label>][_trc-<tracer>][_rec-<method>]_pet`,
with other entities or without, wherever it lies. That covers raw data sets,
Clinica's conversion of ADNI and its CAPS folders with pet-linear's output.
"""

import dataclasses
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tfds_adni.sources.copies import tell_apart
from tfds_adni.sources.descriptions import TRACERS, tracer_named
from tfds_adni.sources.images import ImageFile
from tfds_adni.sources.names import subject_of_label
from tfds_adni.sources.participants import Participants
from tfds_adni.sources.record import ScanRecord
from tfds_adni.sources.refused import refuse
from tfds_adni.sources.tree import Tree

_NO_NAME = "no BIDS name in a BIDS folder"
_NOT_CORRECTED = "not corrected for attenuation (rec-nac)"
# Clinica's words for ADNI's steps; those of BIDS name reconstructions, which
# are raw in ADNI's sense.
_LEVEL_OF_RECONSTRUCTION = {
    "coregdyn": "dynamic",
    "coregavg": "averaged",
    "coregstd": "standardised",
    "coregiso": "uniform_8mm",
    "acdyn": "raw",
    "acstat": "raw",
}
_MAX_BYTES = 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Name:
    """A file's name in the manner of BIDS, taken apart.

    Attributes:
        subject: Label of the subject, without `sub-`.
        entities: Value by key, `sub` left out.
        suffix: What kind of file it is, such as `pet`.
    """

    subject: str
    entities: dict[str, str]
    suffix: str


def parse_name(stem: str) -> Name | None:
    """Takes a file's name apart.

    Args:
        stem: The name without its extension.

    Returns:
        Its parts, `None` where it is no name of BIDS.

    Example:

    >>> parse_name("sub-01_trc-18FFDG_pet").entities
    {'trc': '18FFDG'}
    """
    first, *others = stem.split("_")
    if not first.startswith("sub-") or not others or "-" in others[-1]:
        return None
    pairs = [part.partition("-") for part in others[:-1] if "-" in part]
    entities = {key: value for key, _, value in pairs}
    return Name(first.removeprefix("sub-"), entities, others[-1])


def read(tree: Tree, images: Sequence[ImageFile]) -> list[ScanRecord]:
    """Reads a BIDS data set into scan records.

    Args:
        tree: The data set's folder, or one around several of them.
        images: Its images.

    Returns:
        One record for each image, none for those with a problem.
    """
    groups = defaultdict(list)
    records = []
    for image in images:
        if image.problem:
            continue
        if parse_name(image.stem) is None:
            records.append(refuse([image.path], tree.root, _NO_NAME))
        else:
            groups[image.stem].append(image)
    participants = Participants(tree)
    for stem, files in groups.items():
        for rank, ((image, *_), copy) in enumerate(tell_apart(files)):
            record = _record(image, parse_name(stem), participants)
            records.append(dataclasses.replace(record, rank=rank, copy=copy))
    return records


def _record(
    image: ImageFile, name: Name, participants: Participants
) -> ScanRecord:
    """Joins a file's name with the tables."""
    subject = subject_of_label(name.subject)
    session = name.entities.get("ses", "")
    person = participants.at(subject, session, image.path)
    return ScanRecord(
        paths=(image.path,),
        subject=subject,
        image_id=image.stem,
        visit=session,
        date=person.date,
        description=image.stem,
        tracer=_tracer(image, name),
        level=_level(name),
        labels=person.labels,
        age=person.age,
        sex=person.sex,
        problem=_problem(name),
    )


def _tracer(image: ImageFile, name: Name) -> str:
    """Returns the tracer by the name, else by the JSON file beside the image.

    Clinica's conversions wrote it as `acq` before PET-BIDS had `trc`.
    """
    tracer = tracer_named(name.entities.get("trc", ""))
    if not tracer and name.suffix == "pet":
        tracer = tracer_named(name.entities.get("acq", ""))
        if tracer not in TRACERS:
            beside = image.path.with_name(f"{image.stem}.json")
            tracer = tracer_named(_tracer_in(beside))
    return tracer or "unknown"


def _tracer_in(path: Path) -> str:
    """Returns the tracer of a JSON sidecar, `""` where there is none."""
    try:
        with open(path, "rb") as file:
            facts = json.loads(file.read(_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return ""
    text = facts.get("TracerName", "") if isinstance(facts, dict) else ""
    return text if isinstance(text, str) else ""


def _level(name: Name) -> str:
    """Returns the processing level by the entities."""
    if "suvr" in name.entities:
        return "pet_linear"
    method = name.entities.get("rec", "").rstrip("0123456789")
    return _LEVEL_OF_RECONSTRUCTION.get(method, "unknown")


def _problem(name: Name) -> str:
    """Says why an image is not to be used."""
    if name.suffix != "pet":
        return f"not PET ({name.suffix})"
    if name.entities.get("rec", "").startswith("nac"):
        return _NOT_CORRECTED
    return ""
