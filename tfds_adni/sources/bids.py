"""Reads PET-BIDS data sets and the output of Clinica.

A scan is a file `sub-<label>[_ses-<label>][_trc-<tracer>][_rec-<method>]_pet`,
with other entities or without, in any folder. That covers raw data sets, their
derivatives, Clinica's conversions and its CAPS folders.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence

from tfds_adni.sources.bids_names import (
    level_of_name,
    parse_name,
    why_no_image,
)
from tfds_adni.sources.bids_people import People, subject_of_image
from tfds_adni.sources.bids_sidecars import Sidecars, timing_of
from tfds_adni.sources.bids_tables import Tables
from tfds_adni.sources.images import ImageFile, split_copies
from tfds_adni.sources.record import ScanRecord, reject, subject_of_label
from tfds_adni.sources.tracers import (
    known_tracer,
    tracer_named,
    tracer_of_names,
    tracers_of_facts,
)
from tfds_adni.sources.tree import Tree


def read(
    tree: Tree,
    images: Sequence[ImageFile],
    *,
    date_order: str = "",
    notes: list[str] | None = None,
) -> list[ScanRecord]:
    """Reads a BIDS data set into scan records.

    Args:
        tree: The data set's folder, or one around several of them.
        images: Its images.
        date_order: `"dmy"` or `"mdy"`, for dates that nothing else decides.
        notes: Warnings are added to it, a line each.

    Returns:
        One record for each image, none for those with a problem.
    """
    named, records = [], []
    for image in images:
        if image.problem:
            continue
        if parse_name(image.stem):
            named.append(image)
        else:
            why = "no BIDS name in a BIDS folder"
            records.append(reject(tree, [image.path], why))
    sidecars = Sidecars(tree)
    groups, strays = _grouped(tree, named, sidecars)
    subjects = {*map(subject_of_image, named)}
    tables = Tables(tree, subjects, date_order=date_order)
    if notes is not None:
        notes += tables.notes
    for place, versions in groups.items():
        for image_id, files in _by_image_id(*place, versions):
            for rank, ((image, *_), copy) in enumerate(split_copies(files)):
                record = _record(tree, image, sidecars, tables)
                records.append(
                    dataclasses.replace(
                        record,
                        subject=place[0] + record.subject,
                        image_id=image_id,
                        rank=rank,
                        copy=copy,
                    )
                )
    return [*records, *strays]


def _grouped(
    tree: Tree, images: Sequence[ImageFile], sidecars: Sidecars
) -> tuple[dict[tuple[str, str], dict], list[ScanRecord]]:
    """Groups images by the data set of their subject and their name.

    Returns:
        The files by pipeline and session of each, and the records of images
        that may be of several people.
    """
    groups: dict[tuple[str, str], dict] = defaultdict(dict)
    strays = []
    people = People(tree, images, sidecars)
    for image in images:
        try:
            group = groups[people.prefix(image), image.stem]
        except ValueError as error:
            strays.append(reject(tree, [image.path], str(error)))
            continue
        pipeline = sidecars.data_set(image.path.parent).pipeline
        version = pipeline, _session(tree, image)
        group.setdefault(version, []).append(image)
    return groups, strays


def _by_image_id(
    prefix: str, stem: str, versions: dict[tuple[str, str], list[ImageFile]]
) -> Iterator[tuple[str, list[ImageFile]]]:
    """Yields files of one name, those of each pipeline and session apart."""
    pipelines, sessions = map(set, zip(*versions, strict=True))
    for (pipeline, session), files in versions.items():
        made = f"{pipeline}_" if pipeline and len(pipelines) > 1 else ""
        when = f"ses-{session}/" if session and len(sessions) > 1 else ""
        yield f"{prefix}{when}{made}{stem}", files


def _session(tree: Tree, image: ImageFile) -> str:
    """Returns the session of a name, else that of a folder around it."""
    if session := parse_name(image.stem).get("ses"):
        return session
    folders = (part for part in reversed(tree.parts(image.path)[:-1]))
    found = (f.removeprefix("ses-") for f in folders if f.startswith("ses-"))
    return next(found, "")


def _record(
    tree: Tree, image: ImageFile, sidecars: Sidecars, tables: Tables
) -> ScanRecord:
    """Joins a file's name with the tables and the JSON files."""
    entities = parse_name(image.stem)
    subject = subject_of_label(entities["sub"])
    session = _session(tree, image)
    home = sidecars.data_set(image.path.parent)
    problem = why_no_image(entities)
    said, timing = {}, None
    if not problem:
        said = sidecars.facts(image.path, image.stem, tree.root)
        # times of the frames of a raw scan do not hold for its derivatives
        own = sidecars.facts(image.path, image.stem, home.root)
        timing = timing_of(own)
    level = level_of_name(image.stem, entities)
    tracer, dispute = _tracer(tree, image, entities, said)
    return ScanRecord(
        paths=(image.path,),
        subject=subject,
        image_id=image.stem,
        visit=session,
        description=image.stem,
        tracer=tracer,
        level=level,
        problem=problem or dispute,
        entities={k: v for k, v in entities.items() if k != "suffix"},
        pipeline=home.pipeline,
        timing=timing,
        **tables.facts(image.path, subject, session),
    )


def _tracer(
    tree: Tree, image: ImageFile, entities: dict[str, str], said: dict
) -> tuple[str, str]:
    """Returns the tracer of `trc-`, the JSON files, or the path.

    Clinica wrote it as `acq` before PET-BIDS had `trc`.

    Returns:
        Its name, and why the scan is not used where two are named.
    """
    named = [tracer_named(entities.get("trc", ""))]
    named += [known_tracer(entities.get("acq", "")), *tracers_of_facts(said)]
    known = [*dict.fromkeys(filter(None, map(known_tracer, named)))]
    dispute = f"two tracers are named: {' and '.join(known)}"
    around = (image.stem, *tree.parts(image.path)[-2::-1])
    tracer = next(filter(None, named), "") or tracer_of_names(around)
    return tracer or "unknown", dispute if len(known) > 1 else ""
