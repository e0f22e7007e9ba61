"""The results of a study as numbers, sentences and a figure, without names."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pet_dcgan.study.data import StudyData
from pet_dcgan.study.generators import kid_summary
from pet_dcgan.study.settings import ARMS, MIXED, REAL, SYNTHETIC, Cell
from pet_dcgan.study.splits import Place, site_of
from pet_dcgan.study.statistics import (
    METRICS,
    Predictions,
    compare,
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
    data: StudyData,
    predictions: Mapping[Cell, Predictions],
    *,
    cells: Sequence[Cell],
    generators: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The content of `study.json`.

    Args:
        data: Settings, slices and subjects of the study.
        predictions: Those of the finished classifiers.
        cells: All classifiers.
        generators: Facts about those that are finished.
    """
    settings, classes = data.settings, data.settings.classes
    public = settings.to_dict()
    del public["data_dir"]
    summary = {
        "phantom": data.meta.phantom,
        "complete": len(predictions) == len(cells),
        "done": len(predictions),
        "of": len(cells),
        "classes": list(classes),
        **_design(data),
        "generators": list(generators),
        "generator_kid": kid_summary(generators),
        **compare(predictions, classes=classes, splits=settings.splits),
        "results": [
            _result(cell, data, predictions[cell])
            for cell in cells
            if cell in predictions
        ],
        "settings": public,
    }
    return {"words": _conclusions(summary), **summary}


def _design(data: StudyData) -> dict[str, Any]:
    """Who is tested, in how many splits, and how many train."""
    settings = data.settings
    truth = [
        label
        for split in data.splits
        for label in data.test_subjects(split.number)[1].tolist()
    ]
    sites = {site_of(subject) for subject in data.stages}
    return {
        "tested_on": "the set's test subjects"
        if settings.splits == 1
        else "every subject, in one split each",
        "tested": {s: truth.count(k) for k, s in enumerate(settings.classes)},
        "by_site": settings.by_site,
        "sites": None if None in sites else len(sites),
        "training_subjects": {
            str(fraction): _training_subjects(data, fraction)
            for fraction in settings.fractions
        },
    }


def _training_subjects(data: StudyData, fraction: int) -> dict[str, int]:
    """The subjects of each stage at a fraction, the fewest of all splits."""
    return {
        stage: min(
            len(data.subjects(Place(split.number, 0, fraction), stage))
            for split in data.splits
        )
        for stage in data.settings.classes
    }


def _result(cell: Cell, data: StudyData, found: Predictions) -> dict[str, Any]:
    """One row of `results.csv`."""
    parts, subjects = data.slices.values(), data.subjects(cell)
    training = data.splits[cell.split].training
    real = sum(part.count(of=subjects) for part in parts)
    synthetic = sum(part.count(of=training) for part in parts)
    classes = set(data.settings.classes)
    return {
        "split": cell.split,
        "seed": cell.seed,
        "fraction": cell.fraction,
        "arm": cell.arm,
        "training_subjects": sum(
            not classes.isdisjoint(data.stages[s]) for s in subjects
        ),
        "real_images": real if cell.arm != SYNTHETIC else 0,
        "synthetic_images": synthetic if cell.needs_synthetic else 0,
        "test_subjects": len(found.truth),
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
        f"{sum(summary['tested'].values())} subjects were tested, "
        f"{summary['tested_on']}."
    )
    return [*lines, summary["generator_kid"]["words"]]


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
        f"{sum(summary['tested'].values())} held-out subjects",
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
