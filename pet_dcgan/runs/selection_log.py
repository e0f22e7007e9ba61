"""The selection log of a run, and which epoch its generator is of.

`selection.csv` has a row per evaluated epoch. The best one is that with the
lowest KID plus suspected copies: of few subjects, KID alone takes generators
that copy them (docs/small-data.md).
"""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pet_dcgan.config import OWN
from pet_dcgan.utils.files import replacing
from pet_dcgan.utils.foreign_tables import read_table
from pet_dcgan.utils.foreign_text import one_line

if TYPE_CHECKING:
    from pet_dcgan.runs.run import Run

SELECTION_LOG = "selection.csv"


class KidEvaluation(NamedTuple):
    """The generator after an epoch, measured; a row of `selection.csv`.

    Args:
        epoch: Completed epochs, from 1.
        val_kid: KID of synthetic slices and those of validation subjects.
        standard_error: Of `val_kid`, over other subjects and other images.
        suspects: Share of suspected copies among the synthetic slices beyond
            that among slices of validation subjects, 0 to 1.
    """

    epoch: int
    val_kid: float
    standard_error: float
    suspects: float

    @property
    def score(self) -> float:
        """What a generator is chosen by: KID plus suspected copies."""
        return self.val_kid + self.suspects


def read_evaluations(run_path: str | Path) -> list[KidEvaluation]:
    """Reads the selection log; no evaluations where there is no file.

    Args:
        run_path: The run's folder.

    Raises:
        ValueError: If the file is damaged.
    """
    path = Path(run_path) / SELECTION_LOG
    remedy = "restore it, or train again under another --run"
    try:
        rows = read_table(path, KidEvaluation._fields)
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise ValueError(f"{error}: {remedy}") from None
    found = []
    for row in rows:
        evaluation = _evaluation(row, after=found[-1].epoch if found else 0)
        if evaluation is None:
            raise ValueError(
                "expected epoch, counting up, val_kid, standard_error and "
                f"suspects from 0 to 1 in every row of {path}, found "
                f"{one_line(','.join(row.values()), most=60)}: {remedy}"
            )
        found.append(evaluation)
    return found


def _evaluation(row: dict[str, str], *, after: int) -> KidEvaluation | None:
    """A row as numbers, None where one is impossible."""
    epoch, value, spread, suspects = (
        _number(row[name]) for name in KidEvaluation._fields
    )
    counts = math.isfinite(epoch) and after < epoch == int(epoch)
    # of few images there is no standard error, which is written as nan
    named = not math.isnan(spread) or row["standard_error"] == "nan"
    if counts and math.isfinite(value) and named and 0 <= suspects <= 1:
        return KidEvaluation(int(epoch), value, spread, suspects)
    return None


def _number(text: str) -> float:
    """A number, NaN where the text is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def write_evaluations(
    run_path: str | Path,
    evaluations: Sequence[KidEvaluation],
    *,
    phantom: bool,
) -> None:
    """Replaces the selection log.

    Args:
        run_path: The run's folder.
        evaluations: A row each.
        phantom: Written into every row.
    """
    mark = str(phantom).lower()
    with (
        replacing(Path(run_path) / SELECTION_LOG) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*KidEvaluation._fields, "phantom"))
        # a float's repr is read back as the same number
        writer.writerows((*each, mark) for each in evaluations)


def best_evaluation(
    evaluations: Sequence[KidEvaluation],
) -> KidEvaluation | None:
    """The evaluation with the lowest score, the first of equal ones.

    Args:
        evaluations: By epoch; None is best of none.
    """
    return min(evaluations, key=lambda each: each.score, default=None)


def without_improvement(evaluations: Sequence[KidEvaluation]) -> int:
    """Number of evaluations since the best one.

    Args:
        evaluations: By epoch.
    """
    best = best_evaluation(evaluations)
    return len(evaluations) - 1 - evaluations.index(best) if best else 0


def ended_early(run_path: str | Path, *, epoch: int, patience: int) -> bool:
    """Whether a training had been stopped early after an epoch.

    Args:
        run_path: The run's folder.
        epoch: Completed epochs.
        patience: Evaluations without improvement that end a training; 0
            never does.

    Raises:
        ValueError: If the selection log is damaged.
    """
    evaluations = read_evaluations(run_path)
    before = [each for each in evaluations if each.epoch <= epoch]
    return 0 < patience <= without_improvement(before)


def generator_facts(run: "Run") -> dict[str, Any]:
    """Which epoch a finished run's generator is of, and why.

    Args:
        run: The run.

    Returns:
        `epoch` and `chosen_by` (`"val_kid + suspects"`, `"last epoch"`, or
        `"user"` where `train` did not train and the epoch is not known), with
        `val_kid`, `standard_error` and `suspects` where there are such.

    Raises:
        ValueError: If the selection log is damaged.
    """
    if run.config.preset == OWN:
        return {"epoch": None, "chosen_by": "user"}
    best = best_evaluation(read_evaluations(run.path))
    if best is None:
        return {"epoch": _last_epoch(run), "chosen_by": "last epoch"}
    return {"chosen_by": "val_kid + suspects", **best._asdict()}


def _last_epoch(run: "Run") -> int:
    """The last epoch: a callback of the user may have ended a training."""
    epochs = run.config.epochs
    try:
        last = read_table(run.path / "log.csv", ["epoch"])[-1]["epoch"]
    except (OSError, ValueError, IndexError):
        return epochs
    known = last.isdecimal() and len(last) <= len(str(epochs))
    return min(int(last), epochs) if known else epochs
