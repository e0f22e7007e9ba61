"""IDA downloads for random trees: where images lie and what lists them."""

import re
from pathlib import Path

import ida_tree
import tree_extras
import tree_files
from tree_plan import GROUPS, Scan, plan_exams, plan_scans

_DESCRIPTIONS = {
    "uniform_8mm": "Coreg, Avg, Std Img and Vox Siz, Uniform Resolution",
    "uniform_6mm": "Coreg, Avg, Std Img and Vox Siz, Uniform 6mm Res",
    "standardised": "Coreg, Avg, Standardized Image and Voxel Size",
    "averaged": "Co-registered, Averaged",
    "dynamic": "Co-registered Dynamic",
}
_BASES = (
    "",
    "zip1",
    "ADNI (2)/unpacked",
    "Fälle Zürich/データ",
    "x" * 130 + "/" + "y" * 140,
)
_PLACES = ("leaf", "leaf", "series", "flat", "anywhere", "noname", "doubled")


def write(tree, rng) -> None:
    """Plans a download and writes it into the tree's folder."""
    listing = rng.choice(("csv", "csv", "csv", "two csv", "xml", "none"))
    sidecars = 1.0 if listing == "xml" else rng.choice((0, 0, 0.5))
    bases = rng.sample(_BASES, rng.randint(1, 3))
    tree.scans = plan_scans(rng)
    rows = []
    for scan in tree.scans:
        place = write_scan(tree, rng, scan, rng.choice(bases))
        has_xml = rng.random() < sidecars
        if "csv" in listing and (not has_xml or rng.random() < 0.7):
            list_scan(scan, rows, **_gaps(rng, place))
        if has_xml:
            _write_xml(tree, rng, scan)
        if not scan.labels and place in ("flat", "anywhere"):
            # Only a table has these: the stamp in the name is the upload's.
            scan.date = scan.visit = ""
            scan.faults.add("date")
    for add in rng.sample(tree_extras.EXTRAS, rng.choice((0, 1, 1, 3))):
        add(tree, rng, rows, "csv" in listing)
    for copy in rng.sample(tree_extras.COPIES, rng.choice((0, 0, 1, 2))):
        tree_extras.add_copy(tree, rng, copy)
    _write_collection(tree.folder, rng, rows, 1 + (listing == "two csv"))
    plan_exams(tree, rng)
    tree_files.write_options(tree, rng)


def list_scan(scan: Scan, rows: list[dict], **other: str) -> None:
    """Adds a row to the collection for a scan."""
    rows.append(cells(scan) | other)
    scan.labels.append(("collection CSV", scan.group))


def _gaps(rng, place: str) -> dict[str, str]:
    """Cells that are empty although the path or the other rows tell them."""
    names = ["Sex", "Age", "Visit", "Modality", "Description", "Type"]
    if place not in ("flat", "anywhere"):
        names.append("Acq Date")
    return dict.fromkeys(rng.sample(names, rng.choice((0, 0, 0, 1, 3))), "")


def cells(scan: Scan) -> dict[str, str]:
    """What the archive knows of a scan."""
    known = {
        "Image Data ID": scan.image_id,
        "Subject": scan.subject,
        "Visit": scan.visit,
        "Description": description(scan),
        "Type": "Original" if scan.level == "raw" else "Processed",
        "Acq Date": scan.date,
    }
    return ida_tree.row(0, scan.group, **known)


def description(scan: Scan) -> str:
    """A series description as ADNI words it: FDG is named in raw ones only."""
    if scan.level == "raw":
        return f"ADNI Brain PET: Raw {scan.tracer}"
    prefix = "" if scan.tracer == "FDG" else f"{scan.tracer} "
    return prefix + _DESCRIPTIONS[scan.level]


def file_name(scan: Scan, frame: int = 0) -> str:
    """The name IDA gives a file, without its ending."""
    words = re.sub("[ :;]", "_", description(scan))
    step = "br_raw" if scan.level == "raw" else "Br"
    return (
        f"ADNI_{scan.subject}_PT_{words}_{step}_201605061011{frame:02}131_"
        f"{1 + frame}_S{scan.image_id[::-1]}_I{scan.image_id}"
    )


def leaf(scan: Scan, base: str, name: str) -> Path:
    """The folder of a scan in IDA's tree."""
    words = re.sub("[ :;]", "_", description(scan))
    time = f"{scan.date}_09_08_07.0"
    return Path(base, "ADNI", scan.subject, words, time, name)


def write_scan(tree, rng, scan: Scan, base: str, place: str = "") -> str:
    """Writes the files of a scan; returns the kind of their place."""
    place = place or rng.choice(_PLACES)
    frames = rng.randint(2, 4) if scan.level == "raw" else 1
    if frames > 1 and place in ("noname", "doubled"):
        place = "leaf"
    for frame in range(frames):
        name = file_name(scan, frame)
        own = leaf(scan, base, f"I{scan.image_id}")
        folder = {
            "series": leaf(scan, base, f"S{scan.image_id[::-1]}"),
            "flat": Path(base),
            "anywhere": Path(base, "PET", "alle Bilder"),
            "doubled": own / f"{name}.nii",
        }.get(place, own)
        stem = tree.folder / folder / ("NONAME" if place == "noname" else name)
        # of several frames only the first may be broken
        form = "nii" if frame and scan.faults else scan.form
        scan.paths.append(tree.name(tree_files.write_image(stem, form)))
    return place


def _write_xml(tree, rng, scan: Scan) -> None:
    """Writes a sidecar beside the image or at the top of the download."""
    group = scan.group if rng.random() < 0.7 else rng.choice(GROUPS)
    row = cells(scan) | {"Group": group}
    row["Visit"] = rng.choice(("ADNI2 visit ", "")) + scan.visit
    folder = Path(scan.paths[0]).parent if rng.random() < 0.5 else Path("ADNI")
    path = tree.folder / folder / f"{file_name(scan)}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(ida_tree.xml(row, age="71.3", tracer=f"18F-{scan.tracer}"))
    scan.labels.insert(0, ("XML", group))


def _write_collection(folder: Path, rng, rows: list[dict], parts: int) -> None:
    """Writes the collection CSV, as one file or as two."""
    lines = []
    for row in rows:
        image_id, day = row["Image Data ID"], row["Acq Date"]
        if day and rng.random() < 0.7:
            day = tree_files.us_date(day)
        image_id = rng.choice(("I", "")) + image_id
        lines.append(row | {"Image Data ID": image_id, "Acq Date": day})
    # two collections may share images
    lines += rng.sample(lines, min(len(lines), rng.choice((0, 0, 2))))
    rng.shuffle(lines)
    for part in range(parts):
        if own := lines[part::parts]:
            name = rng.choice(("FDG_5_05_2012", "idaSearch", "my list"))
            place = rng.choice(("", "tables"))
            tree_files.write_csv(
                folder / place / f"{name}_{part}.csv", own, rng
            )
