"""Reads PET-BIDS data sets and the output of Clinica.

A scan is a file `sub-<label>[_ses-<label>][_trc-<tracer>][_rec-<method>]_pet`,
with other entities or without, in any folder. That covers raw data sets, their
derivatives, Clinica's conversions and its CAPS folders.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Sequence

from tfds_adni.sources.bids_names import (
    level_of_name,
    parse_name,
    why_no_image,
)
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
    groups: dict[str, dict[str, list[ImageFile]]] = defaultdict(dict)
    records = []
    sidecars = Sidecars(tree)
    for image in images:
        if image.problem:
            continue
        if parse_name(image.stem):
            pipeline = sidecars.data_set(image.path.parent).pipeline
            made = groups[image.stem].setdefault(pipeline, [])
            made.append(image)
        else:
            why = "no BIDS name in a BIDS folder"
            records.append(reject(tree, [image.path], why))
    tables = Tables(tree, date_order=date_order)
    if notes is not None:
        notes += tables.notes
    for stem, by_pipeline in groups.items():
        for pipeline, files in by_pipeline.items():
            same = pipeline and len(by_pipeline) > 1
            image_id = f"{pipeline}_{stem}" if same else stem
            for rank, ((image, *_), copy) in enumerate(split_copies(files)):
                record = _record(tree, image, sidecars, tables)
                records.append(
                    dataclasses.replace(
                        record, image_id=image_id, rank=rank, copy=copy
                    )
                )
    return records


def _record(
    tree: Tree, image: ImageFile, sidecars: Sidecars, tables: Tables
) -> ScanRecord:
    """Joins a file's name with the tables and the JSON files."""
    entities = parse_name(image.stem)
    subject = subject_of_label(entities["sub"])
    session = entities.get("ses", "")
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
