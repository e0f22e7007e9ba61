"""The outcomes of all scans of a preparation, as facts and as a table."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from tfds_adni.cohort import Cohort
from tfds_adni.cohort.display import printable
from tfds_adni.cohort.splits import SPLITS
from tfds_adni.parallel.examples import Outcome
from tfds_adni.tables.cells import STAGES

# Coefficient of variation from voxel to voxel above which slices count as
# noisy: ADNI's processed scans, smoothed to 8 mm, have 1 to 4 %.
_NOISY = 0.1


class PreparationReport:
    """The outcomes of all scans, gathered while examples are made.

    Args:
        cohort: The scans as headers and tables describe them.
        split_of: Split by subject id.
        folder: The download; the account's paths are relative to it.

    Attributes:
        written: For each split the subjects named in its examples.
    """

    def __init__(
        self, cohort: Cohort, split_of: Mapping[str, str], folder: Path
    ) -> None:
        self._headers = cohort
        self._split_of = split_of
        self._folder = folder
        self._outcomes: dict[str, Outcome] = {}
        self.written: dict[str, set[str]] = defaultdict(set)

    @property
    def cohort(self) -> Cohort:
        """The cohort, with the reasons that were found in the pixels."""
        outcomes = self._outcomes.values()
        return self._headers.with_reasons(
            {o.image_id: o.reason for o in outcomes if o.reason}
        )

    def count(self, outcome: Outcome, split: str) -> tuple[int, int]:
        """Counts the outcome of a scan.

        Args:
            outcome: The result of `make_examples`.
            split: The one that its examples are written to.

        Returns:
            Scans counted so far, and scans in all.
        """
        self._outcomes[outcome.image_id] = outcome
        self.written[split].update(outcome.subjects)
        return len(self._outcomes), len(self._headers.used)

    def require_subjects(self, split: str) -> None:
        """Rejects a split that has lost all its scans to their pixels.

        Args:
            split: As `test`.

        Raises:
            ValueError: If it has; it gives one reason of each kind.
        """
        used = self.cohort.used
        if any(self._split_of[d.record.subject] == split for d in used):
            return
        reasons = sorted(o.reason for o in self._outcomes.values() if o.reason)
        kinds = {reason.split(": ")[0]: reason for reason in reversed(reasons)}
        raise ValueError(
            f"expected usable scans for the {split} split in {self._folder}, "
            f"found none ({'; '.join(list(kinds.values())[:3])}); repair or "
            "replace those scans"
        )

    def facts(self) -> dict:
        """Returns what goes into the data set's metadata."""
        cohort = self.cohort
        # TFDS may stop a split early (max_examples_per_split).
        cut = (self._outcomes.get(d.record.image_id) for d in cohort.used)
        used = [outcome for outcome in cut if outcome]
        subjects = {(d.record.subject, d.stage) for d in cohort.used}
        counts = Counter((stage, self._split_of[s]) for s, stage in subjects)
        flags = Counter(flag for d in cohort.used for flag in d.flags)
        return {
            "phantom": cohort.phantom,
            "clipped_share": sum(o.clipped for o in used)
            / max(sum(o.pixels for o in used), 1),
            "subjects": {s: {p: counts[s, p] for p in SPLITS} for s in STAGES},
            "label_sources": dict(sorted(cohort.label_sources.items())),
            "flags": dict(sorted(flags.items())),
            "scans": {
                "used": len(used),
                "skipped_for_their_pixels": len(self._outcomes) - len(used),
                "averaged_over_frames": sum(o.frames > 1 for o in used),
                "with_repaired_voxels": sum(o.repaired > 0 for o in used),
                "with_noise_above_10_percent": sum(
                    o.noise > _NOISY for o in used
                ),
                "with_voxels_far_too_bright_or_dark": sum(
                    o.hot > 0 for o in used
                ),
                "with_left_and_right_assumed": sum(
                    not o.oriented for o in used
                ),
            },
        }

    def account(self) -> pd.DataFrame:
        """Returns one row for every image file found, with split and frames."""
        account = self.cohort.account(self._folder)
        frames = {
            printable(o.image_id): str(o.frames)
            for o in self._outcomes.values()
        }
        for name, values in (
            ("split", account["subject"].map(self._split_of)),
            ("frames", account["image_id"].map(frames)),
        ):
            account[name] = values.where(account["used"], "").fillna("")
        return account
