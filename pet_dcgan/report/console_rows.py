"""The few numbers that the console shows of each stage."""

from typing import Any

_KINDS = ("synthetic", "real")


def metric_rows(
    metrics: dict[str, dict[str, Any]],
) -> tuple[list[str], list[list[str]]]:
    """Lays the metrics of several stages out as a table.

    Args:
        metrics: What `evaluate` returned, by stage.

    Returns:
        Headings and rows of text: a row for each stage and kind of image,
        means over images against their nearest and a random held-out one.
    """
    columns = [
        "stage, images compared with held-out real",
        "n",
        "PSNR nearest (dB)",
        "PSNR random (dB)",
        "SSIM nearest",
        "SSIM random",
    ]
    return columns, [
        _row(stage, kind, values)
        for stage, values in metrics.items()
        for kind in _KINDS
    ]


def _row(stage: str, kind: str, values: dict[str, Any]) -> list[str]:
    """Words one row."""
    label = f"{stage} {kind}"
    if kind == "real":
        label += " (of other subjects)"
    psnr, ssim = values["psnr"][kind], values["ssim"][kind]
    if psnr is None:
        return [label, "0", *["-"] * 4]
    return [
        label,
        str(psnr["nearest"]["n"]),
        *(_number(psnr[rule]["mean"], 2) for rule in ("nearest", "random")),
        *(_number(ssim[rule]["mean"], 3) for rule in ("nearest", "random")),
    ]


def _number(value: float | None, digits: int) -> str:
    """Writes a mean, `-` where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"
