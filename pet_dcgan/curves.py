"""The curves of a training as plots, for notebooks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import keras
import numpy as np

from pet_dcgan.evaluation.curve_figure import draw_curves, panels_of
from pet_dcgan.evaluation.plots import titled
from pet_dcgan.evaluation.training_log import Curves, read_curves
from pet_dcgan.looks import generator_facts
from pet_dcgan.run import Run

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
