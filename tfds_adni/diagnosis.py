"""From what a table says of a subject to the stage this project uses.

Group names are those of the IDA collection CSV of ADNI: CN (Normal in older
downloads), MCI with its halves EMCI and LMCI, and AD. SMC (significant memory
concern) is a group of its own and is not NC; `Patient` says nothing.
"""

STAGES = ("NC", "MCI", "AD")

_STAGE_OF_GROUP = {
    "cn": "NC",
    "nc": "NC",
    "nl": "NC",
    "normal": "NC",
    "mci": "MCI",
    "emci": "MCI",
    "lmci": "MCI",
    "ad": "AD",
    "dementia": "AD",
}


def stage_of_group(group: str) -> str | None:
    """Gives the stage of an IDA research group.

    Args:
        group: The cell as it stands in the table, in any case.

    Returns:
        `"NC"`, `"MCI"` or `"AD"`; `None` where the group names no stage (SMC,
        Patient, an empty cell).

    Example:

    >>> stage_of_group("LMCI")
    'MCI'
    """
    return _STAGE_OF_GROUP.get(group.strip().lower())
