"""What the search for copies found, in sentences."""

from typing import TYPE_CHECKING

from pet_dcgan.metrics.confidence import MIN_SUBJECTS
from pet_dcgan.metrics.copy_search import CERTAIN_RATIO

if TYPE_CHECKING:
    from pet_dcgan.metrics.memorization import MemorizationCheck

_OPENINGS = {
    "copies": "Copies of training subjects",
    "suspects": "Possible copies of training subjects",
    "nearer": (
        "No copies, but nearer to the training images than new subjects are, "
        "because they are partly memorized, mixed of two or too smooth; "
        "inspect the nearest pairs"
    ),
    "no sign": "No sign of copies",
    "too far to tell": (
        "No sign of copies, though images as far from all real ones would "
        "show none"
    ),
}


def copy_words(check: "MemorizationCheck") -> str:
    """The verdict in sentences, with the numbers behind it.

    Args:
        check: What was found.

    Returns:
        Sentences that name no subject.
    """
    return " ".join([*_found(check), *_beside(check)])


def _found(check: "MemorizationCheck") -> list[str]:
    """Sentences on suspects, and on the rate that they leave possible."""
    found, count = len(check.suspects), len(check.ratios)
    mirrored = int(check.mirrored[check.suspects].sum())
    detail = "".join(
        f", {number:,} of them {word}"
        for number, word in (
            (check.certain, f"under {CERTAIN_RATIO:g} times (a certain copy)"),
            (mirrored, "mirrored"),
        )
        if number
    )
    opening = _OPENINGS[check.verdict]
    if found and check.verdict == "no sign":
        opening = "No more likenesses than new subjects have"
    sentences = [
        f"{opening}: {f'{found:,}' if found else 'none'} of "
        f"{count:,} synthetic images {'is' if found < 2 else 'are'}, as "
        "generated or mirrored, less than half as far from one training "
        f"subject as from any other{detail}; of the held-out real images "
        f"{check.held_out_suspects:.1%} are.",
        f"At 95 % confidence at most {100 * check.bound:.2g} % of all images "
        "that it can make are near duplicates of this kind; rarer ones need a "
        "search of more.",
    ]
    if check.held_out_subjects < MIN_SUBJECTS:
        sentences.append(
            f"Not enough evidence to clear it: {check.held_out_subjects} "
            f"held-out subjects, where {MIN_SUBJECTS} are needed."
        )
    return sentences


def _beside(check: "MemorizationCheck") -> list[str]:
    """Sentences on nearness, on mixtures and on repeated subjects."""
    mixtures = check.mixtures
    sentences = [
        "A synthetic image is nearer to the training images than a held-out "
        f"one with probability {check.test.share_nearer:.2f} (0.5 is equally "
        f"near; C_T {check.test.z_score:+.1f} by {check.held_out_subjects} "
        "held-out subjects).",
        f"Mixtures of two training subjects: {mixtures.synthetic:.1%} of the "
        f"synthetic and {mixtures.held_out:.1%} of the held-out images are "
        "less than half as far from a mean of two as from the nearer one.",
    ]
    if check.repeated:
        sentences.append(
            f"{check.repeated} of the training subjects are near duplicates "
            "of others, with whom they count as one."
        )
    return sentences
