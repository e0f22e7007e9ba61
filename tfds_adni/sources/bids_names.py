"""What the name of a BIDS file says: entities, level, kind of image.

Names are `sub-<label>[_<entity>-<label>...]_<suffix>`. Beside BIDS's own
entities those of Clinica (`suvr`, `pvc`, `mask`, `fwhm`) and of the proposals
for PET derivatives (`meas`, `model`, `stat`) are read; a part without a hyphen
is passed over.

What is no image of uptake is refused by the tables below. A map of the
metabolic rate of glucose (CMRglc, or the constant Ki it is made of) is one: it
differs from uptake by a factor for each subject, and images are scaled by
their own mean.
"""

import re
from collections.abc import Mapping

from tfds_adni.sources.tracers import tracer_in

# Clinica's `rec-` names ADNI's processing steps; BIDS's own values name
# reconstructions, which are raw in ADNI's sense.
_LEVEL_OF_RECONSTRUCTION = {
    "coregdyn": "dynamic",
    "coregavg": "averaged",
    "coregstd": "standardised",
    "coregiso": "uniform_8mm",
    "acdyn": "raw",
    "acstat": "raw",
}
# Of Clinica's names; another pipeline's `suvr-` is not pet-linear.
_PET_LINEAR = re.compile(
    r"_space-MNI[A-Za-z0-9]*_(?:desc-Crop_)?res-\d+x\d+x\d+_suvr-[A-Za-z0-9]+_pet"
)

# Suffixes of files beside PET images that are derived from them.
_SUFFIXES = {
    "mask": "a mask",
    "dseg": "a segmentation",
    "probseg": "a map of probabilities",
    "petref": "a reference for registration",
    "mimap": "a map of a kinetic parameter",
    "statmap": "a map of statistics",
}
# Entities that no whole image of uptake has, whatever their label.
_ENTITIES = {
    "label": "a part of the brain or its mask",
    "seg": "a part of the brain or its mask",
    "atlas": "a part of the brain or its mask",
    "roi": "a part of the brain or its mask",
    "tissue": "a part of the brain or its mask",
    "hemi": "one hemisphere",
    "recording": "a recording",
    "chunk": "one piece of a scan",
    "split": "one piece of a scan",
}
# Labels with which an image is one of uptake all the same.
_AVERAGES = {"mean", "avg", "average", "wavg", "sum", "median"}
_UPTAKE = {"suv", "suvr", "suvbw", "cmrglc", "cmrglu", "cmrgl", "mrglu", "ki"}
_UPTAKE |= {"uptake", "activity", "patlakki", "cmrglucose", "rcmrglc"}
_KINETIC = {"meas", "param", "parametric", "model", "est", "kin"}
# Words in a `desc-`: whole ones, and ones that are unmistakable anywhere.
_WORDS = {
    **dict.fromkeys(("se", "sem", "sd", "var", "cov", "cv"), "errors"),
    **dict.fromkeys(("ci", "ci90", "ci95", "ci99"), "errors"),
    **dict.fromkeys(("t", "z", "pval"), "statistics"),
    **dict.fromkeys(("r2", "rsq", "chi2", "aic", "bic", "mse"), "statistics"),
    **dict.fromkeys(("bp", "bpp", "vt", "vb", "vd", "vnd"), "a parameter"),
    **dict.fromkeys(("k1", "k2", "k3", "k4", "r1", "k2a"), "a parameter"),
    **dict.fromkeys(
        ("dv", "oef", "roef", "bpf", "bmax", "flow"), "a parameter"
    ),
    **dict.fromkeys(("seg", "dseg", "aseg", "prob", "roi", "label"), "labels"),
    **dict.fromkeys(("diff", "delta", "snr", "ai"), "differences"),
    **dict.fromkeys(("mu", "umap"), "attenuation"),
}
_MASK = r"(?<!no)(?<!un)mask(?!ed|ing)"
_PARTS = {
    _MASK: "a mask",
    r"error|stderr|std(?:dev|ev|err)|variance|uncertain|covar": "errors",
    # `std` beside another word is the standardised image
    r"^(?:std(?:maps?)?|.*suvr?(?:se|sd|cv))$|confidence": "errors",
    r"(?<!de)sign(?!al)|difference|asymm|contrast|correl": "differences",
    r"laterality|(?:pct|percent(?:age)?)change": "differences",
    r"residual|(?<!de)noise|weights|pvalue|rmse|entropy": "statistics",
    r"[tzw]stat(?!ic)|[tzw]score|suvr?z$": "statistics",
    r"segment|probab|parcel|labels": "labels",
    r"binding|perfusion|bloodflow|distvol|bpnd|dvr": "a parameter",
    r"cbf|cbv|cmro2|logan|[sm]rtm": "a parameter",
    r"attenuation(?!correct)|mu-?map|att[ne]*map|transmission": "attenuation",
}
# What an image is called with it: `K1map`, `stdImg`.
_IMAGE = re.compile(r"(?i:maps?|image|img)(?=[A-Z0-9]|$)")
# `nac`, `noAC`, `NonAC`, `staticNAC`; neither `dynAC` nor `nacc`, a region.
_UNCORRECTED = re.compile(
    r"(?:^|(?i:stat(?:ic)?|dyn(?:amic)?|osem|fbp|pet)|(?<=[a-z0-9])(?=N))"
    r"(?i:n|no|non|not|wo|without)(?i:att|ac(?![cequ]|tiv|tual))"
    r"|(?i:(?<!pv)(?<!pvc)(?<!moco)(?<!motion)(?:un|non?|not)corr)"
)
# A subject that is several.
_AVERAGED = re.compile(
    r"(?=.*(?:average|avg|mean|median|template|group|all))"
    r"(?:average|avg|mean|median|template|group|all|grand|study|population"
    r"|subjects?|nc|cn|hc|mci|ad|controls?|patients?)+"
)
_TOKEN = re.compile(r"[A-Z]+\d*(?![a-z])|[A-Z]?[a-z]+|\d+")
# Who, when, what was injected and in which order: the same kind of image.
_IDENTITY = {"sub", "ses", "trc", "task", "run"}
# How the parts of a kind are listed; others stand between.
_FIRST = ("acq", "rec", "space", "res", "den", "suvr", "pvc", "mask", "fwhm")


def parse_name(stem: str) -> dict[str, str] | None:
    """Splits a BIDS file name without its extension.

    Returns:
        Value by entity, with the suffix under `"suffix"`, such as
        `{"sub": "01", "trc": "18FFDG", "suffix": "pet"}`; `None` if the name
        is not BIDS.
    """
    *parts, suffix = stem.split("_")
    if not stem.startswith("sub-") or not parts or "-" in suffix:
        return None
    pairs = (part.partition("-") for part in parts if "-" in part)
    entities = {key: value for key, _, value in pairs if key and value}
    return entities | {"sub": parts[0].removeprefix("sub-"), "suffix": suffix}


def level_of_name(stem: str, entities: Mapping[str, str]) -> str:
    """Returns the processing level of ADNI that a name tells.

    Args:
        stem: The name without its extension.
        entities: Its entities.

    Returns:
        One of `record.LEVELS`; `"unknown"` where it tells none.
    """
    if _PET_LINEAR.search(stem):
        return "pet_linear"
    method = entities.get("rec", "").rstrip("0123456789")
    return _LEVEL_OF_RECONSTRUCTION.get(method, "unknown")


def why_no_image(entities: Mapping[str, str]) -> str:
    """Returns why a file is no PET image of uptake, `""` where it is one.

    Args:
        entities: Of its name, with the suffix.
    """
    suffix = entities["suffix"]
    if suffix != "pet":
        what = _SUFFIXES.get(suffix)
        if what:
            return f"not a PET image ({what}): {suffix}"
        return f"not PET ({suffix})"
    if _AVERAGED.fullmatch(entities["sub"].lower()):
        return f"an average of subjects: {_named(entities, 'sub')}"
    for entity in ("rec", "acq", "desc"):
        if _UNCORRECTED.search(entities.get(entity, "")):
            named = _named(entities, entity)
            return f"not corrected for attenuation: {named}"
    for entity, what in _ENTITIES.items():
        if entity in entities:
            return f"not a PET image ({what}): {_named(entities, entity)}"
    return (
        _not_whole(entities)
        or _not_uptake(entities)
        or _described(entities, "desc")
        or _described(entities, "method")
    )


def _not_whole(entities: Mapping[str, str]) -> str:
    """Refuses masks, and the parts of a number that `part-` names."""
    part = entities.get("part", "mag")
    if part != "mag":
        return f"not a PET image (one part of it): part-{part}"
    # Clinica's images inside a mask say what was done to them before.
    if "mask" in entities and entities.keys().isdisjoint(("suvr", "fwhm")):
        return f"not a PET image (a mask): {_named(entities, 'mask')}"
    for entity in ("acq", "rec"):
        if re.search(_MASK, entities.get(entity, "").lower()):
            return f"not a PET image (a mask): {_named(entities, entity)}"
    return ""


def _not_uptake(entities: Mapping[str, str]) -> str:
    """Refuses maps of statistics and of kinetic parameters."""
    stat = entities.get("stat", "mean")
    if stat.lower() not in _AVERAGES:
        return f"not a PET image (statistics): stat-{stat}"
    kinetic = [entity for entity in _KINETIC if entity in entities]
    said = {entities[e].lower() for e in (*kinetic, "desc") if e in entities}
    if kinetic and said.isdisjoint(_UPTAKE):
        named = " ".join(_named(entities, e) for e in sorted(kinetic))
        return f"not a PET image (a parameter): {named}"
    return ""


def _described(entities: Mapping[str, str], entity: str) -> str:
    """Refuses what an entity describes as no image of uptake."""
    label = entities.get(entity, "")
    plain = _IMAGE.sub(" ", label).strip()
    if plain.lower() in _UPTAKE:
        return ""
    words = {w.lower() for w in (label, plain, *_TOKEN.findall(plain))}
    found = [what for word, what in _WORDS.items() if word in words] + [
        what for part, what in _PARTS.items() if re.search(part, label.lower())
    ]
    named = f"{entity}-{label}"
    return f"not a PET image ({found[0]}): {named}" if found else ""


def _named(entities: Mapping[str, str], entity: str) -> str:
    return f"{entity}-{entities[entity]}"


def kind_of_name(entities: Mapping[str, str], level: str) -> tuple[str, ...]:
    """Returns what distinguishes an image beside who, when and the tracer.

    Levels of ADNI are chosen by `--level`, and so no part of a kind.

    Args:
        entities: Of its name.
        level: Its level, as `level_of_name` tells it.

    Returns:
        Parts of the name, such as `("space-T1w", "desc-preproc")`.
    """
    own = set(_IDENTITY)
    if level not in ("", "unknown", "raw"):
        own.add("rec")
    if tracer_in(entities.get("acq", "")):
        own.add("acq")
    keys = sorted(entities.keys() - own, key=_place)
    return tuple(_named(entities, key) for key in keys)


def _place(entity: str) -> tuple[int, str]:
    """Returns a sort key: `desc` last, as in a name."""
    if entity in _FIRST:
        return _FIRST.index(entity), ""
    return len(_FIRST) + (entity == "desc"), entity
