"""The words that name a group of subjects, and the stage that each means.

Only words that mean one thing wherever they stand are known: those of ADNI
(CN, NL in older tables, EMCI, LMCI), of OASIS-3 (`AD Dementia`) and of groups
of controls in BIDS data sets. `patient` names no disease, and `B` may be a
bolus; what such words mean in a table only its keeper knows.
"""

import re
import unicodedata
from collections.abc import Mapping

_WORDS = {
    "NC": (
        *("cn", "nc", "nl", "hc", "hcs", "cu", "ctrl", "normal", "normals"),
        *("control", "controls", "healthy", "unimpaired"),
        *("normal control", "normal controls", "normal cognition"),
        *("healthy control", "healthy controls", "control group"),
        *("healthy volunteer", "healthy volunteers", "healthy adult"),
        *("healthy adults", "healthy subject", "healthy subjects"),
        *("healthy participant", "healthy participants"),
        *("healthy elderly", "elderly control", "elderly controls"),
        *("control subject", "control subjects", "cognitively healthy"),
        *("cognitively normal", "cognitive normal", "cognitively unimpaired"),
        *("cognitively normal control", "cognitively normal controls"),
    ),
    "MCI": (
        *("mci", "emci", "lmci", "amci", "namci", "amnestic mci"),
        *("early mci", "late mci", "non amnestic mci", "mci due to ad"),
        *("mild cognitive impairment", "early mild cognitive impairment"),
        *("late mild cognitive impairment", "mild cognitive impairment mci"),
        "amnestic mild cognitive impairment",
    ),
    "AD": (
        *("ad", "dat", "sdat", "dementia", "ad dementia", "dementia ad"),
        *("alzheimer", "alzheimers", "alzheimer disease", "alzheimers disease"),
        *("alzheimer dementia", "alzheimers dementia", "alzheimers disease ad"),
        *("alzheimers disease dementia", "alzheimer disease ad"),
        *("alzheimer disease dementia", "dementia due to ad"),
        *("dementia of the alzheimer type", "dementia of alzheimer type"),
        *("dementia of the alzheimers type", "dementia due to alzheimers"),
        *("dementia due to alzheimers disease", "probable ad"),
        *("probable alzheimer disease", "probable alzheimers disease"),
        *("mild ad", "moderate ad", "ad patient", "ad patients"),
    ),
}
_LONGEST = 200  # characters; sorting accents of more takes long
_STAGE_OF_WORD = {w: stage for stage, words in _WORDS.items() for w in words}


def plain_word(text: str) -> str:
    """Returns a word in one spelling: small letters, single blanks.

    Args:
        text: A cell, such as `Alzheimer's_Disease`, which becomes
            `alzheimers disease`. Of one that is too long to be a word only the
            beginning is returned, as it stands.
    """
    if len(text) > _LONGEST:
        return text[:_LONGEST]
    text = unicodedata.normalize("NFKD", text).lower()
    text = re.sub("['\u2019`\u00b4\u0300-\u036f]", "", text)
    return re.sub(r"[\W_]+", " ", text).strip()


def stage_of_group(
    group: str, words: Mapping[str, str] | None = None
) -> str | None:
    """Returns the stage that a word names, `None` if it names none.

    Args:
        group: A cell, in any case and punctuation.
        words: Stage by word, in the spelling of `plain_word`; they go before
            those known here.
    """
    word = plain_word(group)
    return (words or {}).get(word) or _STAGE_OF_WORD.get(word)


def is_smc(group: str) -> bool:
    """Whether a research group is significant memory concern."""
    return group.strip().upper() == "SMC"
