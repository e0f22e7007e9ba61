"""What comes to light while a data set's examples are made."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from tfds_adni.cohort.account import printable
from tfds_adni.cohort.cohort import Cohort
from tfds_adni.cohort.diagnosis import STAGES
from tfds_adni.cohort.splits import SPLITS, require_disjoint
from tfds_adni.parallel.examples import Outcome


class PreparationReport:
    """What only the pixels tell, gathered while examples are made.

    Args:
        cohort: What the headers and tables told.
        split_of: Split by subject id.
        folder: The download; the account's paths are relative to it.
    """

    def __init__(
        self, cohort: Cohort, split_of: Mapping[str, str], folder: Path
    ) -> None:
        self.cohort = cohort
        self.split_of = split_of
        self.folder = folder
        self._outcomes: dict[str, Outcome] = {}
        self._written: dict[str, set[str]] = defaultdict(set)

    @property
    def done(self) -> int:
        """How many scans have been counted."""
        return len(self._outcomes)

    def count(self, outcome: Outcome, split: str) -> None:
        """Counts what became of a scan.

        Args:
            outcome: What became of it.
            split: The one that its examples are written to.
        """
        self._outcomes[outcome.image_id] = outcome
        self._written[split].update(outcome.subjects)

    def require_apart(self) -> None:
        """Refuses examples of one subject that were written to two splits.

        It goes by the examples, whatever the splits were meant to be.

        Raises:
            ValueError: If there are such, naming the subjects.
        """
        require_disjoint(self._written)

    def require_subjects(self, split: str) -> None:
        """Refuses a split that has lost all its scans to their pixels.

        Args:
            split: As `test`.

        Raises:
            ValueError: If it has; the text gives the reasons.
        """
        judged = self._judged()
        if not any(
            self.split_of[v.record.subject] == split for v in judged.used
        ):
            raise ValueError(
                f"expected usable scans for the {split} split in "
                f"{self.folder}, found none ({self._reasons()}); repair or "
                "replace those scans"
            )

    def facts(self) -> dict:
        """Returns what goes into the data set's metadata."""
        judged = self._judged()
        # TFDS may stop a split early (max_examples_per_split).
        cut = (self._outcomes.get(v.record.image_id) for v in judged.used)
        used = [outcome for outcome in cut if outcome]
        pixels = sum(outcome.pixels for outcome in used)
        clipped = sum(outcome.clipped for outcome in used)
        return {
            "phantom": judged.phantom,
            "clipped_share": clipped / max(pixels, 1),
            "subjects": self._subjects(judged),
            "label_sources": judged.label_sources(),
            "scans": {
                "used": len(used),
                "skipped_for_their_pixels": self.done - len(used),
                "averaged_over_frames": sum(o.frames > 1 for o in used),
                "with_repaired_voxels": sum(o.repaired > 0 for o in used),
                "with_left_and_right_assumed": sum(
                    not o.oriented for o in used
                ),
            },
        }

    def account(self) -> pd.DataFrame:
        """Returns one row for every image file found, with split and frames."""
        judged = self._judged()
        account = judged.account(self.folder)
        used = account["used"]
        split = account["subject"].map(self.split_of)
        account["split"] = split.where(used, "").fillna("")
        frames = {
            printable(o.image_id): o.frames for o in self._outcomes.values()
        }
        account["frames"] = [
            str(frames.get(image_id, "")) if kept else ""
            for image_id, kept in zip(account["image_id"], used, strict=True)
        ]
        return account

    def _reasons(self) -> str:
        """Returns one reason of each kind."""
        reasons = sorted(o.reason for o in self._outcomes.values() if o.reason)
        kinds = {reason.split(": ")[0]: reason for reason in reversed(reasons)}
        return "; ".join(list(kinds.values())[:3])

    def _subjects(self, judged: Cohort) -> dict[str, dict[str, int]]:
        """Counts subjects by the stage of their scans and by split."""
        counts = defaultdict(Counter)
        pairs = {(v.record.subject, v.stage) for v in judged.used}
        for subject, stage in pairs:
            counts[stage][self.split_of[subject]] += 1
        return {s: {p: counts[s][p] for p in SPLITS} for s in STAGES}

    def _judged(self) -> Cohort:
        """Returns the cohort as its pixels leave it."""
        return self.cohort.with_reasons(
            {o.image_id: o.reason for o in self._outcomes.values() if o.reason}
        )
