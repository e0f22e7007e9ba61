"""`health.csv`: what each look at a training measured, and what was said."""

import csv
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from pet_dcgan.training.health.states import HealthFinding, HealthLook
from pet_dcgan.utils.files import replacing

_KINDS = {field.name: field.type for field in dataclasses.fields(HealthLook)}
_COLUMNS = [*_KINDS, "states", "said", "phantom"]


class HealthLog:
    """The looks of a run, oldest first, on disk after each.

    The CSV is replaced whole after each look, and an epoch that a resumed
    run repeats stands in it once.

    Args:
        path: The CSV; what an earlier part of the run wrote is kept.
        phantom: Written into every row.

    Raises:
        ValueError: If the file is not one of these.
    """

    def __init__(self, path: str | Path, *, phantom: bool) -> None:
        self.path = Path(path)
        self.phantom = str(phantom).lower()
        rows = _read(self.path) if self.path.exists() else []
        self._rows = {int(row["epoch"]): row for row in rows}

    def is_new(self, finding: HealthFinding) -> bool:
        """Whether no part of the run has said this state before."""
        said = (row["states"].split() for row in self._rows.values())
        return not any(finding.state in states for states in said)

    def looks_before(self, epoch: int) -> list[HealthLook]:
        """Every look before an epoch, counted from 1."""
        rows = (r for e, r in sorted(self._rows.items()) if e < epoch)
        return [_look(row) for row in rows if row["diversity"]]

    def add(
        self,
        epoch: int,
        look: HealthLook | None = None,
        findings: Sequence[HealthFinding] = (),
    ) -> None:
        """Adds the row of an epoch, or measures it anew.

        What an epoch said before it was repeated stays, and so do later ones
        that a resumed run has yet to repeat: it has been said.

        Args:
            epoch: Counted from 1.
            look: What was measured, if anything could be.
            findings: What is said.
        """
        before = self._rows.get(epoch, {"states": "", "said": ""})
        states = [before["states"], *(f.state for f in findings)]
        said = [before["said"], *map(str, findings)]
        row = dict.fromkeys(_COLUMNS, "") | {"epoch": str(epoch)}
        if look is not None:
            values = dataclasses.asdict(look)
            row |= {name: repr(value) for name, value in values.items()}
        self._rows[epoch] = row | {
            "states": " ".join(filter(None, states)),
            "said": "; ".join(filter(None, said)),
            "phantom": self.phantom,
        }
        with replacing(self.path) as temporary:
            _write(temporary, [row for _, row in sorted(self._rows.items())])


def _write(path: Path, rows: Sequence[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _read(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            if list(row) != _COLUMNS or None in row.values():
                raise ValueError("columns")
            int(row["epoch"])
            if row["diversity"]:
                _look(row)
    except (ValueError, csv.Error) as error:
        raise ValueError(
            f"expected the columns {','.join(_COLUMNS)} in {path}, found "
            "something else: remove the file, and what was said is said again"
        ) from error
    return rows


def _look(row: dict[str, str]) -> HealthLook:
    return HealthLook(
        **{name: kind(row[name]) for name, kind in _KINDS.items()}
    )
