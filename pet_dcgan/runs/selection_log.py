"""The selection log: KID on validation subjects between epochs."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pet_dcgan.utils.files import replacing

FILE = "selection.csv"


class KidEvaluation(NamedTuple):
    """KID of the generator after an epoch.

    Args:
        epoch: Completed epochs, from 1.
        val_kid: KID of synthetic slices and those of validation subjects.
        standard_error: Of `val_kid`.
    """

    epoch: int
    val_kid: float
    standard_error: float


def read_evaluations(path: str | Path) -> list[KidEvaluation]:
    """Reads what `write_evaluations` wrote; none where there is no file.

    Raises:
        ValueError: If the file is damaged.
    """
    path = Path(path)
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [
                KidEvaluation(
                    epoch=int(row["epoch"]),
                    val_kid=float(row["val_kid"]),
                    standard_error=float(row["standard_error"]),
                )
                for row in csv.DictReader(file)
            ]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"expected epoch, val_kid and standard_error in every row of "
            f"{path}, found {error!r}: train again under another --run"
        ) from error


def write_evaluations(
    path: str | Path, evaluations: Sequence[KidEvaluation], *, phantom: bool
) -> None:
    """Writes a CSV with one row per evaluation, whole or not at all.

    Args:
        path: CSV to write; it is replaced.
        evaluations: In order of epoch.
        phantom: Written into every row.
    """
    with (
        replacing(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*KidEvaluation._fields, "phantom"))
        # a float's repr is read back as the same number
        writer.writerows(
            (*evaluation, str(phantom).lower()) for evaluation in evaluations
        )


def best_evaluation(
    evaluations: Sequence[KidEvaluation],
) -> KidEvaluation | None:
    """The evaluation with the lowest KID, the first of equal ones."""
    return min(evaluations, key=lambda each: each.val_kid, default=None)


def evaluations_without_improvement(
    evaluations: Sequence[KidEvaluation],
) -> int:
    """Evaluations since the best one."""
    best = best_evaluation(evaluations)
    return len(evaluations) - 1 - evaluations.index(best) if best else 0


def ended_early(run_path: str | Path, *, epoch: int, patience: int) -> bool:
    """Whether a training had come to its early end after an epoch.

    Args:
        run_path: The run's folder.
        epoch: Completed epochs.
        patience: Evaluations without improvement that end a training; 0
            never does.
    """
    evaluations = read_evaluations(Path(run_path) / FILE)
    before = [each for each in evaluations if each.epoch <= epoch]
    return (
        bool(patience) and evaluations_without_improvement(before) >= patience
    )


def generator_facts(run_path: str | Path, *, epochs: int) -> dict[str, Any]:
    """Which epoch a finished run's generator is of, and why.

    Args:
        run_path: The run's folder.
        epochs: Epochs of its configuration, for a run without selection.

    Returns:
        `epoch` and `chosen_by` (`"val_kid"` or `"last epoch"`), with
        `val_kid` and `standard_error` where there are such.
    """
    best = best_evaluation(read_evaluations(Path(run_path) / FILE))
    if best is None:
        return {"epoch": epochs, "chosen_by": "last epoch"}
    return {"chosen_by": "val_kid", **best._asdict()}
