"""From the words of tables to the stages of this project.

Group names are those of ADNI: CN (NL or Normal in older tables), MCI with its
halves EMCI and LMCI, AD or Dementia. SMC (significant memory concern) is a
group of its own; `Patient` is no stage.
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
    """Returns `"NC"`, `"MCI"` or `"AD"` for a research group in any case.

    Returns:
        `None` where the group is no stage (SMC, Patient, an empty cell).
    """
    return _STAGE_OF_GROUP.get(group.strip().lower())


def stage_of_change(text: str) -> str | None:
    """Returns the stage that a diagnosis in words ends in.

    ADNI's R package has `Conversion: MCI to Dementia` where the CSV has a
    code; ADNIMERGE of 2017 has `MCI to Dementia`. Both are AD.
    """
    words = text.split()
    return stage_of_group(words[-1]) if words else None


def is_smc(group: str) -> bool:
    """Whether a group is significant memory concern."""
    return group.strip().upper() == SMC
