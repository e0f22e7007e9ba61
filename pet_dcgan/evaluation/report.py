"""`report.html`, and the table on the console."""

from collections.abc import Mapping
from typing import Any

from pet_dcgan.evaluation.assessment import (
    NOT_FOR_DIAGNOSIS,
    interval_note,
    limits,
    place_of,
)
from pet_dcgan.evaluation.conditional_summary import conditional_rows
from pet_dcgan.evaluation.findings import SIGNS
from pet_dcgan.evaluation.report_tables import KINDS, Row, groups
from pet_dcgan.evaluation.volume_tables import volume_rows
from pet_dcgan.references import REFERENCES
from pet_dcgan.utils.templates import render


def report_page(metrics: dict[str, Any], pictures: Mapping[str, bytes]) -> str:
    """The page of a run, made from its `metrics.json` and figures alone.

    Args:
        metrics: What `metrics.json` holds.
        pictures: PNG files by the names in `metrics["figures"]`.

    Returns:
        HTML that needs no network and no script, and names no subject.
    """
    return render(
        "evaluation/report.html",
        metrics=metrics,
        pictures=pictures,
        references=REFERENCES,
        groups=groups(metrics),
        intervals=interval_note(metrics),
        limits=limits(metrics),
        place=place_of(metrics),
        signs=SIGNS,
        warning=NOT_FOR_DIAGNOSIS,
    )


_CONSOLE = (
    ("PSNR nearest (dB)", "psnr", "nearest", 2),
    ("PSNR random (dB)", "psnr", "random", 2),
    ("SSIM nearest", "ssim", "nearest", 3),
    ("SSIM random", "ssim", "random", 3),
)


_CONSOLE_FEATURES = (
    Row("KID", "features.trained.kid.*"),
    Row("recall", "features.trained.recall.*", digits=2),
)


def metric_rows(
    metrics: dict[str, dict[str, Any]],
) -> tuple[list[str], list[list[str]]]:
    """Lays the metrics of several stages out as a table for the console.

    Args:
        metrics: What `evaluate` returned, by stage.

    Returns:
        Headings and rows of text: a row for each stage and kind of image,
        means over images against their nearest and a random held-out one,
        and KID and recall by the features of the run's own encoder. Of a
        conditional run, which is alone, a row for each stage and plane; of
        volumes, for each stage.
    """
    for values in metrics.values():
        if values.get("volume"):
            return volume_rows(values)
        if values.get("conditional"):
            return conditional_rows(values)
    headings = ["stage, images compared with held-out real", "n"]
    rows = []
    for stage, values in metrics.items():
        for kind in KINDS:
            label = f"{stage} {kind}"
            if kind == "real":
                label += " (of other subjects)"
            psnr = values["psnr"][kind]
            row = [label, str(psnr["nearest"]["n"] if psnr else 0)]
            for _, name, rule, digits in _CONSOLE:
                pairs = values[name][kind]
                mean = pairs and pairs[rule]["mean"]
                row.append("-" if mean is None else f"{mean:.{digits}f}")
            row += [each.texts(values, kind)[0] for each in _CONSOLE_FEATURES]
            rows.append(row)
    headings += [label for label, *_ in _CONSOLE]
    return headings + [each.label for each in _CONSOLE_FEATURES], rows
