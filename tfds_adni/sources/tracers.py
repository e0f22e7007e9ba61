"""Names of tracers, as tables, JSON files, folders and descriptions write them.

The short names are ADNI's. Other names of a compound are those of its maker
(Amyvid, Neuraceq, Vizamyl, Tauvid), of its code (AV-45, T807, AZD4694) and, of
FDG, the systematic ones: `2-deoxy-2-[18F]fluoro-D-glucose` (PET-BIDS asks for
the name by chemistry), `fludeoxyglucose F18` (USP and INN) and `FDG --
fluorodeoxyglucose` (the meaning of DICOM's code for it, context group 4021).

Tracers that are not ADNI's are known by name as well, so that a folder
`FDOPA` in one named after FDG is not read as FDG.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping

# On small letters. A name starts a word, or follows its isotope; it ends one,
# or its isotope follows. `pet` may stand at either side.
_END = r"(?:(?![a-z])|(?=pet|f-?18|c-?11))"
_NAMES = {
    "AV1451": r"av[- ]?1451|flortaucipir|tauvid|t[- ]?807(?!\d)",
    "AV45": r"av[- ]?45(?!\d)|florbetapir|amyvid",
    "FBB": rf"fbb{_END}|florbetaben|neuraceq",
    "PIB": rf"pib{_END}|pittsburgh",
    "FMM": rf"fmm{_END}|flutemetamol|vizamyl",
    "MK6240": r"mk[- ]?6240|florquinitau",
    "PI2620": r"pi[- ]?2620",
    "NAV4694": r"n?av[- ]?4694|azd[- ]?4694|flutafuranol",
    # 3-FDG, 4-FDG and 6-FDG are other sugars
    "FDG": rf"(?<![346])fdg{_END}",
}
_OTHER_NAMES = {
    "FDOPA": r"(?:f[- ]?|fluoro-?(?:l-?)?)?dopa(?!m)",
    "FET": rf"fet{_END}|fluoro-?ethyl-?(?:l-?)?tyrosine",
    "FLT": rf"(?<!desc-)flt{_END}|fluorothymidine",
    "MET": rf"(?<=11c)[-\]) ]*met{_END}|(?<=c11)-?met{_END}|methionine",
    "UCBJ": rf"ucb[- ]?[jh]{_END}|synvest",
    "raclopride": "raclopride",
    "fallypride": "fallypride",
    "DPA714": r"dpa[- ]?714",
    "PBR28": r"pbr[- ]?(?:28|06|111)",
    "PK11195": r"pk[- ]?11195",
    "GE180": r"ge[- ]?180|flutriciclamide",
    "ER176": r"er[- ]?176",
    "water": r"(?<!\d)15-?o(?:[- \])]*(?:water|h2o)|(?![-a-z]))"
    r"|h2[- ]?o(?![a-z])|o-?15(?![\da-z])|h215o|h2 15o|radiowater",
    "ammonia": r"13n[- ]?(?:nh3|ammonia)|ammonia",
    "FMISO": r"f-?miso|misonidazole",
    "THK": r"thk[- ]?\d{3,4}",
    "PBB3": r"pbb3|pm[- ]?pbb3|florzolotau",
    "choline": r"(?:fluoro)?(?:methyl|ethyl)?choline",
    "PSMA": "psma",
    "FAPI": r"fapi(?![a-z])",
    "DOTATATE": r"dotatate|dotatoc|dotanoc",
    "NaF": r"naf(?![a-z])|sodium fluoride",
    "flumazenil": "flumazenil",
    "altanserin": "altanserin",
    "setoperone": "setoperone",
    "MDL100907": r"mdl[- ]?100907",
    "CIMBI36": r"cimbi[- ]?36",
    "DASB": r"dasb(?![a-z])",
    "WAY100635": r"way[- ]?100635",
    "MPPF": r"mppf(?![a-z])",
    "SB207145": r"sb[- ]?207145",
    "DTBZ": r"dtbz|av[- ]?133|tetrabenazine",
    "PE2I": r"pe2i",
    "carfentanil": "carfentanil",
    "SCH23390": r"sch[- ]?23390",
    "FEOBV": "feobv",
    "FDDNP": "fddnp",
    "FPEB": r"fpeb(?![a-z])",
    "ABP688": r"abp[- ]?688",
    "FDGal": "fdgal",
}
_STARTS = r"(?:(?<![a-z])|(?<=18f)|(?<=f18)|(?<=11c)|(?<=c11)|(?<=pet))"


def _compiled(names: Mapping[str, str]) -> dict[str, re.Pattern]:
    return {n: re.compile(f"{_STARTS}(?:{p})") for n, p in names.items()}


_PATTERNS = _compiled(_NAMES)
_OTHERS = _compiled(_OTHER_NAMES)
TRACERS = tuple(_PATTERNS)
OTHER_TRACERS = tuple(_OTHERS)

# Letters and digits alone of a systematic name: glucose with fluorine for a
# hydroxyl, in whatever order its parts are named, in European languages.
_DEOXY = r"(?:des?ox[iy]|desossi)"
_FDG_PARTS = tuple(
    map(
        re.compile,
        (
            r"flu(?:or|d)|18f|f18",
            _DEOXY,
            r"glu[ck]o(?:s(?:e|a(?!m)|io)|z|pyranose)",
        ),
    )
)
_ISOTOPE = r"(?:18f|f18)?"
_OTHER_PLACE = re.compile(
    rf"([346]){_ISOTOPE}fluoro?\1{_DEOXY}|([346]){_DEOXY}\2{_ISOTOPE}fluor"
)
# What stands where a tracer's name is missing, letters and digits alone;
# `Solution` is a scanner's own, and fluorine alone is in many tracers.
_NOTHING = re.compile(
    r"xx+|(?:na|nan|none|null|nil|unknown|other|unspecified|missing|todo|tb[acd]"
    r"|not(?:applicable|available|specified|known|given)|pet"
    r"|tracer|solution|injection|radiopharmaceutical|radiotracer"
    r"|18f|f18|18|fluor|fluorine|fluoro){0,6}"
)
_LONGEST = 500  # characters; names are shorter
_DEEPEST = 20  # lists and objects within one another

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
    is_fdg = all(part.search(letters) for part in _FDG_PARTS)
    return "FDG" if is_fdg and not _OTHER_PLACE.search(letters) else ""


def known_tracer(text: str) -> str:
    """Returns the name of a tracer in a text, ADNI's or another, or `""`.

    Args:
        text: Such as `18FAV45` or `FDOPA`.
    """
    plain = _plain(text)
    others = (n for n, pattern in _OTHERS.items() if pattern.search(plain))
    return tracer_in(text) or next(others, "")


def tracer_named(text: str) -> str:
    """Returns ADNI's short name of a tracer, the text itself for any other.

    Args:
        text: A cell as in BIDS (`18FAV45`) or an XML file (`18F-FDG`), or the
            name in full.

    Returns:
        `""` where the cell names none: `n/a`, `unknown`, an isotope alone.
    """
    name = " ".join(text.split())
    if _NOTHING.fullmatch(re.sub(r"[\W_]+", "", _plain(name))):
        return ""
    return tracer_in(name) or name


def tracer_of_facts(facts: Mapping[str, object]) -> str:
    """Returns the tracer that the keys of a JSON file name, `""` if none does.

    Args:
        facts: The content of the file.
    """
    return next(iter(tracers_of_facts(facts)), "")


def tracers_of_facts(facts: Mapping[str, object]) -> list[str]:
    """Returns all tracers that the keys of a JSON file name, best key first.

    Args:
        facts: The content of the file.
    """
    named = map(tracer_named, _texts(facts, TRACER_KEYS))
    return list(filter(None, named))


def tracer_of_names(names: Iterable[str]) -> str:
    """Returns the tracer in the nearest part of a path that names one.

    Args:
        names: The file and its folders from the nearest to the farthest, such
            as `sub-01_18FFDG` or `PET_18FFDG`. The label of a subject is no
            tracer; a name with two of them tells neither.

    Returns:
        Its name, of a tracer that is not ADNI's too.
    """
    patterns = _PATTERNS | _OTHERS
    for name in names:
        text = _plain(re.sub(r"^sub-[A-Za-z0-9]+", "", name))
        found = [n for n, pattern in patterns.items() if pattern.search(text)]
        if len(found) == 1:
            return found[0]
    return ""


def _plain(text: str) -> str:
    """Returns small letters without accents, blanks for underscores, cut.

    A superscript 18 becomes a plain one.
    """
    text = unicodedata.normalize("NFKD", text[:_LONGEST]).lower()
    text = text.replace("_", " ")
    return "".join(c for c in text if not unicodedata.combining(c))


def _texts(
    facts: object, keys: Iterable[str], depth: int = _DEEPEST
) -> Iterable[str]:
    """Yields the texts below some keys, those in a sequence of DICOM too."""
    if not depth:
        return
    if isinstance(facts, list):
        for item in facts:
            yield from _texts(item, keys, depth - 1)
    elif isinstance(facts, Mapping):
        for key in keys:
            value = facts.get(key)
            if isinstance(value, str):
                yield value
            elif key in _SEQUENCES:
                yield from _texts(value, (*TRACER_KEYS, _MEANING), depth - 1)
