"""The tables of a conditional run: which numbers, and where they stand."""

from collections.abc import Iterator
from typing import Any

from pet_dcgan.evaluation.table_rows import Group, Row

FEATURES = (
    ("KID", "kid", 3),
    ("precision", "precision", 2),
    ("recall", "recall", 2),
    ("coverage", "coverage", 2),
)
_BESIDE = "separate generator"
_UNCHECKED = (
    " Separate generators are those that were given: compare them only if "
    "together they took as many steps."
)
_NO_REAL = {"real_path": "-"}


def conditional_groups(metrics: dict[str, Any]) -> list[Group]:
    """The tables of every plane.

    Args:
        metrics: What `metrics.json` of a conditional run holds.
    """
    found = []
    for plane, numbers in metrics["planes"].items():
        found += _features(plane, numbers)
        found += [
            group
            for group in (
                _obeyed(plane, numbers),
                _answers(plane, numbers),
                *_contrast(plane, numbers),
                _pixels(plane, numbers),
            )
            if group.rows
        ]
    return found


def _features(plane: str, numbers: dict[str, Any]) -> Iterator[Group]:
    """A table for each encoder."""
    stages = numbers["stages"]
    encoders = {
        name: None
        for cell in stages.values()
        for name, found in cell.get("features", {}).items()
        if "kid" in found
    }
    for encoder in encoders:
        rows = [
            Row(
                f"{stage}: {label}",
                f"planes.{plane}.stages.{stage}.features.{encoder}.{name}.*",
                digits=digits,
                paper=_beside(cell, encoder, name, digits),
            )
            for stage, cell in stages.items()
            for label, name, digits in FEATURES
            if "kid" in cell.get("features", {}).get(encoder, {})
        ]
        yield Group(
            f"{plane.capitalize()} slices by stage, {encoder} encoder",
            "Synthetic images of each stage, at positions spread over the "
            "band, beside held-out real ones of that stage. The real figure "
            "is of validation subjects beside test subjects."
            + _UNCHECKED
            * any(row.paper for row in rows),
            tuple(rows),
            further=_BESIDE,
        )


def _beside(cell: dict[str, Any], encoder: str, name: str, digits: int) -> str:
    """The number of a separate generator, if one was given."""
    if not cell.get("beside"):
        return ""
    row = Row("", f"{encoder}.{name}.*", digits=digits)
    return " ".join(row.texts(cell["beside"], "synthetic")).strip()


def _obeyed(plane: str, numbers: dict[str, Any]) -> Group:
    """Whether conditions are obeyed."""
    place = f"planes.{plane}"
    rows = []
    if not numbers["position"]["missing"]:
        rows += [
            Row(
                "Position: mean absolute error",
                f"{place}.position.error_mm.*",
                digits=1,
                unit="mm",
            ),
            Row(
                "Position: error if it were ignored",
                f"{place}.position.unrelated_mm",
                wanted="more than the error",
                digits=1,
                unit="mm",
                **_NO_REAL,
            ),
            Row(
                "Position: slope of the one read over the one asked for",
                f"{place}.position.slope.*",
                digits=2,
            ),
        ]
    rows.append(
        Row(
            "Stage: accuracy of a classifier trained on real images",
            f"{place}.stage.accuracy.*",
            digits=2,
        )
    )
    first, last = numbers["identity"]["stages"]
    rows.append(
        Row(
            f"Share of {last} images nearest to their own latent's {first}",
            f"{place}.identity.share",
            wanted="1",
            digits=2,
            **_NO_REAL,
        )
    )
    rows += [
        Row(
            f"{stage}: distance of two images at one position",
            f"{place}.stages.{stage}.variety.distance.*",
            unit="SUVR",
        )
        for stage, cell in numbers["stages"].items()
        if not cell["variety"]["missing"]
    ]
    return Group(
        f"{plane.capitalize()} slices: are conditions obeyed?",
        f"Of {numbers['latents']} latents at every stage and at positions "
        "spread over the band. Position is read by a ridge regression and "
        "stage by a small network, both trained on the run's real training "
        "slices; real figures are of test and validation subjects. Distances "
        "are root mean squares, between latents and between subjects.",
        tuple(rows),
    )


def _answers(plane: str, numbers: dict[str, Any]) -> Group:
    """What the classifier answers, by the stage asked for."""
    stages = list(numbers["stages"])
    return Group(
        f"{plane.capitalize()} slices: what the classifier answers",
        "Shares of the images of each stage. Near 1 where real ones are far "
        "lower, a stage is a caricature.",
        tuple(
            Row(
                f"{asked} taken for {answer}",
                f"planes.{plane}.stage.confusion.*.{asked}.{answer}",
                digits=2,
            )
            for asked in stages
            for answer in stages
        ),
    )


def _contrast(plane: str, numbers: dict[str, Any]) -> Iterator[Group]:
    """The model's contrast, over pixels and by region."""
    found, place = numbers["contrast"], f"planes.{plane}.contrast"
    if found["missing"]:
        return
    first, last = found["stages"]
    rows = [
        Row(label, f"{place}.{name}", digits=2, **options)
        for label, name, options in (
            (
                "Correlation with held-out subjects (real: a perfect model's)",
                "correlation.*",
                {},
            ),
            (
                "Over that of a perfect model",
                "share",
                {"wanted": "1"} | _NO_REAL,
            ),
            (
                "Slope over held-out subjects (real: a perfect model's)",
                "slope.*",
                {},
            ),
            (
                "Correlation of two halves of the real subjects",
                "-",
                {"real_path": f"{place}.halves", "wanted": ""},
            ),
            (
                "Slope over the nine regions (chance in real ones lowers it)",
                "region_slope",
                {"wanted": ""} | _NO_REAL,
            ),
        )
    ]
    yield Group(
        f"{plane.capitalize()} slices: the model's contrast",
        f"{last} less {first} of the same latents, averaged, beside the "
        "difference of held-out subjects. It is the model's, and says nothing "
        "about what becomes of a person.",
        tuple(rows),
    )
    yield Group(
        f"{plane.capitalize()} slices: the model's contrast by region",
        f"{last} less {first} in SUVR, in nine parts of each slice's brain.",
        tuple(
            Row(name, f"{place}.regions.{name}.*", unit="SUVR")
            for name in found["regions"]
        ),
    )


def _pixels(plane: str, numbers: dict[str, Any]) -> Group:
    """Intensities and texture by stage."""
    rows = []
    for stage, cell in numbers["stages"].items():
        if cell["missing"]:
            continue
        place = f"planes.{plane}.stages.{stage}"
        rows += [
            Row(
                f"{stage}: SUVR Wasserstein distance",
                f"{place}.intensity.wasserstein.*",
                unit="SUVR",
            ),
            Row(
                f"{stage}: finest detail, root mean square",
                f"{place}.finest_detail.*",
                digits=4,
                unit="SUVR",
            ),
        ]
    return Group(
        f"{plane.capitalize()} slices: intensities and texture",
        "Whether values stay quantitative, and whether the texture is that "
        "of a scan.",
        tuple(rows),
    )
