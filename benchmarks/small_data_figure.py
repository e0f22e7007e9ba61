"""What the arms of small_data.py drew, one row a training.

    python benchmarks/small_data_figure.py WORK --size 128 \
        --arms paper rates+ema+adaptive --steps 3000 --out sheet.png

WORK is that of small_data.py. Images are those of the first seeds; none was
chosen by eye.
"""

import argparse
from pathlib import Path

import numpy as np

NAMES = {"rates+ema+adaptive": "robust"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--size", type=int, choices=(64, 128), default=64)
    parser.add_argument("--arms", nargs="+", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--images", type=int, default=10)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    from pet_dcgan.cli.console import start_tensorflow

    start_tensorflow()
    from pet_dcgan.models.sampling import synthetic_slices
    from pet_dcgan.plotting import save_sheet
    from pet_dcgan.runs.run import Run

    rows = []
    for arm in options.arms:
        for seed in range(options.seeds):
            home = options.work / f"runs_{options.size}"
            run = Run.open(home / f"{arm}_{options.steps}" / str(seed) / "run")
            images = synthetic_slices(
                run.load_generator(),
                np.arange(options.images),
                suvr_max=run.config.suvr_max,
            )
            rows.append((f"{NAMES.get(arm, arm)}, seed {seed}", images))
    save_sheet(
        options.out,
        rows,
        title=f"AD axial, {options.steps} steps on 24 subjects",
        suvr_max=run.config.suvr_max,
        phantom=run.config.phantom,
    )


if __name__ == "__main__":
    main()
