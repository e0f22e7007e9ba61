"""The results of a study as numbers, sentences and a figure, without names."""

import collections
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pet_dcgan.study.classifiers import Cell
from pet_dcgan.study.settings import (
    ARMS,
    MIXED,
    REAL,
    SYNTHETIC,
    StudyData,
    StudySettings,
)
from pet_dcgan.study.statistics import (
    METRICS,
    Predictions,
    compare,
    kept_signal,
)
from pet_dcgan.utils.files import replacing

_NAMES = {metric: metric.replace("_", " ") for metric in METRICS}
_NAMES["auc"] = "AUC"
# the palette of Okabe & Ito, which colour-blind readers can tell apart
_COLOURS = dict(
    zip(ARMS, ("#000000", "#E69F00", "#0072B2", "#009E73"), strict=True)
)
_APART = 0.18  # between the arms of a fraction
_DPI = 100
_DIGITS = 6


def summarise(
    settings: StudySettings,
    data: StudyData,
    predictions: Mapping[Cell, Predictions],
    *,
    cells: Sequence[Cell],
    generators: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The content of `study.json`.

    Args:
        settings: Settings of the study.
        data: Training and test subjects.
        predictions: Those of the finished classifiers.
        cells: All classifiers.
        generators: Facts about those that are finished.
    """
    by_arm = collections.defaultdict(dict)
    for cell in sorted(predictions):
        by_arm[cell.arm, cell.fraction][cell.seed] = predictions[cell]
    compared = compare(by_arm, seed=settings.seed)
    classes = settings.classes
    _, truth = data.test_subjects()
    public = settings.to_dict()
    del public["data_dir"]
    summary = {
        "phantom": data.meta.phantom,
        "complete": len(predictions) == len(cells),
        "done": len(predictions),
        "of": len(cells),
        "classes": list(classes),
        "judged_on": list(settings.test_splits),
        "judged": {s: int((truth == k).sum()) for k, s in enumerate(classes)},
        "training_subjects": {
            str(fraction): {s: len(data.subsets[fraction][s]) for s in classes}
            for fraction in settings.fractions
        },
        "generators": list(generators),
        **compared,
        "kept_signal": kept_signal(compared["arms"]),
        "results": [
            _result(cell, settings, data, predictions[cell])
            for cell in cells
            if cell in predictions
        ],
        "settings": public,
    }
    return {"words": _conclusions(summary), **summary}


def _result(
    cell: Cell, settings: StudySettings, data: StudyData, found: Predictions
) -> dict[str, Any]:
    """One row of `results.csv`."""
    parts, subset = data.training.values(), data.subsets[cell.fraction]
    subjects = data.subjects(cell.fraction)
    real = sum(part.count(of=subjects) for part in parts)
    synthetic = sum(part.count() for part in parts)
    return {
        "fraction": cell.fraction,
        "seed": cell.seed,
        "arm": cell.arm,
        "training_subjects": sum(len(subset[s]) for s in settings.classes),
        "real_images": real if cell.arm != SYNTHETIC else 0,
        "synthetic_images": synthetic if cell.needs_synthetic else 0,
        "judged_subjects": len(found.truth),
        **{k: round(v, _DIGITS) for k, v in found.scores().items()},
        "phantom": str(data.meta.phantom).lower(),
    }


def _conclusions(summary: Mapping[str, Any]) -> list[str]:
    """The results in sentences, with their limits."""
    lines = []
    if summary["phantom"]:
        lines.append(
            "Phantom: simulated brains, no patients. Nothing here is a finding "
            "about patients."
        )
    if not summary["complete"]:
        lines.append(
            f"Partial: {summary['done']} of {summary['of']} classifiers are "
            "finished; continue with --resume."
        )
    if summary["settings"]["shuffle_labels"]:
        lines.append(
            "Control: the training labels were shuffled, so every arm should "
            "be at chance."
        )
    for fraction in summary["settings"]["fractions"]:
        lines += _results_at(summary, fraction)
    lines.append(
        f"Intervals are over the {sum(summary['judged'].values())} held-out "
        "subjects and the seeds of the classifiers; every generator was "
        "trained once, so they do not include the variation between trainings."
    )
    return lines


def _results_at(summary: Mapping[str, Any], fraction: int) -> list[str]:
    """Sentences about one fraction."""
    means = {
        row["arm"]: row["mean"]
        for row in summary["arms"]
        if row["fraction"] == fraction and row["metric"] == "auc"
    }
    if REAL not in means:
        return []
    subjects = summary["training_subjects"][str(fraction)]
    counts = ", ".join(f"{n} {stage}" for stage, n in subjects.items())
    areas = ", ".join(f"{a} {means[a]:.3f}" for a in ARMS if a in means)
    lines = [f"{fraction} % of the training subjects ({counts}): AUC {areas}."]
    lines += [
        f"At {fraction} % adding synthetic images changed the "
        f"{_NAMES[row['metric']]} by {_difference(row)}"
        for row in summary["differences"]
        if row["fraction"] == fraction and row["arm"] == MIXED
    ]
    lines += [
        f"At {fraction} % {SYNTHETIC} images alone kept "
        f"{100 * row['share']:.0f} % of the signal of real ones (AUC above "
        "chance)."
        for row in summary["kept_signal"]
        if row["fraction"] == fraction and row["share"] is not None
    ]
    return lines


def _difference(row: Mapping[str, Any]) -> str:
    """A difference from real images, its interval and the conclusion."""
    value = f"{row['mean']:+.3f}"
    if row["low"] is None:
        return f"{value}; {row['reason']}."
    value += f" (95 % interval {row['low']:+.3f} to {row['high']:+.3f})"
    if row["low"] > 0:
        return f"{value}: they helped."
    if row["high"] < 0:
        return f"{value}: they made it worse."
    return f"{value}: inconclusive."


def save_figure(path: str | Path, summary: Mapping[str, Any]) -> None:
    """Writes the figure: every arm above, differences from real below.

    The same summary gives the same bytes.

    Args:
        path: Where the PNG goes; it is replaced.
        summary: The content of `study.json`.
    """
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 9}):
        figure = Figure(figsize=(11, 6.6), dpi=_DPI, layout="constrained")
        axes = figure.subplots(2, len(METRICS))
        for (above, below), metric in zip(axes.T, METRICS, strict=True):
            _draw_arms(above, summary, metric)
            _draw_differences(below, summary, metric)
        fractions = summary["settings"]["fractions"]
        names = [f"{fraction} % of subjects" for fraction in fractions]
        for each in axes.flat:
            each.set_xticks(range(len(names)), names)
            each.set_xlim(-0.6, len(names) - 0.4)
        figure.legend(
            *axes[0][0].get_legend_handles_labels(),
            loc="outside lower center",
            ncols=4,
            frameon=False,
        )
        figure.suptitle(_title(summary))
        with replacing(path) as temporary:
            figure.savefig(
                temporary, format="png", dpi=_DPI, metadata={"Software": None}
            )


def _title(summary: Mapping[str, Any]) -> str:
    """The study in one line; a phantom, partial or control study says so."""
    settings, parts = summary["settings"], []
    if summary["phantom"]:
        parts.append("PHANTOM, no patients")
    if not summary["complete"]:
        done = f"{summary['done']} of {summary['of']}"
        parts.append(f"PARTIAL ({done} classifiers)")
    if settings["shuffle_labels"]:
        parts.append("CONTROL, shuffled labels")
    parts += [
        " against ".join(summary["classes"]),
        ", ".join(settings["planes"]),
        f"{sum(summary['judged'].values())} held-out subjects",
        f"seeds: {settings['seeds']}",
    ]
    return "; ".join(parts)


def _draw_arms(axes: Axes, summary: Mapping[str, Any], metric: str) -> None:
    """Means, intervals and single classifiers of every arm."""
    chance = 0.5 if metric == "auc" else 1 / len(summary["classes"])
    axes.axhline(chance, color="0.6", ls=":")
    axes.text(
        0.01,
        chance - 0.05,
        "chance" if metric != "accuracy" else "chance, equal stages",
        color="0.4",
        fontsize=8,
        transform=axes.get_yaxis_transform(),
    )
    for row, x, colour in _positions(summary, "arms", metric):
        own = [
            cell[metric]
            for cell in summary["results"]
            if (cell["arm"], cell["fraction"]) == (row["arm"], row["fraction"])
        ]
        beside = [x + 0.05] * len(own)
        axes.plot(beside, own, ".", color=colour, alpha=0.35, ms=5)
        _draw_interval(axes, row, x, colour)
    axes.set_ylim(0, 1.03)
    axes.set_title(_NAMES[metric])


def _draw_differences(
    axes: Axes, summary: Mapping[str, Any], metric: str
) -> None:
    """Means and intervals of the differences from real images."""
    axes.axhline(0, color="0.6", ls=":")
    for row, x, colour in _positions(summary, "differences", metric):
        _draw_interval(axes, row, x, colour)
    reach = max(0.1, *map(abs, axes.get_ylim()))
    axes.set_ylim(-reach, reach)
    axes.set_ylabel("minus real only")


def _positions(
    summary: Mapping[str, Any], part: str, metric: str
) -> Iterator[tuple[Mapping[str, Any], float, str]]:
    """Rows of a metric, with their position on the x axis and colour."""
    fractions = summary["settings"]["fractions"]
    for row in summary[part]:
        if row["metric"] == metric:
            offset = _APART * (ARMS.index(row["arm"]) - (len(ARMS) - 1) / 2)
            x = fractions.index(row["fraction"]) + offset
            yield row, x, _COLOURS[row["arm"]]


def _draw_interval(
    axes: Axes, row: Mapping[str, Any], x: float, colour: str
) -> None:
    """A mean with its interval, labelled once per arm."""
    shown = axes.get_legend_handles_labels()[1]
    label = None if row["arm"] in shown else row["arm"]
    axes.plot([x], [row["mean"]], "o", color=colour, ms=6, label=label)
    if row["low"] is not None:
        axes.plot([x] * 2, [row["low"], row["high"]], "-", color=colour)
