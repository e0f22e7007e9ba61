"""The tables of a run of volumes: which numbers, and where they stand."""

from collections.abc import Iterator
from typing import Any

from pet_dcgan.evaluation.table_rows import KINDS, Group, Row

_PLACE = "planes.volume"
_FEATURES = (
    ("KID", "kid", 3),
    ("precision", "precision", 2),
    ("recall", "recall", 2),
    ("coverage", "coverage", 2),
)
_NO_REAL = {"real_path": "-"}
_TARGET = {"digits": 2} | _NO_REAL


def volume_groups(metrics: dict[str, Any]) -> list[Group]:
    """The tables of a run of volumes.

    Args:
        metrics: What its `metrics.json` holds.
    """
    found = metrics["planes"]["volume"]
    stages = _measured(found)
    tables = [_whole(stages), *_regions(stages), *_features(found)]
    if {"stage", "identity", "contrast"} <= found.keys():
        tables += [_obeyed(found), *_contrast(found)]
    return [table for table in tables if table.rows]


def _measured(found: dict[str, Any]) -> dict[str, Any]:
    """Numbers of the stages that could be measured."""
    return {s: x for s, x in found["stages"].items() if not x["missing"]}


def _whole(stages: dict[str, Any]) -> Group:
    """Variety, roughness and regional error of each stage."""
    rows = []
    for stage in stages:
        place = f"{_PLACE}.stages.{stage}"
        rows += [
            Row(f"{stage}: 1 − MS-SSIM of pairs", f"{place}.diversity.*"),
            Row(
                f"{stage}: the same, over real",
                f"{place}.diversity.ratio",
                wanted="0.8 or more",
                **_TARGET,
            ),
            Row(
                f"{stage}: roughness between slices, over real",
                f"{place}.roughness.ratio",
                wanted="0.8 to 1.2",
                **_TARGET,
            ),
            Row(
                f"{stage}: error of regional means (real: between halves)",
                f"{place}.regions.error.*",
                unit="SUVR",
            ),
            Row(
                f"{stage}: spread of regional means, over real",
                f"{place}.regions.spread",
                wanted="1",
                **_TARGET,
            ),
            Row(
                f"{stage}: distance of regional covariances (real: halves)",
                f"{place}.regions.covariance.*",
                digits=2,
            ),
            Row(
                f"{stage}: correlations between regions (real: a perfect "
                "generator's)",
                f"{place}.regions.correlation.*",
                digits=2,
            ),
            Row(
                f"{stage}: SUVR Wasserstein distance",
                f"{place}.intensity.wasserstein.*",
                unit="SUVR",
            ),
        ]
    return Group(
        "Volumes of each stage",
        "Synthetic volumes beside held-out subjects. MS-SSIM has three scales "
        "of a window of 11 voxels; roughness is of second differences along "
        "z, over those along x and y. Halves are of the held-out subjects: a "
        "perfect generator errs about half as much.",
        tuple(rows),
    )


def _regions(stages: dict[str, Any]) -> Iterator[Group]:
    """Roughness by axis, and uptake by region."""
    yield Group(
        "Roughness along each axis",
        "Mean absolute second difference in the brain. Less than real along "
        "every axis is blur, more is noise.",
        tuple(
            Row(
                f"{stage}: along {axis}",
                f"{_PLACE}.stages.{stage}.roughness.axes.{axis}.*",
                digits=4,
                unit="SUVR",
            )
            for stage in stages
            for axis in ("x", "y", "z")
        ),
    )
    for stage, numbers in stages.items():
        yield Group(
            f"Uptake by region, {stage}",
            "Means over volumes in spheres at MNI coordinates.",
            tuple(
                Row(
                    name,
                    f"{_PLACE}.stages.{stage}.regions.mean.*.{name}",
                    unit="SUVR",
                )
                for name in numbers["regions"]["difference"]
            ),
        )


def _features(found: dict[str, Any]) -> Iterator[Group]:
    """A table for each encoder, of all stages together."""
    for encoder, numbers in found["features"].items():
        if "kid" not in numbers:
            continue
        yield Group(
            f"All volumes together, {encoder} encoder",
            "Features of an axial, a coronal and a sagittal cut of each "
            "volume, of equally many of each stage and kind. The real figure "
            "is of validation subjects beside test subjects.",
            tuple(
                Row(
                    label,
                    f"{_PLACE}.features.{encoder}.{name}.*",
                    digits=digits,
                )
                for label, name, digits in _FEATURES
            ),
        )


def _obeyed(found: dict[str, Any]) -> Group:
    """Whether the stage is obeyed."""
    stages, (first, last) = list(found["stages"]), found["identity"]["stages"]
    rows = [
        Row(
            "Accuracy of a classifier trained on real volumes",
            f"{_PLACE}.stage.accuracy.*",
            digits=2,
        ),
        Row(
            f"Share of {last} volumes nearest to their own latent's {first}",
            f"{_PLACE}.identity.share",
            wanted="1",
            **_TARGET,
        ),
    ]
    rows += [
        Row(
            f"{asked} taken for {answer}",
            f"{_PLACE}.stage.confusion.*.{asked}.{answer}",
            digits=2,
        )
        for asked in stages
        for answer in stages
    ]
    return Group(
        "Is the stage obeyed?",
        f"Of {found['latents']} latents at every stage. The classifier is a "
        "small network for slices that sees three cuts of each volume, "
        "trained on the run's training volumes.",
        tuple(rows),
    )


def _contrast(found: dict[str, Any]) -> Iterator[Group]:
    """The model's contrast, over voxels and by region."""
    numbers, place = found["contrast"], f"{_PLACE}.contrast"
    if numbers["missing"]:
        return
    first, last = numbers["stages"]
    yield Group(
        "The model's contrast",
        f"{last} less {first} of the same latents, averaged, beside the "
        "difference of held-out subjects. It is the model's, and says nothing "
        "about what becomes of a person.",
        (
            Row(
                "Correlation with held-out subjects (real: a perfect model's)",
                f"{place}.correlation.*",
                digits=2,
            ),
            Row(
                "Slope over held-out subjects (real: a perfect model's)",
                f"{place}.slope.*",
                digits=2,
            ),
            Row(
                "Correlation of two halves of the real subjects",
                "-",
                real_path=f"{place}.halves",
                wanted="",
                digits=2,
            ),
            Row(
                "Slope over the regions (chance in real ones lowers it)",
                f"{place}.region_slope",
                wanted="",
                **_TARGET,
            ),
        ),
    )
    yield Group(
        "The model's contrast by region",
        f"{last} less {first} in SUVR.",
        tuple(
            Row(name, f"{place}.regions.{name}.*", unit="SUVR")
            for name in numbers["regions"]
        ),
    )


def volume_rows(
    metrics: dict[str, Any],
) -> tuple[list[str], list[list[str]]]:
    """The numbers of each stage as a table for the console.

    Args:
        metrics: What `evaluate` returned for a run of volumes.

    Returns:
        Headings and rows of text, a row for each stage and kind of volume.
    """
    headings = ["compared with held-out real", "n"]
    headings += ["1 - MS-SSIM", "roughness", "regional error"]
    words = {"synthetic": "synthetic", "real": "real (of halves, or pairs)"}
    rows = []
    for stage, cell in _measured(metrics["planes"]["volume"]).items():
        for kind in KINDS:
            columns = (
                Row("", "diversity.*"),
                Row("", "roughness.ratio", digits=2, real_path="-"),
                Row("", "regions.error.*"),
            )
            count = "images" if kind == "synthetic" else "held_out"
            shown = cell if kind == "synthetic" else cell["subjects"]
            rows.append(
                [
                    f"{stage} volumes, {words[kind]}",
                    str(shown[count]),
                    *(row.texts(cell, kind)[0] for row in columns),
                ]
            )
    return headings, rows


def volume_summary(metrics: dict[str, Any]) -> list[Row]:
    """The few numbers to read first.

    Args:
        metrics: What `metrics.json` of a run of volumes holds.
    """
    found = metrics["planes"]["volume"]
    rows = [
        Row("KID, trained encoder", f"{_PLACE}.features.trained.kid.*"),
        Row("Coverage", f"{_PLACE}.features.trained.coverage.*", digits=2),
    ]
    rows += [
        Row(f"{stage}: {label}", f"{_PLACE}.stages.{stage}.{path}", **options)
        for stage in _measured(found)
        for label, path, options in (
            ("1 − MS-SSIM of pairs", "diversity.*", {}),
            (
                "roughness between slices, over real",
                "roughness.ratio",
                {"wanted": "0.8 to 1.2"} | _TARGET,
            ),
            (
                "error of regional means (real: halves)",
                "regions.error.*",
                {"unit": "SUVR"},
            ),
        )
    ]
    rows.append(
        Row(
            "Near duplicates of training subjects",
            "copies.suspects",
            digits=0,
            **_NO_REAL,
        )
    )
    return rows
