r"""Draws what `few_subjects.py` found, and what its arms draw.

    python benchmarks/few_subjects_figure.py WORK docs/images \
        --rows "64_24_robust_8000_0=as robust was" "64_24_bend_3_8000_0=bent"

Writes `few_subjects.png`, likeness and variety against processor time: medians
of the arms in `ARMS`, those that have results, with a ring for every seed. With
rows also `few_subjects_64.png`, the first images of some trainings, one row
each, of the weights that WORK has kept; none is chosen by eye.
"""

import argparse
import itertools
import statistics
from pathlib import Path

import numpy as np
from few_subjects_results import at, read

# as in few_subjects.jsonl, and in words
ARMS = {
    "robust": "robust without bends",
    "bend 2.5": "bends of 2.5 mm",
    "bend 3": "bends of 3 mm",
    "bend 2.5 + spread": "bends of 2.5 mm and spread",
    "flow": "flow matching",
    "flow + bend 2.5": "flow matching, bends of 2.5 mm",
}
# colours that the colour-blind tell apart (Okabe and Ito), and markers
STYLES = (
    ("#000000", "o"),
    ("#0072B2", "s"),
    ("#56B4E9", "D"),
    ("#009E73", "^"),
    ("#D55E00", "v"),
    ("#E69F00", "P"),
    ("#CC79A7", "X"),
)
PANELS = {
    "KID (no unit; lower is better)": ("frozen", "kid"),
    "recall (share of real slices)": ("frozen", "recall"),
    "nearer to the training people (share)": ("copies", "share_nearer"),
}
SHOWN = 12


def curves(path):
    """KID, recall and nearness after so much processor time."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    rows = [r for r in read() if (r["size"], r["subjects"]) == (64, 24)]
    figure, axes = plt.subplots(1, 3, figsize=(12, 5.4), layout="constrained")
    for (arm, label), style in zip(
        ARMS.items(), itertools.cycle(STYLES), strict=False
    ):
        # a seed may have been trained to several lengths
        own = {(r["seed"], r["step"]): r for r in rows if r["arm"] == arm}
        for axis, value in zip(axes, PANELS.values(), strict=True):
            if own:
                line(axis, list(own.values()), value, label, style)
    real = next(row for row in rows if row["arm"] == "real")
    explain(figure, axes, real)
    figure.savefig(path, dpi=110)


def explain(figure, axes, real):
    """Titles, axes, the lines of real people and the legend."""
    from matplotlib import ticker

    for axis, name in zip(axes, PANELS, strict=True):
        axis.set(xlabel="processor time (minutes)", title=name)
        axis.set_xlim(left=0)
        axis.grid(alpha=0.3, which="both")
    kid, *others = (at(real, value) for value in PANELS.values())
    for axis, value in zip(axes[1:], others, strict=True):
        axis.axhline(value, color="grey", ls="--", label="real")
    # a line there would press all arms into a strip
    axes[0].set_ylabel(f"logarithmic; real: {kid:.4f}")
    axes[0].set_yscale("log")
    axes[0].yaxis.set_minor_locator(ticker.LogLocator(subs=(2, 3, 5)))
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[0].yaxis.set_minor_formatter("{x:g}")
    handles, labels = axes[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    figure.suptitle(
        "Phantom: 24 subjects of AD, 64 x 64 pixels\n"
        "lines: medians over seeds; rings: each seed; "
        "real: new phantom people"
    )


def line(axis, rows, value, label, style):
    """An arm's medians over seeds, and a ring for each seed."""
    colour, marker = style
    points = [
        (row["step"], row["seconds"] / 60, at(row, value)) for row in rows
    ]
    axis.plot(
        [x for _, x, _ in points],
        [y for _, _, y in points],
        ls="",
        marker="o",
        markersize=4,
        color=colour,
        markerfacecolor="white",
        zorder=3,
    )
    steps = sorted({step for step, _, _ in points})
    medians = [
        [
            statistics.median(p[i] for p in points if p[0] == step)
            for i in (1, 2)
        ]
        for step in steps
    ]
    axis.plot(
        *zip(*medians, strict=True), marker=marker, color=colour, label=label
    )


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
    if names:
        file = f"few_subjects_{options.size}.png"
        sheet(options.work, options.out / file, names, options.size)


if __name__ == "__main__":
    main()
