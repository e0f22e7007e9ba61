"""What `evaluate` returns, as a table in a notebook."""

from pet_dcgan.evaluation.assessment import NOT_FOR_DIAGNOSIS, place_of
from pet_dcgan.evaluation.conditional_summary import conditional_summary
from pet_dcgan.evaluation.report_tables import COLUMNS, KINDS, Row
from pet_dcgan.evaluation.volume_tables import volume_summary
from pet_dcgan.utils.templates import render

_KID = "features.trained"
# the few numbers to read first; report.html has all of them
_SUMMARY = (
    Row("KID, trained encoder", f"{_KID}.kid.*"),
    Row("Precision", f"{_KID}.precision.*", digits=2),
    Row("Recall", f"{_KID}.recall.*", digits=2),
    Row("Coverage", f"{_KID}.coverage.*", digits=2),
    Row("MS-SSIM between images", "diversity.*"),
    Row("PSNR, nearest", "psnr.*.nearest", digits=2, unit="dB"),
    Row("SSIM, nearest", "ssim.*.nearest"),
    Row(
        "Near duplicates of training subjects",
        "copies.suspects",
        digits=0,
        real_path="-",
    ),
)


class Evaluation(dict):
    """The content of `metrics.json`, which a notebook shows as a table.

    Numbers that it lacks are dashes in the table.

    Example:

    >>> Evaluation({"stage": "AD"})["stage"]
    'AD'
    """

    def _repr_html_(self) -> str:
        """The assessment and the numbers to read first."""
        assessment = self.get("assessment") or {}
        rows = []
        shown = _SUMMARY
        if self.get("volume"):
            shown = volume_summary(self)
        elif self.get("conditional"):
            shown = conditional_summary(self)
        for row in shown:
            texts = (" ".join(row.texts(self, k)).strip() for k in KINDS)
            rows.append((row.heading, *texts, row.wanted))
        return render(
            "utils/card.html",
            title=f"Evaluation: {place_of(self)}",
            phantom=bool(self.get("phantom")),
            headline=assessment.get("headline", "Not assessed."),
            columns=COLUMNS,
            rows=rows,
            facts=[
                (finding["about"], finding["words"])
                for finding in assessment.get("findings", ())
            ],
            note=NOT_FOR_DIAGNOSIS,
        )
