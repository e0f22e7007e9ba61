"""Damage inside zip archives whose check sums are right again."""

import io
import struct
import zipfile
from random import Random

import numpy as np

from fuzzing.damage import damaged, damaged_json, zeros_deflated

_TYPES = (
    "<f4",
    "<f8",
    "<i4",
    "<U5",
    "|O",
    "<c8",
    "|b1",
    ">f2",
    "|V8",
    "<M8[s]",
)


def damaged_zip(content: bytes, dice: Random, *others: bytes) -> bytes:
    """An archive with a member damaged, or damaged as bytes."""
    if dice.random() < 0.3:
        return damaged(content, dice, *others)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = dice.choice(list(members))
    kind = dice.random()
    if kind < 0.1:
        del members[name]
    elif kind < 0.15:
        members["../outside.txt"] = members["x" * 300] = b"x"
    elif kind < 0.2:
        members[dice.choice(list(members))] = members[name]
    elif name.endswith(".json"):
        members[name] = damaged_json(members[name], dice)
    elif name.endswith(".npy"):
        members[name] = _damaged_array(members[name], dice)
    else:
        members[name] = damaged(members[name], dice)
    bomb = name if dice.random() < 0.05 else None
    return _zipped(members, dice, bomb)


def _zipped(members: dict[str, bytes], dice: Random, bomb: str | None) -> bytes:
    file = io.BytesIO()
    kind = dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(file, "w", kind) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            archive.writestr(info, content, kind)
    whole = file.getvalue()
    return _with_bomb(whole, bomb) if bomb else whole


def _with_bomb(whole: bytes, name: str) -> bytes:
    """The archive, but for one member, which unpacks to 2 GiB of zeros."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(whole)) as archive,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as changed,
    ):
        for other in archive.namelist():
            if other != name:
                changed.writestr(other, archive.read(other))
        packed = zeros_deflated(2048)
        bomb = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
        bomb.compress_type, bomb.CRC = zipfile.ZIP_DEFLATED, 0
        bomb.compress_size, bomb.file_size = len(packed), 2**31 - 2
        bomb.header_offset = changed.start_dir
        file.seek(changed.start_dir)
        file.write(bomb.FileHeader(zip64=False) + packed)
        # the end of the archive lists it, though zipfile did not write it
        changed.start_dir = file.tell()
        changed.filelist.append(bomb)
        changed.NameToInfo[name] = bomb
    return file.getvalue()


def _damaged_array(content: bytes, dice: Random) -> bytes:
    """Another shape or type, odd values, or a header that promises more."""
    array = np.load(io.BytesIO(content))
    kind = dice.randrange(6)
    if kind == 0:
        return damaged(content, dice)
    if kind == 1:
        return _promising(dice)
    if kind == 2 and array.size:
        array = array.reshape(-1)[: dice.randrange(array.size + 1)]
    elif kind == 3 and array.dtype.kind == "f" and array.size:
        array = array.copy()
        odd = dice.choice((np.nan, np.inf, -np.inf, 1e38, 0))
        array.reshape(-1)[dice.randrange(array.size)] = odd
    elif kind == 4 and array.dtype.kind in "fiu":
        array = array.astype(dice.choice(("f2", "f8", "i4", "?", "c8", "S3")))
    else:
        array = dice.choice(
            (
                array[None],
                array.T,
                np.float32(3),
                np.zeros((0, 3)),
                np.array("x"),
            )
        )
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _promising(dice: Random) -> bytes:
    """A header of an array that is not there."""
    shapes = ("(1073741824,)", "(-1,)", "(2,0,3)", "()", "(1e9,)", "(9**9**9,)")
    shapes = (*shapes, "(" * 200 + ")" * 200, "(3,)")
    text = (
        f"{{'descr': '{dice.choice(_TYPES)}', 'fortran_order': False, "
        f"'shape': {dice.choice(shapes)}, }}"
    )
    head = text.encode() + b"\n"
    return (
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + bytes(64)
    )
