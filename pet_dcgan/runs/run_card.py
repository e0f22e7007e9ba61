"""A run as a card in a notebook: its facts, losses and latest samples."""

from pathlib import Path
from typing import TYPE_CHECKING

from pet_dcgan.runs.selection_log import best_evaluation, read_evaluations
from pet_dcgan.utils.foreign_files import read_bytes
from pet_dcgan.utils.foreign_tables import read_table
from pet_dcgan.utils.templates import render

if TYPE_CHECKING:
    from pet_dcgan.runs.run import Run

_SHEET_BYTES = 2**24


def run_card(run: "Run") -> str:
    """HTML that shows a run without naming a subject.

    A file that is missing or damaged is left out; nothing is raised.

    Args:
        run: Finished or not.
    """
    config, size = run.config, run.config.size
    state = "not finished: go on with train(..., resume=True)"
    if run.finished:
        evaluated = (run.evaluation / "metrics.json").is_file()
        state = f"finished, {'' if evaluated else 'not '}evaluated"
    last = [{}, *_rows(run.path / "log.csv")][-1]
    epochs = config.epochs or "an unknown number"
    lines = [
        ("folder", run.path),
        ("preset", config.preset),
        ("data set", f"{config.dataset}, {size} x {size} pixels"),
        ("training subjects", len(run.subjects)),
        ("epochs", f"{last.get('epoch', '0')[:9]} of {epochs}"),
        *_own(run),
        ("state", state),
        *_losses(last),
        *_best(run.path),
    ]
    return render(
        "utils/card.html",
        title=f"Run: {config.stage}, {config.plane}",
        phantom=config.phantom,
        facts=lines,
        picture=_latest_sheet(run.path / "samples"),
    )


def _own(run: "Run") -> list[tuple[str, str]]:
    """Which networks are the user's own, if any."""
    if not run.networks:
        return []
    return [("networks of your own", ", ".join(sorted(run.networks)))]


def _rows(path: Path) -> list[dict[str, str]]:
    """The rows of a log, none where it is missing or damaged."""
    try:
        return read_table(path, ["epoch"])
    except (OSError, ValueError):
        return []


def _losses(row: dict[str, str]) -> list[tuple[str, str]]:
    """The losses of an epoch, where its row has them."""
    try:
        found = [f"{n} {float(row[n]):.2f}" for n in ("d_loss", "g_loss")]
    except (KeyError, ValueError):
        return []
    return [("last losses", ", ".join(found))]


def _best(run_path: Path) -> list[tuple[str, str]]:
    """The best evaluation, where generators are chosen by evaluations."""
    try:
        best = best_evaluation(read_evaluations(run_path))
    except (OSError, ValueError):
        return []
    if best is None:
        return []
    text = (
        f"epoch {best.epoch}, KID {best.val_kid:.3f} ± "
        f"{best.standard_error:.3f}, excess of suspected copies "
        f"{100 * best.suspects:.1f} %"
    )
    return [("best on validation", text)]


def _latest_sheet(folder: Path) -> tuple[str, bytes]:
    """Name and bytes of the latest sheet of samples, empty if there is none."""
    # from epoch 10000 on names are longer
    sheets = sorted(folder.glob("epoch_*.png"), key=lambda p: (len(p.name), p))
    try:
        content = read_bytes(sheets[-1], most=_SHEET_BYTES)
    except (IndexError, OSError, ValueError):
        return "", b""
    return f"samples, {sheets[-1].stem}", content
