"""What every synthetic PNG says of itself, in text chunks."""

from pet_dcgan.models.model_info import ModelInfo


def description(facts: ModelInfo) -> str:
    """What an image is, in words of at most 79 letters."""
    phantom = " phantom" if facts.phantom else ""
    return f"synthetic{phantom} PET slice, not for diagnosis"


def png_notes(facts: ModelInfo) -> dict[str, str]:
    """Keywords and texts that are the same for all images of a model."""
    return {
        "Description": description(facts),
        "synthetic": "true",
        "phantom": str(facts.phantom).lower(),
        "stage": facts.stage,
        "plane": facts.plane,
        "suvr_max": str(facts.suvr_max),
        "spacing_mm": str(facts.spacing_mm),
    }
