"""The text beside an exported model: what it is and what it is not."""

from typing import Any

from pet_dcgan.config import ALL_STAGES
from pet_dcgan.serving.served import ModelFacts, model_name

_PHANTOM = (
    "> **PHANTOM.** Trained on invented phantom volumes, not on patients. "
    "Nothing here\n> says anything about patients.\n\n"
)
_KINDS = {
    "synthetic": "synthetic against held-out real",
    "real": "real against real of another subject",
}


def model_card(
    facts: ModelFacts,
    *,
    subjects: int,
    slices: int | None,
    metrics: dict[str, Any],
) -> str:
    """Markdown for `MODEL_CARD.md`, without a subject id or a path.

    Args:
        facts: What is written into the model's folder.
        subjects: Number of training subjects.
        slices: Number of training slices, None if not known.
        metrics: What `metrics.json` holds; `evaluated` says whether it holds
            measurements.

    Returns:
        The text, ending in a newline.
    """
    rows = _rows(facts, subjects, slices)
    name = model_name(facts.stage, facts.plane)
    mark = _PHANTOM if facts.phantom else ""
    of_what = f"at the stage {facts.stage}"
    if facts.stage == ALL_STAGES:
        of_what = "of all stages together, for other trainings to start from"
    table = "".join(f"| {key} | {text} |\n" for key, text in rows.items())
    return f"""# {name}: synthetic brain PET slices

{mark}Generator of a DCGAN: single {facts.plane} slices of brain PET
{of_what}.

| | |
|---|---|
{table}
## Evaluation

{_evaluation(metrics)}
## Limits

- **Not for diagnosis**, treatment or any decision about a person.
- Slices stand alone: two of them do not belong to one brain.
- PSNR and SSIM say how like real slices the images are. They say nothing
  about diversity, about copies of training images, or about medical meaning.
- Ages, scanners and tracers other than those of the training data are not
  represented.

## Licence and citation

MIT licence for the model and its code; the terms of the training data apply
besides. The method is that of Islam J, Zhang Y. GAN-based synthetic brain PET
image generation. Brain Informatics 2020;7:3. doi:10.1186/s40708-020-00104-2
"""


def _rows(
    facts: ModelFacts, subjects: int, slices: int | None
) -> dict[str, Any]:
    return {
        "stage": facts.stage,
        "plane": facts.plane,
        "preset": facts.preset,
        "phantom": "yes" if facts.phantom else "no",
        "training subjects": subjects,
        "training slices": "not recorded" if slices is None else slices,
        "image": f"{facts.size} x {facts.size}, {facts.spacing_mm:g} mm",
        "SUVR": f"PNG value / 65535 x {facts.suvr_max:g}",
        "SUVR reference": "mean inside the brain mask of the scan",
        "latent": f"{facts.latent_dim} numbers, uniform in [-1, 1]",
        "made by": facts.made_by,
    }


def _evaluation(metrics: dict[str, Any]) -> str:
    if not metrics["evaluated"]:
        return "Not evaluated.\n"
    header = (
        f"{metrics['images']['synthetic']} synthetic and as many held-out "
        f"real slices of {metrics['subjects']['held_out']} subjects; mean ± "
        "SD.\n\n| | pairing | PSNR (dB) | SSIM |\n|---|---|---|---|\n"
    )
    rows = [
        f"| {words} | {rule} | {_cell(metrics['psnr'][kind], rule, 2)} "
        f"| {_cell(metrics['ssim'][kind], rule, 4)} |\n"
        for kind, words in _KINDS.items()
        for rule in metrics["pairing"]
    ]
    rules = [f"- {rule}: {text}\n" for rule, text in metrics["pairing"].items()]
    missing = metrics["no_real_against_real"]
    note = f"- {missing}\n" if missing else ""
    return header + "".join(rows) + "\n" + "".join(rules) + note


def _cell(summaries: dict | None, rule: str, digits: int) -> str:
    if summaries is None or summaries[rule]["mean"] is None:
        return "not known"
    mean, sd = summaries[rule]["mean"], summaries[rule]["sd"]
    spread = "" if sd is None else f" ± {sd:.{digits}f}"
    return f"{mean:.{digits}f}{spread}"
