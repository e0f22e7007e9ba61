"""A folder of scans, as one walk through it found it."""

import dataclasses

from tfds_adni.sources.collection import missing_collection
from tfds_adni.sources.record import ScanRecord
from tfds_adni.sources.tree import Tree


@dataclasses.dataclass(frozen=True)
class ScanFolder:
    """What lies in a folder and what its source knows of the scans in it.

    Attributes:
        tree: Its files and tables.
        source: The way the cohort came, `"ida"` or `"bids"`.
        records: In order of subject, date, image id and path.
    """

    tree: Tree
    source: str
    records: tuple[ScanRecord, ...]

    def missing_tables(self) -> str:
        """Words the error for a cohort that no table gives a diagnosis for.

        Returns:
            One line: the table expected, what was found instead, what to do.
        """
        if self.source == "ida":
            return missing_collection(self.tree)
        return (
            "expected a diagnosis in participants.tsv or sub-*_sessions.tsv "
            f"in {self.tree.root}, found none; point at the folder that holds "
            "them, or give a table of ADNI with --diagnosis"
        )
