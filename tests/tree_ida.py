"""IDA downloads for random trees: where images lie and what lists them."""

import random
import re
from pathlib import Path

import tree_copies
import tree_extras
import tree_images
import tree_tables
import tree_xml
from tree_plan import GROUPS, plan_exams, plan_scans
from tree_truth import Scan

DESCRIPTIONS = {
    "uniform_8mm": "Coreg, Avg, Std Img and Vox Siz, Uniform Resolution",
    "uniform_6mm": "Coreg, Avg, Std Img and Vox Siz, Uniform 6mm Res",
    "standardised": "Coreg, Avg, Standardized Image and Voxel Size",
    "averaged": "Co-registered, Averaged",
    "dynamic": "Co-registered Dynamic",
}
BASES = (
    "",
    "zip1",
    "ADNI (2)/unpacked",
    "Fälle Zürich/データ",
    "x" * 130 + "/" + "y" * 140,
)
PLACES = ("leaf", "leaf", "series", "flat", "anywhere", "noname", "doubled")


def write(tree, rng: random.Random) -> None:
    """Plans a download and writes it into the tree's folder."""
    listing = rng.choice(("csv", "csv", "csv", "two csv", "xml", "none"))
    sidecars = 1.0 if listing == "xml" else rng.choice((0, 0, 0.5))
    bases = rng.sample(BASES, rng.randint(1, 3))
    tree.scans = plan_scans(rng)
    rows = []
    for scan in tree.scans:
        place = write_scan(tree, rng, scan, rng.choice(bases))
        has_xml = rng.random() < sidecars
        if "csv" in listing and (not has_xml or rng.random() < 0.7):
            list_scan(scan, rows, **_gaps(rng, place))
        if has_xml:
            _write_xml(tree, rng, scan)
        if not scan.labels:
            _know_by_path_alone(scan, place)
    for name in rng.sample(tuple(tree_extras.EXTRAS), rng.choice((0, 1, 1, 3))):
        tree_extras.EXTRAS[name](tree, rng, rows, "csv" in listing)
    for add in rng.sample(tree_copies.COPIES, rng.choice((0, 0, 1, 2))):
        add(tree, rng)
    write_collection(tree.folder, rng, rows, parts=1 + (listing == "two csv"))
    plan_exams(tree, rng)
    tree_tables.write_options(tree, rng)


def list_scan(scan: Scan, rows: list[dict], **other: str) -> None:
    """Returns a scan a row of the collection."""
    rows.append(cells(scan) | other)
    scan.labels.append(("collection CSV", scan.group))


def _gaps(rng, place: str) -> dict[str, str]:
    """Cells that are empty although the path or the other rows tell them."""
    names = ["sex", "age", "visit", "modality", "description", "type"]
    if place not in ("flat", "anywhere"):
        names.append("date")
    some = rng.sample(names, rng.choice((0, 0, 0, 1, 3)))
    return dict.fromkeys(some, "")


def cells(scan: Scan) -> dict[str, str]:
    """What the archive knows of a scan."""
    return {
        "image_id": scan.image_id,
        "subject": scan.subject,
        "group": scan.group,
        "sex": "F",
        "age": "71",
        "visit": scan.visit,
        "modality": "PET",
        "description": description(scan),
        "type": "Original" if scan.level == "raw" else "Processed",
        "date": scan.date,
        "format": "NiFTI",
        "level": scan.level,
        "radiopharmaceutical": f"18F-{scan.tracer}",
    }


def description(scan: Scan) -> str:
    """A series description as ADNI words it: FDG is named in raw ones only."""
    if scan.level == "raw":
        return f"ADNI Brain PET: Raw {scan.tracer}"
    prefix = "" if scan.tracer == "FDG" else f"{scan.tracer} "
    return prefix + DESCRIPTIONS[scan.level]


def sanitised(text: str) -> str:
    """A description as a folder or a file name has it; commas stay."""
    return re.sub("[ :;]", "_", text)


def file_name(scan: Scan, frame: int = 0) -> str:
    """The name IDA gives a file, without its ending."""
    words = sanitised(description(scan))
    step = "br_raw" if scan.level == "raw" else "Br"
    return (
        f"ADNI_{scan.subject}_PT_{words}_{step}_201605061011{frame:02}131_"
        f"{1 + frame}_S{scan.image_id[::-1]}_I{scan.image_id}"
    )


def leaf(scan: Scan, base: str, name: str) -> Path:
    """The folder of a scan in IDA's tree."""
    time = f"{scan.date}_09_08_07.0"
    words = sanitised(description(scan))
    return Path(base, "ADNI", scan.subject, words, time, name)


def write_scan(tree, rng, scan: Scan, base: str, place: str = "") -> str:
    """Writes the files of a scan; gives where they lie in words."""
    place = place or rng.choice(PLACES)
    frames = rng.randint(2, 4) if scan.level == "raw" else 1
    if frames > 1 and place in ("noname", "doubled"):
        place = "leaf"
    for frame in range(frames):
        name = file_name(scan, frame)
        folder = {
            "leaf": leaf(scan, base, f"I{scan.image_id}"),
            "series": leaf(scan, base, f"S{scan.image_id[::-1]}"),
            "flat": Path(base),
            "anywhere": Path(base, "PET", "alle Bilder"),
            "noname": leaf(scan, base, f"I{scan.image_id}"),
            "doubled": leaf(scan, base, f"I{scan.image_id}") / f"{name}.nii",
        }[place]
        if place == "noname":
            name = "NONAME"
        # of several frames only the first may be broken
        form = "nii" if frame and scan.faults else scan.form
        path = tree_images.write(tree.folder / folder / name, form)
        scan.paths.append(tree.name(path))
    return place


def _know_by_path_alone(scan: Scan, place: str) -> None:
    """Forgets what only a table could have told; the archive's own stamp in
    a file's name is when it was processed, not when it was acquired.
    """
    if place in ("flat", "anywhere"):
        scan.date = ""
        scan.visit = ""
        scan.faults.add("date")


def _write_xml(tree, rng, scan: Scan) -> None:
    """Writes a sidecar beside the image or at the top of the download."""
    group = scan.group if rng.random() < 0.7 else rng.choice(GROUPS)
    text = tree_xml.xml(
        rng, cells(scan) | {"group": group, "original": _another(tree, scan)}
    )
    folder = Path(scan.paths[0]).parent if rng.random() < 0.5 else Path("ADNI")
    path = tree.folder / folder / f"{file_name(scan)}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    scan.labels.insert(0, ("XML", group))


def _another(tree, scan: Scan) -> str:
    """An image id that a sidecar names beside its own."""
    return next(s.image_id for s in [*tree.scans[::-1], scan] if s)


def write_collection(folder: Path, rng, rows: list[dict], parts: int) -> None:
    """Writes the collection CSV, as one file or as two."""
    rows = [tree_tables.collection_row(rng, row) for row in rows]
    # two collections may share images
    rows += rng.sample(rows, min(len(rows), rng.choice((0, 0, 2))))
    rng.shuffle(rows)
    for part in range(parts):
        if rows[part::parts]:
            name = rng.choice(("FDG_5_05_2012", "idaSearch", "my list"))
            place = folder / rng.choice(("", "tables")) / f"{name}_{part}.csv"
            tree_tables.write_csv(
                place, rows[part::parts], rng, bom=rng.random() < 0.3
            )
