"""The outcomes of all scans of a preparation: facts, a table and a page."""

import functools
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from tfds_adni.cohort import Cohort
from tfds_adni.cohort.kinds import space_named
from tfds_adni.cohort.selection import ScanDecision
from tfds_adni.cohort.splits import SPLITS
from tfds_adni.outliers import Oddity, find_oddities
from tfds_adni.parallel.examples import NOISY, Outcome
from tfds_adni.preparation_page import Entry, numbers, render_page
from tfds_adni.printable import printable
from tfds_adni.tables.cells import STAGES
from tfds_adni.volumes.templates import NATIVE


class PreparationReport:
    """The outcomes of all scans, gathered while examples are made.

    Args:
        cohort: The scans as headers and tables describe them.
        split_of: Split by subject id.
        folder: The download; the account's paths are relative to it.
        volumes: Whether volumes are cut, not slices.
        space: The space they lie in, a template's or `"native"`.
        registration: How scans were registered to it, `None` if they were not.

    Attributes:
        written: For each split the subjects named in its examples.
    """

    def __init__(
        self,
        cohort: Cohort,
        split_of: Mapping[str, str],
        folder: Path,
        *,
        volumes: bool = False,
        space: str = NATIVE,
        registration: Mapping[str, str] | None = None,
    ) -> None:
        self._headers = cohort
        self._split_of = split_of
        self._folder = folder
        self._volumes = volumes
        self._space = space
        self._registration = registration
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
        made = self._made()
        flags = Counter(flag for d in cohort.used for flag in d.flags)
        return {
            "phantom": cohort.phantom,
            "clipped_share": sum(o.clipped for o in used)
            / max(sum(o.pixels for o in used), 1),
            "subjects": {s: {p: counts[s, p] for p in SPLITS} for s in STAGES},
            "volumes" if self._volumes else "slices": {
                s: {p: made[s, p] for p in SPLITS} for s in STAGES
            },
            **self._spaces(),
            "label_sources": dict(sorted(cohort.label_sources.items())),
            "flags": dict(sorted(flags.items())),
            "scans": {
                "used": len(used),
                "skipped_for_their_pixels": len(self._outcomes) - len(used),
                "averaged_over_frames": sum(o.frames > 1 for o in used),
                "with_repaired_voxels": sum(o.repaired > 0 for o in used),
                "with_noise_above_10_percent": sum(
                    o.noise > NOISY for o in used
                ),
                "with_voxels_far_too_bright_or_dark": sum(
                    o.hot > 0 for o in used
                ),
                "unlike_the_others": sum(
                    bool(oddity.words) for oddity in self._oddities.values()
                ),
            },
        }

    def account(self) -> pd.DataFrame:
        """Returns one row for every image file found.

        Returns:
            The columns of `Cohort.account`, and of the scans used the split,
            the number of frames, the numbers of the page, the flags; of
            volumes and registered scans the space, and of the latter the
            correlation with the template.
        """
        account = self.cohort.account(self._folder)
        columns = {"split": account["subject"].map(self._split_of)}
        texts = {
            printable(o.image_id): {
                "frames": str(o.frames),
                **numbers(o),
                "flags": "; ".join(o.flags),
            }
            for o in self._outcomes.values()
        }
        for name in ("frames", "scale", "centre_mm", "mask_ml", "flags"):
            of_image = {i: found[name] for i, found in texts.items()}
            columns[name] = account["image_id"].map(of_image)
        if self._volumes or self._registration:
            columns["space"] = account["used"].map({True: self._space})
        if self._registration:
            likeness = {
                printable(o.image_id): f"{o.similarity:.3f}"
                for o in self._outcomes.values()
            }
            columns["similarity"] = account["image_id"].map(likeness)
        for name, values in columns.items():
            account[name] = values.where(account["used"], "").fillna("")
        return account

    def page(self) -> bytes:
        """Returns the page that shows every scan that was read."""
        entries = [
            Entry(
                decision=decision,
                outcome=outcome,
                split=self._split_of[decision.record.subject],
                oddity=self._oddities.get(outcome.image_id, Oddity(0.0)),
            )
            for decision, outcome in self._cut()
        ]
        return render_page(
            entries,
            phantom=self._headers.phantom,
            volumes=self._volumes,
            space=self._space,
            registered=bool(self._registration),
        )

    def _cut(self) -> list[tuple[ScanDecision, Outcome]]:
        """Returns the scans that were read, in the order of the account."""
        pairs = (
            (decision, self._outcomes.get(decision.record.image_id))
            for decision in self._headers.used
        )
        return [(decision, outcome) for decision, outcome in pairs if outcome]

    def _spaces(self) -> dict:
        """Returns where images lie, unless each lies in a space of its own.

        Of volumes it says so, and how many names of scans say what.
        """
        if self._registration:
            registered = {"registration": dict(self._registration)}
            return {"space": self._space} | registered
        if not self._volumes:
            return {}
        named = Counter(space_named(d.record) for d in self.cohort.used)
        return {
            "space": self._space,
            "spaces_named": dict(sorted(named.items())),
        }

    def _made(self) -> Counter:
        """Counts slices, or volumes, by stage and split."""
        counts: Counter = Counter()
        for decision, outcome in self._cut():
            split = self._split_of[decision.record.subject]
            counts[decision.stage, split] += outcome.slices
        return counts

    @functools.cached_property
    def _oddities(self) -> dict[str, Oddity]:
        """Oddities by image id, to be taken when all scans are counted."""
        sheets = {
            outcome.image_id: outcome.sheet
            for _, outcome in self._cut()
            if outcome.sheet and not outcome.reason
        }
        found = find_oddities(list(sheets.values()))
        return dict(zip(sheets, found, strict=True))
