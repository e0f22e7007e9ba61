"""Names of tracers, as tables, JSON files, folders and descriptions write them.

The short names are ADNI's. Other names of a compound are those of its maker
(Amyvid, Neuraceq, Vizamyl, Tauvid), of its code (AV-45, T807, AZD4694) and, of
FDG, the systematic ones: `2-deoxy-2-[18F]fluoro-D-glucose` (PET-BIDS asks for
the name by chemistry), `fludeoxyglucose F18` (USP and INN) and `FDG --
fluorodeoxyglucose` (the meaning of DICOM's code for it, context group 4021).
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping

# On small letters. A name starts a word, or follows its isotope.
_NAMES = {
    "AV1451": r"av[- ]?1451|flortaucipir|tauvid|t[- ]?807(?!\d)",
    "AV45": r"av[- ]?45(?!\d)|florbetapir|amyvid",
    "FBB": r"fbb(?![a-z])|florbetaben|neuraceq",
    "PIB": r"pib(?![a-z])|pittsburgh",
    "FMM": r"fmm(?![a-z])|flutemetamol|vizamyl",
    "MK6240": r"mk[- ]?6240|florquinitau",
    "PI2620": r"pi[- ]?2620",
    "NAV4694": r"n?av[- ]?4694|azd[- ]?4694|flutafuranol",
    # 3-FDG, 4-FDG and 6-FDG are other sugars
    "FDG": r"(?<![346])fdg(?![a-z])",
}
_STARTS = r"(?:(?<![a-z])|(?<=18f)|(?<=f18)|(?<=11c)|(?<=c11))"
_PATTERNS = {n: re.compile(f"{_STARTS}(?:{p})") for n, p in _NAMES.items()}
TRACERS = tuple(_PATTERNS)

# Letters and digits alone of a systematic name: glucose with fluorine for a
# hydroxyl, in whatever order its parts are named.
_FDG_PARTS = re.compile(
    r"(?=.*(?:flu(?:or|d)|18f|f18))(?=.*des?oxy).*gluco(?:se|pyranose)"
)
_ISOTOPE = r"(?:18f|f18)?"
_OTHER_PLACE = re.compile(
    rf"([346]){_ISOTOPE}fluoro\1deoxy|([346])deoxy\2{_ISOTOPE}fluoro"
)
# What stands where a tracer's name is missing; `Solution` is a scanner's own.
_NOTHING = re.compile(
    r"|n/?a|nan|none|null|unknown|other|unspecified|todo|tracer|solution"
    r"|radiopharmaceutical|[\W_]*(?:18[\W_]*f|f[\W_]*18|fluorine[\W_]*18)[\W_]*"
)

# Keys of a JSON file that name the tracer, the most certain first: PET-BIDS's,
# dcm2niix's (DICOM's own name), and those of older converters.
_KEYS = (
    *("TracerName", "Radiopharmaceutical", "Tracer", "TracerMolecule"),
    *("RadiopharmaceuticalName", "RadioPharmaceutical", "Radiotracer"),
)
_SEQUENCES = (
    *("RadiopharmaceuticalInformationSequence", "RadiopharmaceuticalInfo"),
    *("RadiopharmaceuticalCodeSequence",),
)
_MEANING = "CodeMeaning"
TRACER_KEYS = (*_KEYS, *_SEQUENCES)


def tracer_in(text: str) -> str:
    """Returns the short name of the first tracer that a text names, or `""`.

    Args:
        text: Such as `18FAV45`, `[18F]-FDG` or a systematic name.
    """
    text = _plain(text)
    for name, pattern in _PATTERNS.items():
        if pattern.search(text):
            return name
    letters = re.sub("[^a-z0-9]", "", text)
    is_fdg = _FDG_PARTS.search(letters) and not _OTHER_PLACE.search(letters)
    return "FDG" if is_fdg else ""


def tracer_named(text: str) -> str:
    """Returns ADNI's short name of a tracer, the text itself for any other.

    Args:
        text: A cell as in BIDS (`18FAV45`) or an XML file (`18F-FDG`), or the
            name in full.

    Returns:
        `""` where the cell names none: `n/a`, `unknown`, an isotope alone.
    """
    name = " ".join(text.split())
    if _NOTHING.fullmatch(name.lower()):
        return ""
    return tracer_in(name) or name


def tracer_of_facts(facts: Mapping[str, object]) -> str:
    """Returns the tracer that the keys of a JSON file name, `""` if none does.

    Args:
        facts: The content of the file.
    """
    named = (tracer_named(text) for text in _texts(facts, TRACER_KEYS))
    return next(filter(None, named), "")


def tracer_of_names(names: Iterable[str]) -> str:
    """Returns the tracer in the nearest part of a path that names one.

    Args:
        names: The file and its folders from the nearest to the farthest, such
            as `sub-01_18FFDG` or `PET_18FFDG`. The label of a subject is no
            tracer; a name with two of them tells neither.
    """
    for name in names:
        text = _plain(re.sub(r"^sub-[A-Za-z0-9]+", "", name))
        found = [n for n, pattern in _PATTERNS.items() if pattern.search(text)]
        if len(found) == 1:
            return found[0]
    return ""


def _plain(text: str) -> str:
    """Returns small letters without accents, blanks for underscores.

    A superscript 18 becomes a plain one.
    """
    text = unicodedata.normalize("NFKD", text).lower().replace("_", " ")
    return "".join(c for c in text if not unicodedata.combining(c))


def _texts(facts: object, keys: Iterable[str]) -> Iterable[str]:
    """Yields the texts below some keys, those in a sequence of DICOM too."""
    if isinstance(facts, list):
        for item in facts:
            yield from _texts(item, keys)
    elif isinstance(facts, Mapping):
        for key in keys:
            value = facts.get(key)
            if isinstance(value, str):
                yield value
            elif key in _SEQUENCES:
                yield from _texts(value, (*TRACER_KEYS, _MEANING))
