"""A study as one picture: every arm above, differences from real below."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pet_dcgan.study.report import name_of
from pet_dcgan.study.settings import ARMS
from pet_dcgan.study.statistics import METRICS
from pet_dcgan.utils.files import replacing

# Okabe & Ito's, which colour-blind readers can tell apart
_COLOURS = dict(
    zip(ARMS, ("#000000", "#E69F00", "#0072B2", "#009E73"), strict=True)
)
_APART = 0.18  # between the arms of a fraction
_DPI = 100


def save_figure(path: str | Path, summary: Mapping[str, Any]) -> None:
    """Writes the picture; the same summary gives the same bytes.

    Args:
        path: Where the PNG goes; it is replaced.
        summary: What stands in `study.json`.
    """
    settings = {"font.family": "DejaVu Sans", "font.size": 9}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(11, 6.6), dpi=_DPI, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(2, len(METRICS), squeeze=False)
        for column, metric in enumerate(METRICS):
            _arms(axes[0][column], summary, metric)
            _differences(axes[1][column], summary, metric)
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside lower center", ncols=4, frameon=False
        )
        figure.suptitle(_title(summary))
        with replacing(path) as temporary:
            figure.savefig(
                temporary, format="png", dpi=_DPI, metadata={"Software": None}
            )


def _title(summary: Mapping[str, Any]) -> str:
    parts = [
        " against ".join(summary["classes"]),
        ", ".join(summary["settings"]["planes"]),
        f"{sum(summary['judged'].values())} held-out subjects",
        f"seeds: {summary['settings']['seeds']}",
    ]
    title = "; ".join(parts)
    if summary["settings"]["shuffle_labels"]:
        title = f"CONTROL, labels dealt at random; {title}"
    if not summary["complete"]:
        done = f"{summary['done']} of {summary['of']}"
        title = f"PARTIAL ({done} classifiers); {title}"
    return f"PHANTOM, no patients; {title}" if summary["phantom"] else title


def _arms(axes: Axes, summary: Mapping[str, Any], metric: str) -> None:
    classes = len(summary["classes"])
    axes.axhline(0.5 if metric == "auc" else 1 / classes, color="0.6", ls=":")
    axes.text(
        0.01,
        (0.5 if metric == "auc" else 1 / classes) - 0.05,
        "chance" if metric != "accuracy" else "chance, equal stages",
        color="0.4",
        fontsize=8,
        transform=axes.get_yaxis_transform(),
    )
    for row, place, colour in _placed(summary, "arms", metric):
        own = [
            cell[metric]
            for cell in summary["results"]
            if (cell["arm"], cell["fraction"]) == (row["arm"], row["fraction"])
        ]
        axes.plot(
            [place + 0.05] * len(own), own, ".", color=colour, alpha=0.35, ms=5
        )
        _point(axes, row, place, colour)
    axes.set_ylim(0, 1.03)
    axes.set_title(name_of(metric))
    _fractions(axes, summary)


def _differences(axes: Axes, summary: Mapping[str, Any], metric: str) -> None:
    axes.axhline(0, color="0.6", ls=":")
    for row, place, colour in _placed(summary, "differences", metric):
        _point(axes, row, place, colour)
    low, high = axes.get_ylim()
    reach = max(0.1, abs(low), abs(high))
    axes.set_ylim(-reach, reach)
    axes.set_ylabel("minus real only")
    _fractions(axes, summary)


def _placed(summary: Mapping[str, Any], part: str, metric: str):
    fractions = summary["settings"]["fractions"]
    for row in summary[part]:
        if row["metric"] == metric:
            offset = _APART * (ARMS.index(row["arm"]) - (len(ARMS) - 1) / 2)
            place = fractions.index(row["fraction"]) + offset
            yield row, place, _COLOURS[row["arm"]]


def _point(
    axes: Axes, row: Mapping[str, Any], place: float, colour: str
) -> None:
    shown = axes.get_legend_handles_labels()[1]
    label = None if row["arm"] in shown else row["arm"]
    axes.plot([place], [row["mean"]], "o", color=colour, ms=6, label=label)
    if row["low"] is not None:
        axes.plot([place] * 2, [row["low"], row["high"]], "-", color=colour)


def _fractions(axes: Axes, summary: Mapping[str, Any]) -> None:
    fractions = summary["settings"]["fractions"]
    axes.set_xticks(
        range(len(fractions)), [f"{f} % of subjects" for f in fractions]
    )
    axes.set_xlim(-0.6, len(fractions) - 0.4)
