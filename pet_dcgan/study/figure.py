"""The figures of a study: its arms and differences, and their calibration."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pet_dcgan.metrics.confidence import LEVEL
from pet_dcgan.study.scores import METRICS
from pet_dcgan.study.settings import ARMS, arms_of
from pet_dcgan.study.statistics import MARGIN
from pet_dcgan.utils.files import replacing

_NAMES = {metric: metric.replace("_", " ") for metric in METRICS}
_NAMES["auc"] = "AUC"
# the palette of Okabe & Ito, which colour-blind readers can tell apart
_COLOURS = dict(
    zip(
        ARMS,
        ("#000000", "#E69F00", "#0072B2", "#009E73", "#56B4E9", "#CC79A7"),
        strict=True,
    )
)
_SPREAD = 0.72  # of the arms of a fraction
_DPI = 100
_STYLE = {"font.family": "DejaVu Sans", "font.size": 9}


def save_figure(path: str | Path, summary: Mapping[str, Any]) -> None:
    """Writes `study.png`: every arm above, differences from real below.

    The same summary gives the same bytes.

    Args:
        path: Where the PNG goes; it is replaced.
        summary: The content of `study.json`.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(11, 7), dpi=_DPI, layout="constrained")
        axes = figure.subplots(2, len(METRICS), sharex=True)
        for (above, below), metric in zip(axes.T, METRICS, strict=True):
            _draw_arms(above, summary, metric)
            _draw_differences(below, summary, metric)
        fractions = summary["settings"]["fractions"]
        names = [f"{f} %\n{_counts(summary, f)}" for f in fractions]
        for below in axes[1]:
            below.set_xticks(range(len(names)), names)
            below.set_xlim(-0.5, len(names) - 0.5)
            below.set_xlabel("training subjects of a split")
        figure.legend(
            *axes[0][0].get_legend_handles_labels(),
            loc="outside lower center",
            ncols=len(_arms(summary)),
            frameon=False,
        )
        figure.suptitle(f"{_title(summary)}\n{_key(summary)}")
        _save(figure, path)


def save_calibration(path: str | Path, summary: Mapping[str, Any]) -> None:
    """Writes `calibration.png`: how true the probabilities of each arm are.

    A row of panels for each fraction, a panel for each arm. The same summary
    gives the same bytes.

    Args:
        path: Where the PNG goes; it is replaced.
        summary: The content of `study.json`.
    """
    fractions, arms = summary["settings"]["fractions"], _arms(summary)
    with mpl.rc_context(_STYLE):
        size = 11, 0.9 + 2.9 * len(fractions)
        figure = Figure(figsize=size, dpi=_DPI, layout="constrained")
        axes = figure.subplots(
            len(fractions), len(arms), squeeze=False, sharex=True, sharey=True
        )
        for fraction, row in zip(fractions, axes, strict=True):
            for arm, each in zip(arms, row, strict=True):
                _draw_reliability(each, summary, fraction, arm)
            row[0].set_ylabel(f"{fraction} %: share of the stage")
        for below in axes[-1]:
            below.set_xlabel("predicted probability")
        numbers = "numbers: answers; " * (len(summary["classes"]) == 2)
        figure.suptitle(
            f"{_title(summary)}\n{numbers}bars: {100 * LEVEL:.0f} % intervals "
            "over test subjects"
        )
        _save(figure, path)


def _arms(summary: Mapping[str, Any]) -> tuple[str, ...]:
    """The arms of a study, in order."""
    return arms_of(summary["settings"]["generators"])


def _save(figure: Figure, path: str | Path) -> None:
    """Writes a figure, completely or not at all."""
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
    tested = ", ".join(f"{n} {s}" for s, n in summary["tested"].items())
    parts += [
        " against ".join(summary["classes"]),
        ", ".join(settings["planes"]),
        f"tested on {tested}",
        f"splits: {settings['splits']}",
        f"seeds: {settings['seeds']}",
    ]
    return "; ".join(parts)


def _key(summary: Mapping[str, Any]) -> str:
    """What dots and bars are."""
    over = "test subjects and trainings"
    if summary["settings"]["splits"] == 1:
        over = "test subjects of this training"
    return (
        "small: each classifier (below: each split); large: mean; bars: "
        f"{100 * LEVEL:.0f} % intervals over {over}"
    )


def _counts(summary: Mapping[str, Any], fraction: int) -> str:
    """Training subjects of a fraction."""
    counts = summary["training_subjects"][str(fraction)]
    return ", ".join(f"{n} {stage}" for stage, n in counts.items())


def _draw_arms(axes: Axes, summary: Mapping[str, Any], metric: str) -> None:
    """Means, intervals and single classifiers of every arm."""
    chance = 0.5 if metric == "auc" else 1 / len(summary["classes"])
    axes.axhline(chance, color="0.6", ls=":")
    label = "chance" if metric != "accuracy" else "chance, equal stages"
    axes.annotate(
        label,
        (0.01, chance),
        xycoords=axes.get_yaxis_transform(),
        xytext=(0, 2),
        textcoords="offset points",
        color="0.4",
        fontsize=8,
    )
    lowest = chance
    for row, x, colour in _positions(summary, "arms", metric):
        own = [
            cell[metric]
            for cell in summary["results"]
            if (cell["arm"], cell["fraction"]) == (row["arm"], row["fraction"])
        ]
        _draw_row(axes, row, x, colour, points=own)
        lowest = min(
            lowest, *own, row["mean"] if row["low"] is None else row["low"]
        )
    axes.set_ylim(max(0, lowest) - 0.04, 1.03)
    axes.set_title(f"{_NAMES[metric]} by subject")


def _draw_differences(
    axes: Axes, summary: Mapping[str, Any], metric: str
) -> None:
    """Means, intervals and single splits of the differences from real."""
    axes.axhline(0, color="0.6", ls=":")
    if metric == "auc":
        axes.axhspan(-MARGIN, MARGIN, color="0.93", zorder=0)
    for row, x, colour in _positions(summary, "differences", metric):
        _draw_row(axes, row, x, colour, points=row["by_split"])
    reach = max(2 * MARGIN, *map(abs, axes.get_ylim()))
    axes.set_ylim(-reach, reach)
    grey = f" (grey: within {MARGIN:g})" if metric == "auc" else ""
    axes.set_ylabel(f"{_NAMES[metric]} minus real only{grey}")


def _positions(
    summary: Mapping[str, Any], part: str, metric: str
) -> Iterator[tuple[Mapping[str, Any], float, str]]:
    """Rows of a metric, with their position on the x axis and colour."""
    fractions, arms = summary["settings"]["fractions"], _arms(summary)
    for row in summary[part]:
        if row["metric"] == metric:
            middle = (len(arms) - 1) / 2
            offset = _SPREAD / len(arms) * (arms.index(row["arm"]) - middle)
            x = fractions.index(row["fraction"]) + offset
            yield row, x, _COLOURS[row["arm"]]


def _draw_row(
    axes: Axes,
    row: Mapping[str, Any],
    x: float,
    colour: str,
    *,
    points: list[float],
) -> None:
    """A mean with its interval and points, labelled once per arm."""
    beside = [x + 0.06] * len(points)
    axes.plot(beside, points, ".", color=colour, alpha=0.35, ms=5)
    shown = axes.get_legend_handles_labels()[1]
    label = None if row["arm"] in shown else row["arm"]
    axes.plot([x], [row["mean"]], "o", color=colour, ms=6, label=label)
    if row["low"] is not None:
        axes.plot([x] * 2, [row["low"], row["high"]], "-", color=colour)


def _draw_reliability(
    axes: Axes, summary: Mapping[str, Any], fraction: int, arm: str
) -> None:
    """How often a stage is true, over its predicted probability."""
    axes.plot([0, 1], [0, 1], color="0.6", ls=":")
    rows = [
        row
        for row in summary["calibration"]
        if (row["fraction"], row["arm"]) == (fraction, arm)
    ]
    stages = list(dict.fromkeys(row["stage"] for row in rows))
    for stage, form in zip(stages, ("o-", "s--", "^:"), strict=False):
        own = [row for row in rows if row["stage"] == stage]
        names = "predicted", "mean", "low", "high"
        x, mean, low, high = ([row[n] for row in own] for n in names)
        axes.plot(x, mean, form, color=_COLOURS[arm], ms=5, label=stage)
        axes.vlines(x, low, high, color=_COLOURS[arm], lw=1)
        if len(stages) == 1:
            for row in own:
                axes.annotate(
                    str(row["answers"]),
                    (row["predicted"], -0.09),
                    ha="center",
                    fontsize=7,
                    color="0.4",
                )
    briers = [
        row["mean"]
        for row in summary["arms"]
        if (row["fraction"], row["arm"], row["metric"])
        == (fraction, arm, "brier")
    ]
    score = f"\nBrier's score {briers[0]:.3f}" if briers else ""
    axes.set_title(f"{arm}{score}", fontsize=9)
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.13, 1.03)
    if stages:
        axes.legend(frameon=False, fontsize=8, loc="upper left")
