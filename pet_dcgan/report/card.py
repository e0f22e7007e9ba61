"""What an evaluation shows of itself in a notebook."""

from typing import Any

from pet_dcgan.card import card, facts, note, table
from pet_dcgan.report.rows import Row
from pet_dcgan.report.text import NOT_FOR_DIAGNOSIS

_KID = "features.trained"
# the few numbers to look at first; report.html has all of them
_SHOWN = (
    Row("KID, trained encoder", f"{_KID}.kid.*"),
    Row("Precision", f"{_KID}.precision.*", digits=2),
    Row("Recall", f"{_KID}.recall.*", digits=2),
    Row("Coverage", f"{_KID}.coverage.*", digits=2),
    Row("MS-SSIM between images", "diversity.*"),
    Row("PSNR, nearest", "psnr.*.nearest", digits=2, unit="dB"),
    Row("SSIM, nearest", "ssim.*.nearest"),
    Row(
        "Images with a twin among training subjects",
        "copies.twins",
        digits=2,
        real_path="copies.held_out_twins",
    ),
)
_COLUMNS = ("", "synthetic", "real beside real", "wanted")
_MISSING = "–"


class Evaluation(dict):
    """The numbers of `metrics.json`, which a notebook shows as a table.

    It is the plain dictionary that `json` reads and writes.

    Example:

    >>> Evaluation({"stage": "AD"})["stage"]
    'AD'
    """

    def _repr_html_(self) -> str:
        """The verdict and the numbers to look at first."""
        return evaluation_card(self)


def evaluation_card(metrics: dict[str, Any]) -> str:
    """The verdict and the numbers to look at first, real beside synthetic.

    Args:
        metrics: What `metrics.json` holds; what is not there is left out.

    Returns:
        HTML.
    """
    verdict = metrics.get("verdict") or {}
    rows = [
        (
            f"{row.label} ({row.unit})" if row.unit else row.label,
            _written(row.number(metrics, "synthetic"), row.digits),
            _written(row.number(metrics, "real"), row.digits),
            row.wanted,
        )
        for row in _SHOWN
    ]
    place = " ".join(str(metrics.get(n, "")) for n in ("stage", "plane"))
    return card(
        f"Evaluation: {place}",
        note(str(verdict.get("headline", "No verdict."))),
        table(_COLUMNS, rows),
        facts(
            (each["about"], each["words"])
            for each in verdict.get("findings", ())
        ),
        note(NOT_FOR_DIAGNOSIS),
        phantom=bool(metrics.get("phantom")),
    )


def _written(found: Any, digits: int) -> str:
    """A number, with its standard error or its interval where it has one."""
    if not isinstance(found, dict):
        found = {"value": found}
    value = found.get("mean", found.get("value"))
    if not isinstance(value, int | float):
        return _MISSING
    text = f"{value:.{digits}f}"
    if found.get("standard_error") is not None:
        text += f" ± {found['standard_error']:.{digits}f}"
    if found.get("interval"):
        low, high = found["interval"]
        text += f" [{_end(low, digits)}, {_end(high, digits)}]"
    return text


def _end(value: float | None, digits: int) -> str:
    return _MISSING if value is None else f"{value:.{digits}f}"
