"""What comes to light while a data set's examples are made."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from tfds_adni.cohort import Cohort
from tfds_adni.diagnosis import STAGES
from tfds_adni.slices import Slice
from tfds_adni.splits import SPLITS


class Tally:
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
        self.reasons: dict[str, str] = {}
        self.subjects = defaultdict(Counter)
        self._scans = 0
        self._pixels = 0
        self._clipped = 0

    def count_scan(self, progress: Callable[[int, int], None] | None) -> None:
        """Counts a scan that is done and tells whoever asked."""
        self._scans += 1
        if progress:
            progress(self._scans, len(self.cohort.used))

    def count_clipped(self, piece: Slice, suvr_max: float) -> None:
        """Counts a slice's pixels and those above the scale."""
        self._pixels += piece.image.size
        self._clipped += int((piece.image > suvr_max).sum())

    def require_subjects(self, split: str) -> None:
        """Refuses a split that has lost all its scans to their pixels."""
        if not any(self.subjects[stage][split] for stage in STAGES):
            reasons = "; ".join(sorted(set(self.reasons.values()))[:3])
            raise ValueError(
                f"expected usable scans for the {split} split in "
                f"{self.folder}, found none ({reasons}); repair or replace "
                "those scans"
            )

    def facts(self) -> dict:
        """Gives what goes into the data set's metadata."""
        return {
            "phantom": self._judged().phantom,
            "clipped_share": self._clipped / max(self._pixels, 1),
            "subjects": {
                stage: {split: self.subjects[stage][split] for split in SPLITS}
                for stage in STAGES
            },
        }

    def account(self) -> pd.DataFrame:
        """Gives one row for every image file found, with its split."""
        account = self._judged().account(self.folder)
        split = account["subject"].map(self.split_of)
        account["split"] = split.where(account["used"], "").fillna("")
        return account

    def _judged(self) -> Cohort:
        return self.cohort.with_reasons(self.reasons)
