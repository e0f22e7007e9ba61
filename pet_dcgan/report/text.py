"""The words of a page that are not numbers."""

from typing import Any

NOT_FOR_DIAGNOSIS = (
    "Not for diagnosis, treatment or any decision about a person."
)
PHANTOM = (
    "PHANTOM. Everything here was trained on and compared with invented "
    "phantom volumes, not patients. It shows that the software works; it "
    "says nothing about patients or about ADNI."
)
_CHOSEN = {
    "val_kid": "lowest KID on validation subjects",
    "last epoch": "the last epoch",
}


def facts(metrics: dict[str, Any]) -> list[tuple[str, str]]:
    """What was trained on what, and what it was judged by."""
    training, images = metrics["training"], metrics["images"]
    subjects = metrics["subjects"]
    generator = training["generator"]
    why = _CHOSEN.get(generator["chosen_by"], generator["chosen_by"])
    said = ", ".join(training["warnings"]).replace("_", " ")
    return [
        ("Data", _data(metrics)),
        (
            "Trained on",
            f"{training['slices']} slices of {training['subjects']} subjects",
        ),
        (
            "Generator",
            f"of epoch {generator['epoch']} of {training['epochs']}, chosen "
            f"by {why}; width {training['width']}, batch "
            f"{training['batch_size']}, {training['latent_dim']} latent "
            "numbers",
        ),
        ("Warnings while training", said or "none"),
        (
            "Judged by",
            f"{images['held_out']} slices of {subjects['held_out']} test "
            f"subjects, with {subjects['validation']} validation subjects "
            "for real beside real; none was trained on",
        ),
        (
            "Synthetic images",
            f"{images['synthetic_drawn']} from seed {metrics['seed']} on; "
            f"{images['synthetic']} compared image by image",
        ),
    ]


def interval_note(metrics: dict[str, Any]) -> str:
    """What the brackets in the tables are, or why there are none."""
    missing = metrics["intervals"]["missing"]
    level = f"{metrics['intervals']['level']:.0%}"
    if missing:
        return (
            f"No {level} intervals over subjects: {missing}. Without one a "
            "number says nothing about other subjects. Brackets, where there "
            "are any, are over synthetic images alone; ± is a standard error."
        )
    return (
        f"In brackets {level} intervals: where the number would lie if other "
        "subjects of the same kind had been held out (whole subjects "
        "resampled). ± is a standard error. A cell without brackets rests on "
        "too few subjects for them."
    )


def limits(metrics: dict[str, Any]) -> list[str]:
    """What these numbers cannot tell."""
    lines = [
        f"The held-out images are of {metrics['subjects']['held_out']} "
        "subjects; slices of one subject are not independent, and what few "
        "subjects have in common is not what all have.",
        "Single slices were judged. Two synthetic slices do not belong to one "
        "brain.",
        "Nearest images are found by root mean square difference, which "
        "favours smooth images; read PSNR and SSIM beside the real figure, "
        "never alone.",
        "The copy check does not recognise mirrored copies, mixtures of "
        "subjects, or copies whose uptake was scaled by more than a tenth. It "
        "is no proof of privacy.",
        "Whether the images help a classifier is not measured here; "
        "pet-dcgan study does.",
    ]
    for missing in metrics["missing"].values():
        if missing:
            lines.append(f"Not measured: {missing}.")
    return lines


def _data(metrics: dict[str, Any]) -> str:
    kind = "phantom volumes (no patients)" if metrics["phantom"] else "scans"
    size, spacing = metrics["size"], metrics["spacing_mm"]
    return (
        f"{metrics['stage']}, {metrics['plane']} slices of {kind}, "
        f"{size} x {size} pixels of {spacing:g} mm, SUVR from 0 to "
        f"{metrics['suvr_max']:g}"
    )
