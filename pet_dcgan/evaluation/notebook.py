"""What evaluations and trainings show of themselves in a notebook."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from pet_dcgan.evaluation.plots import titled
from pet_dcgan.evaluation.report import NOT_FOR_DIAGNOSIS
from pet_dcgan.evaluation.report_rows import Row
from pet_dcgan.evaluation.training_curves import (
    Curves,
    draw_curves,
    panels_of,
    read_curves,
)
from pet_dcgan.runs.run import Run
from pet_dcgan.runs.selection_log import generator_facts
from pet_dcgan.utils.html import card, facts, note, table

_KID = "features.trained"
# the few numbers to look at first; report.html has all of them
_SHOWN = (
    Row("KID, trained encoder", f"{_KID}.kid.*"),
    Row("Precision", f"{_KID}.precision.*", digits=2),
    Row("Recall", f"{_KID}.recall.*", digits=2),
    Row("Coverage", f"{_KID}.coverage.*", digits=2),
    Row("MS-SSIM between images", "diversity.*"),
    Row("PSNR, nearest", "psnr.*.nearest", digits=2, unit="dB"),
    Row("SSIM, nearest", "ssim.*.nearest"),
    Row(
        "Images with a twin among training subjects",
        "copies.twins",
        digits=2,
        real_path="copies.held_out_twins",
    ),
)
_COLUMNS = ("", "synthetic", "real beside real", "wanted")
_MISSING = "–"


class Evaluation(dict):
    """The numbers of `metrics.json`, which a notebook shows as a table.

    It is the plain dictionary that `json` reads and writes.

    Example:

    >>> Evaluation({"stage": "AD"})["stage"]
    'AD'
    """

    def _repr_html_(self) -> str:
        """The verdict and the numbers to look at first."""
        return evaluation_card(self)


def evaluation_card(metrics: dict[str, Any]) -> str:
    """The verdict and the numbers to look at first, real beside synthetic.

    Args:
        metrics: What `metrics.json` holds; what is not there is left out.

    Returns:
        HTML.
    """
    verdict = metrics.get("verdict") or {}
    rows = [
        (
            f"{row.label} ({row.unit})" if row.unit else row.label,
            _written(row.number(metrics, "synthetic"), row.digits),
            _written(row.number(metrics, "real"), row.digits),
            row.wanted,
        )
        for row in _SHOWN
    ]
    place = " ".join(str(metrics.get(n, "")) for n in ("stage", "plane"))
    return card(
        f"Evaluation: {place}",
        note(str(verdict.get("headline", "No verdict."))),
        table(_COLUMNS, rows),
        facts(
            (each["about"], each["words"])
            for each in verdict.get("findings", ())
        ),
        note(NOT_FOR_DIAGNOSIS),
        phantom=bool(metrics.get("phantom")),
    )


def _written(found: Any, digits: int) -> str:
    """A number, with its standard error or its interval where it has one."""
    if not isinstance(found, dict):
        found = {"value": found}
    value = found.get("mean", found.get("value"))
    if not isinstance(value, int | float):
        return _MISSING
    text = f"{value:.{digits}f}"
    if found.get("standard_error") is not None:
        text += f" ± {found['standard_error']:.{digits}f}"
    if found.get("interval"):
        low, high = found["interval"]
        text += f" [{_end(low, digits)}, {_end(high, digits)}]"
    return text


def _end(value: float | None, digits: int) -> str:
    return _MISSING if value is None else f"{value:.{digits}f}"


if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _HEIGHT = 5.0, 3.2  # inches a plot


def plot_run(run: Run, *, axes: "Sequence[Axes] | None" = None) -> "list[Axes]":
    """Plots what a run's files hold: losses, accuracies, KID and health.

    It can be called while the training goes on.

    Args:
        run: Finished or not. Of a finished one a line marks the epoch of the
            generator that was kept.
        axes: Axes to draw into, at least as many as there are plots (at most
            four); new ones of one figure if unset.

    Returns:
        The axes, one a plot, by epoch from 1.

    Raises:
        ValueError: If the run has no whole epoch yet, or there are too few
            axes.
    """
    config = run.config
    kept = None
    if run.finished:
        kept = generator_facts(run.path, epochs=config.epochs)["epoch"]
    return _plot(
        read_curves(run.path), axes, title=titled(config, "training"), kept=kept
    )


def plot_history(
    history: keras.callbacks.History, *, axes: "Sequence[Axes] | None" = None
) -> "list[Axes]":
    """Plots what `DCGAN.fit` returned: both losses and both accuracies.

    Args:
        history: What `fit` returned.
        axes: Axes to draw into, at least two; new ones of one figure if
            unset.

    Returns:
        The axes, one a plot, by epoch from 1.

    Raises:
        ValueError: If there is no epoch in it, or there are too few axes.
    """
    epochs = [float(epoch + 1) for epoch in history.epoch]
    log = {"epoch": epochs, **history.history} if epochs else {}
    return _plot(Curves(log, {}, {}), axes, title="training", kept=None)


def _plot(
    curves: Curves,
    axes: "Sequence[Axes] | None",
    *,
    title: str,
    kept: int | None,
) -> "list[Axes]":
    count = len(panels_of(curves))
    if not count:
        raise ValueError(
            "expected losses of one epoch or more, found none: wait for the "
            "training's first epoch"
        )
    found = _figure(count, title) if axes is None else list(np.ravel(axes))
    if len(found) < count:
        raise ValueError(f"expected {count} axes or more, found {len(found)}")
    # of a figure of its own it hides what is left over
    draw_curves(found if axes is None else found[:count], curves, kept=kept)
    return found[:count]


def _figure(count: int, title: str) -> "list[Axes]":
    """Axes of a figure that a notebook shows, at most two in a row."""
    # imported late: it looks for a display
    from matplotlib import pyplot

    columns = min(2, count)
    rows = -(-count // columns)
    figure, grid = pyplot.subplots(
        rows,
        columns,
        squeeze=False,
        figsize=(_WIDTH * columns, _HEIGHT * rows),
        layout="constrained",
    )
    figure.suptitle(title)
    return list(grid.ravel())
