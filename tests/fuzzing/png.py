"""PNG images: from a server, and in the folder of an unfinished batch."""

import json
import zlib
from pathlib import Path
from random import Random

import numpy as np

from fuzzing import answers, server
from fuzzing.damage import damaged, damaged_json
from fuzzing.oracle import require
from fuzzing.plan import Files
from fuzzing.pngs import damaged_png, grey_png
from pet_dcgan.serving.image_files import suvr_of_png

_IMAGE = "image.png"
_BATCH = "out/.png.unfinished"
_REQUEST = {
    "model": "ad",
    "version": "1",
    "format": "png",
    "seed": 0,
    "rows": 2,
}


def prepare(base: Path) -> None:
    answers.write_answers(base)
    (base / _IMAGE).write_bytes(answers.image(0))


def mutate(base: Path, dice: Random) -> Files:
    whole = [answers.image(seed) for seed in range(answers.ROWS)]
    if dice.random() < 0.2:
        return _batch(whole, dice)
    odd = damaged_png(whole[0], dice, whole[1])
    files: Files = {_IMAGE: odd}
    if dice.random() < 0.1:
        # facts that go with an image of another size
        size = dice.choice((1, 31, 4096, 20_000))
        odd = _zeros(size)
        facts = json.dumps(answers.MODEL | {"size": size}).encode()
        files[answers.FACTS] = answers.response(answers.rows_body([facts]))
        files[_IMAGE] = odd
    at = dice.randrange(len(whole))
    whole[at] = odd
    files[answers.IMAGES] = answers.response(answers.rows_body(whole))
    return files


def _batch(whole: list[bytes], dice: Random) -> Files:
    """What a stopped `generate` left, with one of its files damaged."""
    name = "phantom_ad_0000000.png"
    line = f"\n{name} {zlib.crc32(whole[0]):08x}."
    files = {
        "request.json": json.dumps(_REQUEST).encode(),
        "first.png": whole[0],
        "journal.txt": line.encode(),
        f"images/{name}": whole[0],
    }
    chosen = dice.choice(list(files))
    change = damaged_json if chosen.endswith(".json") else damaged
    if chosen.endswith(".png"):
        change = damaged_png
    files[chosen] = change(files[chosen], dice)
    return {f"{_BATCH}/{name}": content for name, content in files.items()}


def _zeros(size: int) -> bytes:
    """A black image; of a large one only the first rows are there."""
    rows = min(size, 2**20 // (1 + 2 * size) + 1)
    return grey_png(size, size, bytes((1 + 2 * size) * rows))


def run(folder: Path, attempt) -> None:
    content = (folder / _IMAGE).read_bytes()
    found = attempt(suvr_of_png, content, 2.5, remedy=False)
    if found is not None:
        attempt(_check, found)
    server.run(folder, attempt)


def _check(found: np.ndarray) -> None:
    require(found.ndim == 2, f"an image of shape {found.shape}")
    require(found.dtype == np.float32, f"{found.dtype}")
    whole = bool(np.isfinite(found).all()) and found.min() >= 0
    require(whole and found.max() <= 2.5001, "SUVR of another scale")
