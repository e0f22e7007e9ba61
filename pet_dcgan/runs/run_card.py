"""What a run shows of itself in a notebook."""

import csv
from pathlib import Path

from pet_dcgan.config import TrainConfig
from pet_dcgan.runs.selection_log import FILE, best_evaluation, read_evaluations
from pet_dcgan.utils.html import card, facts, picture

_LOSSES = ("d_loss", "g_loss")


def run_card(
    path: Path,
    config: TrainConfig,
    *,
    subjects: int,
    finished: bool,
    evaluated: bool,
) -> str:
    """The run in a few lines, with its latest sheet of samples.

    A file that is missing or damaged is left out: a card never fails.

    Args:
        path: The run's folder.
        config: What the run was told.
        subjects: Number of subjects it trains on; none is named.
        finished: Whether the training has come to its end.
        evaluated: Whether `evaluate` has judged it.

    Returns:
        HTML.
    """
    rows = _rows(path / "log.csv")
    lines = [
        ("folder", path),
        ("preset", config.preset),
        ("data set", f"{config.dataset}, {config.size} x {config.size} pixels"),
        ("training subjects", subjects),
        ("epochs", _epochs(rows, config.epochs)),
        ("state", _state(finished, evaluated)),
        *_losses(rows),
        *_chosen(path),
    ]
    return card(
        f"Run: {config.stage}, {config.plane}",
        facts(lines),
        _latest_sheet(path / "samples"),
        phantom=config.phantom,
    )


def _state(finished: bool, evaluated: bool) -> str:
    if not finished:
        return "not finished: go on with train(..., resume=True)"
    return "finished, evaluated" if evaluated else "finished, not evaluated"


def _epochs(rows: list[dict[str, str]], told: int) -> str:
    done = rows[-1].get("epoch") if rows else 0
    return f"{done} of {told}"


def _losses(rows: list[dict[str, str]]) -> list[tuple[str, str]]:
    """The losses of the last epoch, where the log has them."""
    last = rows[-1] if rows else {}
    try:
        found = [f"{name} {float(last[name]):.2f}" for name in _LOSSES]
    except (KeyError, TypeError, ValueError):
        return []
    return [("last losses", ", ".join(found))]


def _chosen(path: Path) -> list[tuple[str, str]]:
    """The best look at the KID, where generators are chosen by it."""
    try:
        best = best_evaluation(read_evaluations(path / FILE))
    except (OSError, ValueError):
        return []
    if best is None:
        return []
    return [
        (
            "best on validation",
            f"epoch {best.epoch}, KID {best.val_kid:.3f} ± "
            f"{best.standard_error:.3f}",
        )
    ]


def _latest_sheet(folder: Path) -> str:
    """The latest sheet of samples, `""` where there is none."""
    sheets = sorted(folder.glob("epoch_*.png"))
    try:
        return picture(sheets[-1].read_bytes(), f"samples, {sheets[-1].stem}")
    except (IndexError, OSError):
        return ""


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error):
        return []
