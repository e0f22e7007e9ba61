"""PNG images: from a server, and in the folder of an unfinished batch."""

import json
from pathlib import Path
from random import Random

import numpy as np

from fuzzing import answers, server
from fuzzing.oracle import require
from fuzzing.plan import Files
from fuzzing.pngs import damaged_png, grey_png
from pet_dcgan.serving.image_files import suvr_of_png

_IMAGE = "image.png"


def prepare(base: Path) -> None:
    answers.write_answers(base)
    (base / _IMAGE).write_bytes(answers.image(0))


def mutate(base: Path, dice: Random) -> Files:
    whole = [answers.image(seed) for seed in range(answers.ROWS)]
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
