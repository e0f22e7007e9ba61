"""What to know of the DICOM series of a folder, a line each."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from tfds_adni.sources.dicom.records import Scan, frame_timing
from tfds_adni.sources.record import subject_in
from tfds_adni.sources.tree import Tree

_SHOWN = 3


def notes_of(tree: Tree, scans: Sequence[Scan]) -> list[str]:
    """Returns warnings about converted series.

    Args:
        tree: The folder of the cohort.
        scans: Its scans in DICOM.
    """
    timings = [frame_timing(scan.series, scan.sidecars) for scan in scans]
    relative = sum(bool(t and t.relative) for t in timings)
    notes = []
    if relative:
        notes.append(
            f"{relative} of {len(scans)} DICOM series lack the time of "
            "injection: the times of their frames count from the start of the "
            "series, so that --window cannot be used and early frames are not "
            "noticed"
        )
    if silent := sum(not scan.series.corrected for scan in scans):
        notes.append(
            f"{silent} of {len(scans)} DICOM series do not say whether they "
            "are corrected for attenuation (CorrectedImage is missing); check "
            "that they are"
        )
    return notes + _shared(tree, scans)


def _shared(tree: Tree, scans: Iterable[Scan]) -> list[str]:
    """Returns a warning for each PatientID that several people may have.

    An anonymiser may give one to all. Where no path names a subject, the
    folders below the one that all scans lie in may be of a person each.
    """
    paths = {
        (tree.parts(scan.paths[0])[:-1], scan.series.patient)
        for scan in scans
        if not scan.image_id and not subject_in(tree.parts(scan.paths[0]))
    }
    depth = _common([names for names, _ in paths])
    folders = defaultdict(set)
    for names, patient in paths:
        if patient and len(names) > depth and patient not in names:
            folders[patient].add(names[depth])
    return [
        f"the PatientID {patient} is in {len(names)} folders "
        f"({', '.join(sorted(names)[:_SHOWN])}), which are taken for one "
        "subject; if they are several people, name each folder sub-LABEL"
        for patient, names in sorted(folders.items())
        if len(names) > 1
    ]


def _common(paths: Sequence[Sequence[str]]) -> int:
    """Returns how many folders all paths begin with."""
    levels = zip(*paths, strict=False)
    return next(
        (n for n, names in enumerate(levels) if len(set(names)) > 1),
        min(map(len, paths), default=0),
    )
