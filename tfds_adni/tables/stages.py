"""From the words of tables to the stages this project uses.

Group names are those of ADNI: CN (NL or Normal in older tables), MCI with its
halves EMCI and LMCI, AD or Dementia. SMC (significant memory concern) is a
group of its own; `Patient` says nothing.
"""

STAGES = ("NC", "MCI", "AD")
SMC = "SMC"

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
    """Returns the stage of a research group.

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


def stage_of_change(text: str) -> str | None:
    """Returns the stage a diagnosis in words ends in.

    ADNI's R package has `Conversion: MCI to Dementia` where the CSV has a
    code; ADNIMERGE of 2017 has `MCI to Dementia`.

    Args:
        text: The cell as it stands in the table.

    Example:

    >>> stage_of_change("Reversion: MCI to NL")
    'NC'
    """
    words = text.split()
    return stage_of_group(words[-1]) if words else None


def is_smc(group: str) -> bool:
    """Says whether a group is significant memory concern."""
    return group.strip().upper() == SMC
