"""A prepared set: its facts, its lists and its records."""

import functools
import struct
from pathlib import Path
from random import Random

import numpy as np
import tensorflow as tf
import toy_data

from fuzzing.damage import damaged, damaged_json, encoded, odd_text
from fuzzing.oracle import require
from fuzzing.plan import Files
from fuzzing.pngs import damaged_png
from fuzzing.spreadsheets import damaged_table
from pet_dcgan.data.prepared_set import load_slices, open_set, subjects_of

_SET = Path("adni", "axial_32", "2.0.0")


def prepare(base: Path) -> None:
    toy_data.prepare(base)


def mutate(base: Path, dice: Random) -> Files:
    names = sorted(path.name for path in (base / _SET).iterdir())
    records = [name for name in names if ".tfrecord" in name]
    name = dice.choice(dice.choice((names, records)))
    content = (base / _SET / name).read_bytes()
    if ".tfrecord" in name:
        content = _damaged_records(content, dice)
    elif name.endswith(".json"):
        content = damaged_json(content, dice)
    elif name.endswith(".csv"):
        content = damaged_table(content, dice)
    else:
        content = _damaged_lines(content, dice)
    return {str(_SET / name): content}


def _damaged_lines(content: bytes, dice: Random) -> bytes:
    """A list of labels with one dropped, doubled, changed or cut."""
    if dice.random() < 0.3:
        return damaged(content, dice)
    lines = content.splitlines()
    at = dice.randrange(len(lines))
    lines[at : at + 1] = dice.choice(
        (
            [],
            [lines[at]] * 2,
            [lines[at][:-1]],
            [lines[at] + b"1"],
            [lines[at].lower()],
            [encoded(odd_text(dice))],
            [lines[0]],
        )
    )
    dice.shuffle(lines)
    return b"\n".join(lines) + dice.choice((b"", b"\n"))


def _damaged_records(content: bytes, dice: Random) -> bytes:
    """Records with one changed and its check sums right, or as bytes."""
    if dice.random() < 0.25:
        return damaged(content, dice)
    records = _split(content)
    at = dice.randrange(len(records))
    kind = dice.random()
    if kind < 0.1:
        records[at : at + 1] = dice.choice(([], [records[at]] * 2, [b""]))
    elif kind < 0.25:
        records[at] = damaged(records[at], dice, *records[:3])
    else:
        records[at] = _changed(records[at], dice)
    lengths = [len(record) for record in records]
    if dice.random() < 0.1:
        lengths[at] = dice.choice((0, 2**31, 2**40, 2**63, 2**64 - 1))
    return b"".join(map(_framed, records, lengths))


def _changed(record: bytes, dice: Random) -> bytes:
    """A record with a feature dropped or of another kind or value."""
    example = tf.train.Example.FromString(record)
    features = example.features.feature
    name = dice.choice(sorted(features))
    kind = dice.randrange(8)
    if kind == 0:
        del features[name]
    elif kind == 1:
        features[name].Clear()
    elif kind == 2:
        features[name].bytes_list.value[:] = [encoded(odd_text(dice))]
    elif kind == 3:
        numbers = (-1, 3, 2**31, 2**62, -(2**62))
        features[name].int64_list.value[:] = [dice.choice(numbers)]
    elif kind == 4:
        numbers = (float("nan"), float("inf"), 1e38, -1.0)
        features[name].float_list.value[:] = [dice.choice(numbers)]
    elif kind == 5:
        features[name].int64_list.value[:] = [0] * dice.choice((0, 2, 100_000))
    else:
        png = features["image"].bytes_list.value[0]
        features["image"].bytes_list.value[0] = damaged_png(png, dice)
    return example.SerializeToString(deterministic=True)


def _split(content: bytes) -> list[bytes]:
    """The records of a TFRecord file: length, its sum, bytes, their sum."""
    records, at = [], 0
    while at < len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        records.append(content[at + 12 : at + 12 + length])
        at += 16 + length
    return records


def _framed(record: bytes, length: int) -> bytes:
    head = struct.pack("<Q", length)
    return head + _masked_sum(head) + record + _masked_sum(record)


@functools.cache
def _sums() -> list[int]:
    """Of each byte, CRC-32C, polynomial 0x82f63b78."""
    sums = list(range(256))
    for _ in range(8):
        sums = [s >> 1 ^ (s & 1) * 0x82F63B78 for s in sums]
    return sums


def _masked_sum(content: bytes) -> bytes:
    """As TensorFlow masks it, tensorflow/core/lib/hash/crc32c.h."""
    found, sums = 0xFFFFFFFF, _sums()
    for byte in content:
        found = found >> 8 ^ sums[(found ^ byte) & 255]
    found ^= 0xFFFFFFFF
    found = (found >> 15 | found << 17) + 0xA282EAD8
    return struct.pack("<I", found & 0xFFFFFFFF)


def run(folder: Path, attempt) -> None:
    where = (folder, "axial_32")
    opened = attempt(open_set, *where)
    if opened is None:
        return
    attempt(_check_facts, opened.meta)
    attempt(subjects_of, *where, split="all", stage="AD")
    options = {"split": "all", "stage": "ALL", "plane": "axial"}
    slices = attempt(load_slices, *where, **options)
    if slices is not None:
        attempt(_check_slices, slices)


def _check_facts(meta) -> None:
    require(meta.size in (32, 64, 128, 256), f"size {meta.size}")
    for value in (meta.suvr_max, meta.spacing_mm):
        require(bool(np.isfinite(value)) and value > 0, f"scale {value}")
    require(isinstance(meta.reference, str), f"{meta.reference!r}")
    known = {"axial", "coronal", "sagittal"}
    require(set(meta.planes) <= known, f"planes {meta.planes}")


def _check_slices(slices) -> None:
    count, size = len(slices.images), slices.meta.size
    require(slices.images.shape == (count, size, size), "shape")
    require(slices.images.dtype == np.uint16, f"{slices.images.dtype}")
    require(len(slices.subjects) == len(slices.scans) == count, "lengths")
    require(bool(np.isfinite(slices.positions_mm).all()), "position")
    years = slices.ages[~np.isnan(slices.ages)]
    require(bool(((years >= 0) & (years <= 130)).all()), "ages")
    require(set(slices.sexes) <= {"F", "M", ""}, "sexes")
    require(all(s and s.isprintable() for s in slices.subjects), "subjects")
