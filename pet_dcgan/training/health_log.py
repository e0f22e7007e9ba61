"""The log of a training's health, `health.csv`."""

import csv
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from pet_dcgan.training.condition_vitals import (
    ConditionalRecord,
    ConditionVitals,
)
from pet_dcgan.training.health import HealthFinding
from pet_dcgan.training.vitals import HealthRecord, Vitals
from pet_dcgan.utils.files import replacing
from pet_dcgan.utils.foreign_tables import read_table

LOSSES = ("d_loss", "g_loss", "real_accuracy", "fake_accuracy")
_VITALS = tuple(field.name for field in dataclasses.fields(Vitals))
_OF_CONDITIONS = tuple(f.name for f in dataclasses.fields(ConditionVitals))
# of no volume
_OF_PLACES = ("plane_effect", "position_effect")
_WORDS = ("states", "said", "phantom")


class HealthLog:
    """The health records and reports of a run, in `health.csv`.

    The CSV is replaced whole, and an epoch that a resumed run repeats has one
    row.

    Args:
        path: The CSV; rows of an earlier part of the run are kept.
        phantom: Written into every row.
        conditional: Whether it is that of a conditional training, which has
            columns of its conditions.
        volumes: Whether it is that of a training on volumes, which lie in no
            plane and at no position.

    Attributes:
        measures: Names of the columns of numbers.

    Raises:
        ValueError: If the file is not a health log.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        phantom: bool,
        conditional: bool = False,
        volumes: bool = False,
    ) -> None:
        self.path = Path(path)
        self.phantom = str(phantom).lower()
        measures = [*LOSSES, *_VITALS, *_OF_CONDITIONS * conditional]
        if volumes:
            measures = [name for name in measures if name not in _OF_PLACES]
        self.measures = tuple(measures)
        self._columns = ["epoch", *measures, *_WORDS]
        self._rows = _read_rows(self.path, self._columns)

    def is_new(self, finding: HealthFinding) -> bool:
        """Whether no part of the run has reported this state before."""
        reported = (row["states"].split() for row in self._rows.values())
        return not any(finding.state in states for states in reported)

    def records_before(self, epoch: int) -> list[HealthRecord]:
        """All records before an epoch, counted from 1, in order."""
        return [
            _record(row)
            for number, row in sorted(self._rows.items())
            if number < epoch and row["diversity"]
        ]

    def add(
        self,
        epoch: int,
        record: HealthRecord | None = None,
        findings: Sequence[HealthFinding] = (),
    ) -> None:
        """Adds the row of an epoch, or replaces what it measured.

        Reports of an epoch that is repeated stay, as do those of later ones
        that a resumed run has yet to repeat.

        Args:
            epoch: Counted from 1.
            record: What was measured, if anything could be.
            findings: What is reported.
        """
        before = self._rows.get(epoch, {"states": "", "said": ""})
        states = [before["states"], *(f.state for f in findings)]
        said = [before["said"], *map(str, findings)]
        row = dict.fromkeys(self._columns, "") | {"epoch": str(epoch)}
        if record is not None:
            row |= {n: repr(getattr(record, n)) for n in self.measures}
        self._rows[epoch] = row | {
            "states": " ".join(filter(None, states)),
            "said": "; ".join(filter(None, said)),
            "phantom": self.phantom,
        }
        with (
            replacing(self.path) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, self._columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(row for _, row in sorted(self._rows.items()))


def _read_rows(path: Path, columns: list[str]) -> dict[int, dict[str, str]]:
    """The rows of a health log by epoch, each checked."""
    remedy = "remove the file to have states reported anew"
    try:
        rows = read_table(path, columns)
    except FileNotFoundError:
        return {}
    except ValueError as error:
        if path.is_file() and not path.stat().st_size:
            return {}
        raise ValueError(f"{error}: {remedy}") from None
    try:
        for row in rows:
            if row["diversity"]:
                _record(row)
        return {int(row["epoch"]): row for row in rows}
    except ValueError:
        raise ValueError(
            f"expected numbers under {','.join(columns[: -len(_WORDS)])} in "
            f"{path}, found another value: {remedy}"
        ) from None


def _record(row: dict[str, str]) -> HealthRecord:
    """The record of a row."""
    kind, names = HealthRecord, (*LOSSES, *_VITALS)
    if _OF_CONDITIONS[0] in row:
        kind, names = ConditionalRecord, (*names, *_OF_CONDITIONS)
    measured = {name: float(row.get(name, "nan")) for name in names}
    return kind(epoch=int(row["epoch"]), **measured)
