"""Tiny files for random trees: images, sound and broken, and tables.

Sound images have 12 x 14 x 10 voxels of 15 mm: a head's size, few bytes.
"""

import csv
import functools
import gzip
import io
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import nibabel as nib
import numpy as np

SHAPE = (12, 14, 10)
AFFINE = nib.affines.from_matvec(np.diag([-15, 15, 15]), [80, -95, -70])


def _voxels(frames: int) -> np.ndarray:
    shape = (*SHAPE, frames) if frames else SHAPE
    return (np.arange(np.prod(shape)).reshape(shape) % 100).astype("u1")


@functools.cache
def nifti(dtype: str = "u1", frames: int = 0, qform_only: bool = False):
    """A NIfTI file; `frames` 0 for three dimensions, 1 for a singleton."""
    header = nib.Nifti1Header(endianness=">" if dtype[0] == ">" else "<")
    header.set_data_dtype(dtype)
    image = nib.Nifti1Image(_voxels(frames), AFFINE, header=header)
    if qform_only:
        image.set_qform(AFFINE, code=1)
        image.set_sform(None, code=0)
    return image.to_bytes()


@functools.cache
def pair(kind: type, frames: int = 0) -> dict[str, bytes]:
    """An Analyze 7.5 or a NIfTI pair."""
    files = kind.make_file_map()
    for holder in files.values():
        holder.fileobj = io.BytesIO()
    kind(_voxels(frames).astype("i2"), AFFINE).to_file_map(files)
    return {
        suffix: files[part].fileobj.getvalue()
        for suffix, part in ((".hdr", "header"), (".img", "image"))
    }


@functools.cache
def zipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


@functools.cache
def huge() -> bytes:
    """A header that promises 27 TB, without a voxel behind it."""
    header = nib.Nifti1Header()
    header.set_data_shape((30000, 30000, 30000))
    header.set_zooms((0.01, 0.01, 0.01))
    header.set_sform(AFFINE, code=1)
    header["vox_offset"] = 352
    return header.binaryblock + bytes(4)


@functools.cache
def flat() -> bytes:
    """One slice."""
    return nib.Nifti1Image(_voxels(0)[:, :, 0], AFFINE).to_bytes()


_ANALYZE = nib.Spm99AnalyzeImage
_HTML = b"<!DOCTYPE html>\n<html><body>404</body></html>\n"
# Each form: suffix and content of its files (a path is that of a link, `None`
# one to itself); the first file is its row of the account.
SOUND = {
    "nii": lambda: {".nii": nifti()},
    "gz": lambda: {".nii.gz": zipped(nifti())},
    "upper": lambda: {".NII": nifti()},
    "float": lambda: {".nii": nifti("<f4")},
    "big_endian": lambda: {".nii": nifti(">i2")},
    "big_float": lambda: {".nii.gz": zipped(nifti(">f4"))},
    "singleton": lambda: {".nii": nifti("<i2", 1)},
    "series": lambda: {".nii.gz": zipped(nifti("u1", 4))},
    "qform": lambda: {".nii": nifti("<i2", 0, True)},
    "analyze": lambda: pair(_ANALYZE),
    "analyze_4d": lambda: pair(_ANALYZE, 1),
    "nifti_pair": lambda: pair(nib.Nifti1Pair),
}
FAULTY = {
    "html": lambda: {".nii.gz": _HTML},
    "html_plain": lambda: {".nii": _HTML},
    "one_byte": lambda: {".nii.gz": b"\n"},
    "truncated": lambda: {".nii": nifti()[:120]},
    "truncated_gzip": lambda: {".nii.gz": zipped(nifti())[:60]},
    "empty": lambda: {".nii": b""},
    "empty_gzip": lambda: {".nii.gz": b""},
    "gzip_of_nothing": lambda: {".nii.gz": zipped(b"")},
    "bad_gzip": lambda: {".nii.gz": b"\x1f\x8b\x08\x00" + bytes(40)},
    "zeros": lambda: {".nii": bytes(2000)},
    "flat": lambda: {".nii": flat()},
    "huge": lambda: {".nii.gz": zipped(huge())},
    "orphan_img": lambda: {".img": pair(_ANALYZE)[".img"]},
    "orphan_hdr": lambda: {".hdr": pair(_ANALYZE)[".hdr"]},
    "empty_pair": lambda: {".hdr": b"", ".img": b""},
    "broken_link": lambda: {".nii": Path("nowhere.nii")},
    "self_link": lambda: {".nii.gz": None},
}


def write_image(stem: Path, form: str) -> Path:
    """Writes a scan's file or pair; gives the path the account must name."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    paths = []
    for suffix, content in (SOUND | FAULTY)[form]().items():
        path = stem.with_name(stem.name + suffix)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.symlink_to(content or path.name)
        paths.append(path)
    return paths[0]


_CODES = {
    "DXCURREN": {"NC": "1", "MCI": "2", "AD": "3"},
    "DXCHANGE": {"NC": "179", "MCI": "248", "AD": "356"},
    "DIAGNOSIS": {"NC": "1", "MCI": "2", "AD": "3"},
}
_WORDS = {"NC": "CN", "MCI": "MCI", "AD": "Dementia"}


def us_date(iso: str) -> str:
    """5/5/2012 for 2012-05-05."""
    day = date.fromisoformat(iso)
    return f"{day.month}/{day.day}/{day.year}"


def write_csv(path: Path, rows: list[dict], rng) -> None:
    """Writes rows with their columns in any order."""
    columns = list(rows[0])
    rng.shuffle(columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    encoding = rng.choice(("utf-8", "utf-8", "utf-8-sig"))
    with path.open("w", encoding=encoding, newline="") as file:
        quoting = rng.choice((csv.QUOTE_ALL, csv.QUOTE_MINIMAL))
        writer = csv.DictWriter(file, columns, quoting=quoting)
        writer.writeheader()
        writer.writerows(rows)


def write_options(tree, rng) -> None:
    """Writes the tables the selection names, inside the tree or beside it."""
    kinds = {"DXSUM": dxsum, "ADNIMERGE": adnimerge, "PETQC": qc, "PETC3": qc}
    for option in ("diagnosis", "qc"):
        paths = []
        for kind in tree.selection[option]:
            folder = rng.choice((tree.folder, tree.folder.parent / "tables"))
            suffix = rng.choice(("", "_12Oct2023", "_PDXCONV_ADNIALL"))
            paths.append(folder / f"{kind}{suffix}.csv")
            write_csv(paths[-1], kinds[kind](tree, rng, kind), rng)
        tree.selection[option] = tuple(paths)


def _exam_rows(tree, kind: str) -> Iterator[tuple[dict[str, str], str, str]]:
    """Row, stage and enrolment of each exam, one of a subject without scans."""
    exams = [exam for exam in tree.exams if exam.table == kind]
    known = [(e.subject, e.date, e.stage, e.enrolled) for e in exams]
    known.append(("999_S_9777", "2012-01-01", "AD", "CN"))
    for number, (subject, day, stage, enrolled) in enumerate(known):
        row = {"RID": str(int(subject[6:])), "PTID": subject}
        row |= {"VISCODE": f"x{number}", "EXAMDATE": day}
        yield row, stage, enrolled


def dxsum(tree, rng, kind: str) -> list[dict[str, str]]:
    """Rows of DXSUM: one column coded in each, the others empty or -4."""
    columns = rng.choice((tuple(_CODES), *((name,) for name in _CODES)))
    with_ptid = rng.random() < 0.6
    rows = []
    for row, stage, _ in _exam_rows(tree, kind):
        if not with_ptid:
            del row["PTID"]
        if row["EXAMDATE"] and rng.random() < 0.3:
            row["EXAMDATE"] = us_date(row["EXAMDATE"])
        codes = {name: rng.choice(("-4", "", "-4.0")) for name in columns}
        coding = rng.choice(columns)
        if stage:
            code = rng.choice(_CODES[coding][stage])
            codes[coding] = code + rng.choice(("", ".0"))
        rows.append(row | codes)
    return rows


def adnimerge(tree, rng, kind: str) -> list[dict[str, str]]:
    """Rows of ADNIMERGE; DX_bl is another stage on purpose."""
    return [
        row | {"SITE": "9", "DX_bl": enrolled, "DX": _WORDS.get(stage, "")}
        for row, stage, enrolled in _exam_rows(tree, kind)
    ]


def qc(tree, rng, kind: str) -> list[dict[str, str]]:
    """Rows of PETQC or PETC3 for every scan that was graded."""
    rows = []
    for scan in tree.scans:
        if scan.passed is None:
            continue
        grade = {"SCANQLTY": "1" if scan.passed else "2"}
        if kind == "PETQC":
            image_id = rng.choice(("I", "")) + scan.image_id
            grade = {"LONIUID": image_id, "PASS": str(int(scan.passed))}
        rid = str(int(scan.subject[6:]))
        row = {"RID": rid, "VISCODE": scan.visit, "EXAMDATE": scan.date}
        rows.append(row | grade)
    return rows
