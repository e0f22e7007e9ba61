"""Uses one of several copies of an image."""

from collections.abc import Sequence

from tfds_adni.verdict import Verdict


def keep_one_copy(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Drops all copies of an image but one.

    People unpack an archive twice, keep a `.nii` beside its `.nii.gz`, or lay
    what they made of a scan beside it under the same image id. A copy that is
    broken does not stand in the way of one that is not.

    Args:
        verdicts: All scans; those that have a reason are left as they are.

    Returns:
        The verdicts in their order. Of each image id the scan of the lowest
        rank that had no reason still has none.
    """
    first: dict[str, Verdict] = {}
    for verdict in verdicts:
        if not verdict.reason:
            best = first.setdefault(verdict.record.image_id, verdict)
            if verdict.record.rank < best.record.rank:
                first[verdict.record.image_id] = verdict
    return [
        v.with_reason(v.record.copy)
        if not v.reason and first[v.record.image_id] is not v
        else v
        for v in verdicts
    ]
