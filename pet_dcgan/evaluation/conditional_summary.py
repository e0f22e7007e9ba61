"""The few numbers of a conditional run to read first."""

from typing import Any

from pet_dcgan.evaluation.conditional_tables import FEATURES
from pet_dcgan.evaluation.table_rows import KINDS, Row


def conditional_rows(
    metrics: dict[str, Any],
) -> tuple[list[str], list[list[str]]]:
    """The numbers of each plane and stage as a table for the console.

    Args:
        metrics: What `evaluate` returned for a conditional run.

    Returns:
        Headings and rows of text, a row for each plane, stage and kind of
        image, and for the separate generators that were given.
    """
    headings = ["compared with held-out real", "n"]
    headings += [label for label, *_ in FEATURES]
    rows = []
    for plane, numbers in metrics["planes"].items():
        for stage, cell in numbers["stages"].items():
            kinds = [*KINDS, *(["beside"] if cell.get("beside") else [])]
            for kind in kinds:
                row = [f"{stage} {plane} {_KIND_WORDS[kind]}"]
                row.append(str(cell["images"]))
                for _, name, digits in FEATURES:
                    place = f"features.trained.{name}.*"
                    row.append(
                        Row("", place, digits=digits).texts(*_kind(cell, kind))[
                            0
                        ]
                    )
                rows.append(row)
    return headings, rows


def conditional_summary(metrics: dict[str, Any]) -> list[Row]:
    """The few numbers to read first.

    Args:
        metrics: What `metrics.json` of a conditional run holds.
    """
    rows = []
    for plane, numbers in metrics["planes"].items():
        place = f"planes.{plane}"
        rows += [
            Row(
                f"{stage} {plane}: {label}",
                f"{place}.stages.{stage}.features.trained.{name}.*",
                digits=digits,
            )
            for stage in numbers["stages"]
            for label, name, digits in (FEATURES[0], FEATURES[2])
        ]
        rows += [
            Row(
                f"{plane}: position, error",
                f"{place}.position.error_mm.*",
                digits=1,
                unit="mm",
            ),
            Row(
                f"{plane}: accuracy of a stage classifier",
                f"{place}.stage.accuracy.*",
                digits=2,
            ),
            Row(
                f"{plane}: the model's contrast, correlation",
                f"{place}.contrast.correlation.*",
                digits=2,
            ),
        ]
    rows.append(
        Row(
            "Near duplicates of training subjects",
            "copies.suspects",
            digits=0,
            real_path="-",
        )
    )
    return rows


_KIND_WORDS = {
    "synthetic": "synthetic",
    "real": "real (of other subjects)",
    "beside": "separate generator",
}


def _kind(cell: dict[str, Any], kind: str) -> tuple[dict[str, Any], str]:
    """The numbers of a stage in which a kind of image stands."""
    if kind == "beside":
        return {"features": cell["beside"]}, "synthetic"
    return cell, kind
