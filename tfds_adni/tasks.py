"""Scans to the tasks that worker processes or machines are given."""

from collections.abc import Iterable, Iterator

from tfds_adni.examples import Cutting, Task
from tfds_adni.faults import VolumeError
from tfds_adni.normalisation import Normalisation
from tfds_adni.verdict import Verdict


def tasks_of(
    verdicts: Iterable[Verdict], cutting: Cutting, normalisation: Normalisation
) -> Iterator[Task]:
    """Gives each scan what is needed to cut it.

    Args:
        verdicts: The scans used.
        cutting: How all are cut.
        normalisation: What they are divided by; masks are looked up here.

    Yields:
        A task for each scan, with a problem where its mask is not there.

    Raises:
        FileNotFoundError: If there are no masks at all where some are needed.
    """
    masks = normalisation.masks_by_scan()
    for verdict in verdicts:
        mask, problem = None, ""
        if masks:
            try:
                mask = masks.of(verdict.record)
            except VolumeError as error:
                problem = str(error)
        yield Task(
            verdict=verdict,
            cutting=cutting,
            method=normalisation.method,
            mask=mask,
            problem=problem,
        )
