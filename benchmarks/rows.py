"""How an image's last bits depend on how many are computed at once.

Kernels are chosen by the shape. For each number of rows, the images of seeds
0 to 63 computed so many at a time are compared with all 64 at once, in SUVR
and in steps of a PNG's 65535. Run it under TF_ENABLE_ONEDNN_OPTS=0 or 1, or
ONEDNN_MAX_CPU_ISA=SSE41, for the kernels of other processors.

    python rows.py
    python rows.py demo/runs/ad demo/runs/nc

Without runs, networks of random weights are measured: as they are made, and
with weights so large that images are black and white, the worst case. It
also times what one image and a block cost, alone and row by row in the graph,
which would give equal bits whatever a server batches.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from pet_dcgan.data.suvr import png_from_suvr
from pet_dcgan.models.networks import build_generator
from pet_dcgan.models.sampling import latents_from_seeds, suvr_from_latents
from pet_dcgan.runs.run import Run

SUVR_MAX = 2.5
BLOCK = 64
ROWS = (1, 2, 3, 4, 7, 8, 16, 32)
WIDTHS = {"toy": (32, 1, 4), "demo": (128, 1, 16), "paper": (128, 3, 64)}


def main() -> None:
    """Prints a line for each network and number of rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", type=Path, help="trained runs")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--out", type=Path, help="JSON of all numbers")
    options = parser.parse_args()
    found = {}
    for name, generator in networks(options.runs):
        draw = traced(generator)
        found[name] = {
            "differences": differences(draw, generator.input_shape[-1]),
            "milliseconds": costs(generator, draw, options.repeats),
        }
        tell(name, found[name])
    if options.out:
        options.out.write_text(json.dumps(found, indent=2) + "\n")


def networks(runs: list[Path]):
    """Names and generators: of runs, or random ones."""
    for path in runs:
        yield str(path), Run.open(path).load_generator()
    if runs:
        return
    for name, (size, channels, width) in WIDTHS.items():
        for gain in (1, 4):
            generator = build_generator(
                size=size, channels=channels, width=width
            )
            generator.set_weights([w * gain for w in generator.get_weights()])
            yield f"{name}, weights times {gain}", generator


def traced(generator):
    """The generator to SUVR as one function, as an export has it."""
    return tf.function(
        lambda latents: suvr_from_latents(generator, latents, SUVR_MAX),
        input_signature=[tf.TensorSpec(generator.input_shape, tf.float32)],
    )


def differences(draw, latent_dim: int) -> dict[int, dict[str, float]]:
    """Of each number of rows from the block, the largest and how many."""
    latents = latents_from_seeds(np.arange(BLOCK), latent_dim)
    whole = draw(latents).numpy()
    found = {}
    for rows in ROWS:
        parts = [draw(latents[i : i + rows]) for i in range(0, BLOCK, rows)]
        parts = np.concatenate([np.asarray(part) for part in parts])
        away = np.abs(parts - whole).reshape(BLOCK, -1).max(axis=1)
        steps = np.abs(stored(parts) - stored(whole)).max()
        found[rows] = {
            "suvr": float(away.max()),
            "steps": int(steps),
            "images": int((away > 0).sum()),
        }
    return found


def stored(suvr: np.ndarray) -> np.ndarray:
    """What a PNG holds, to be subtracted."""
    return png_from_suvr(suvr, SUVR_MAX).astype(int)


def costs(generator, draw, repeats: int) -> dict[str, float]:
    """Medians in milliseconds, the ways taking turns."""
    latents = latents_from_seeds(np.arange(BLOCK), generator.input_shape[-1])

    @tf.function
    def one_by_one(latents):
        return tf.map_fn(lambda row: draw(row[tf.newaxis])[0], latents)

    ways = {
        "1 image alone": lambda: draw(latents[:1]),
        "a block of 64": lambda: draw(latents),
        "64 row by row": lambda: one_by_one(latents),
    }
    seconds = {name: [] for name in ways}
    for turn in range(repeats + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            way().numpy()
            if turn:  # the first one traces
                seconds[name].append(time.perf_counter() - start)
    return {n: 1000 * statistics.median(s) for n, s in seconds.items()}


def tell(name: str, found: dict) -> None:
    """Prints a table."""
    print(f"\n{name}")
    print("rows  SUVR      steps  images of 64 that differ")
    for rows, each in found["differences"].items():
        print(
            f"{rows:4}  {each['suvr']:.1e}  {each['steps']:5}  "
            f"{each['images']:2}"
        )
    for way, milliseconds in found["milliseconds"].items():
        print(f"{way}: {milliseconds:.1f} ms")


if __name__ == "__main__":
    main()
