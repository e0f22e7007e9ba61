"""What is decided about one scan."""

import dataclasses

from tfds_adni.sources import ScanRecord


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """A scan, what it is, and why it is not used.

    Attributes:
        record: What the source knows of the scan.
        stage: `"NC"`, `"MCI"` or `"AD"`, `""` where unknown or dropped.
        tracer: Such as `"FDG"`.
        level: Processing level, one of `descriptions.LEVELS`.
        label_source: The table that gave the stage and, after a semicolon,
            those that say otherwise; `""` where there is no stage.
        reason: Why the scan is not used, `""` where it is; what differs from
            scan to scan stands after a colon.
        oriented: Whether its headers say where left and right are.
    """

    record: ScanRecord
    stage: str
    tracer: str
    level: str
    label_source: str = ""
    reason: str = ""
    oriented: bool = True

    @property
    def disagrees(self) -> bool:
        """Whether another table says another stage than the one used."""
        return ";" in self.label_source

    def with_reason(self, reason: str) -> "Verdict":
        """Gives the verdict with another reason."""
        return dataclasses.replace(self, reason=reason)
