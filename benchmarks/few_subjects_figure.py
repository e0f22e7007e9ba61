r"""Draws what `few_subjects.py` found, and what its arms draw.

    python benchmarks/few_subjects_figure.py WORK docs/images \
        --rows "64_24_robust_8000_0=as robust was" "64_24_bend_3_8000_0=bent"

Writes `few_subjects.png`, likeness and variety against processor time, and
`few_subjects_64.png`, the first images of some trainings, one row each, of the
weights that WORK has kept; none is chosen by eye.
"""

import argparse
import statistics
from pathlib import Path

import few_subjects
import numpy as np

ARMS = {
    "robust": "as `robust` was",
    "bend 2.5": "bent by 2.5 mm",
    "flow": "flow matching",
    "flow + bend 2": "flow matching, bent by 2 mm",
}
SHOWN = 12


def curves(path):
    """KID and recall after so much processor time, medians over seeds."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    rows = [
        r for r in few_subjects.read() if (r["size"], r["subjects"]) == (64, 24)
    ]
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained")
    names = {
        "kid": "KID",
        "recall": "recall",
        "share_nearer": "nearer to the training people",
    }
    for arm, label in ARMS.items():
        own = [row for row in rows if row["arm"] == arm]
        steps = sorted({row["step"] for row in own})
        for axis, name in zip(axes, names, strict=True):
            axis.plot(
                [middle(own, s, ("seconds",)) / 60 for s in steps],
                [middle(own, s, place(name)) for s in steps],
                marker="o",
                label=label,
            )
    real = next(row for row in rows if row["arm"] == "real")
    for axis, (name, title) in zip(axes, names.items(), strict=True):
        axis.axhline(few_subjects.at(real, place(name)), color="grey", ls="--")
        axis.set(title=title, xlabel="processor minutes")
    axes[0].set_yscale("log")
    axes[0].legend(fontsize=7)
    figure.suptitle("24 phantom subjects, 64 x 64; dashed: new real people")
    figure.savefig(path, dpi=110)


def place(name):
    """Where a number stands in a row."""
    group = "copies" if name == "share_nearer" else "frozen"
    return group, name


def middle(rows, step, path):
    """The median over seeds."""
    found = [few_subjects.at(r, path) for r in rows if r["step"] == step]
    return statistics.median(found)


def sheet(work, path, names, size):
    """Real images of new people, then those of some trainings."""
    from few_subjects_judge import slices_of

    from pet_dcgan.plotting import save_sheet

    images, _, _ = slices_of(work / "fresh", size, ("test",))
    chosen = np.linspace(0, len(images) - 1, SHOWN).astype(int)
    rows = [("real, new people", images[chosen])]
    rows += [
        (label, drawn(work / "weights", name, size))
        for name, label in names.items()
    ]
    save_sheet(
        path,
        rows,
        title=f"AD axial, {size} x {size}, trained on 24 subjects",
        suvr_max=2.5,
        phantom=True,
    )


def drawn(weights, name, size):
    """The first images of a training."""
    import keras

    from pet_dcgan.models.sampling import synthetic_slices

    if "flow" in name:
        from flow_matching import kept

        return kept(weights / f"{name}.weights.h5", size)(np.arange(SHOWN))
    generator = keras.models.load_model(weights / f"{name}.keras")
    return synthetic_slices(generator, np.arange(SHOWN), suvr_max=2.5)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=64, choices=(64, 128))
    parser.add_argument(
        "--rows",
        nargs="+",
        default=[],
        help="trainings as NAME=LABEL, NAME as in WORK/weights",
    )
    options = parser.parse_args()
    if options.size == 64:
        curves(options.out / "few_subjects.png")
    names = dict(row.split("=", 1) for row in options.rows)
    file = f"few_subjects_{options.size}.png"
    sheet(options.work, options.out / file, names, options.size)


if __name__ == "__main__":
    main()
