"""Numbers of whole sets of images: texture, intensities, memorization."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pet_dcgan.evaluation.images import EvaluationImages, Samples
from pet_dcgan.evaluation.pair_scores import Number, interval_ends, rounded
from pet_dcgan.metrics.confidence import halves_interval
from pet_dcgan.metrics.memorization import check_memorization
from pet_dcgan.metrics.spectrum import (
    Spectrum,
    checkerboard_ratio,
    nyquist_power,
    radial_power_spectrum,
    spectrum_distance,
)
from pet_dcgan.metrics.uptake import (
    histogram_distance,
    intensity_histogram,
    wasserstein,
)

_BINS = 256
_SHOWN = 8
_ONE_SUBJECT = (
    "Not looked for: telling a copy from a likeness needs two training "
    "subjects, and there is 1."
)
# the kind that each comparison holds beside held-out real images
_COMPARED = {"synthetic": "synthetic", "real": "others"}


def number(
    statistic: Callable[..., float],
    subjects: Sequence[np.ndarray],
    *,
    seed: int = 0,
    interval: bool = True,
) -> Number:
    """A statistic of whole sets, and its interval by halves of subjects.

    Args:
        statistic: Called with an array of row numbers `[n]` for each set.
        subjects: Of each row of each set `[n]`; `np.arange(n)` for synthetic
            images, which are independent.
        seed: Of the halves.
        interval: Whether there is time for one.
    """
    value = statistic(*(np.arange(len(owners)) for owners in subjects))
    ends = None
    if interval:
        found = halves_interval(statistic, subjects=tuple(subjects), seed=seed)
        ends = interval_ends(found)
    return {"value": rounded(value), "interval": ends}


def _by_comparison(
    statistic: Callable[[np.ndarray, np.ndarray], float],
    values: dict[str, np.ndarray],
    samples: Samples,
    seed: int,
) -> dict[str, Number | None]:
    """A statistic of the values of real images and of each kind compared."""

    def compare(kind: str) -> Number | None:
        if kind not in values:
            return None
        real, other = values["real"], values[kind]
        return number(
            lambda a, b: statistic(real[a], other[b]),
            (samples.subjects["real"], samples.subjects[kind]),
            seed=seed,
        )

    return {name: compare(kind) for name, kind in _COMPARED.items()}


def texture_scores(
    images: EvaluationImages,
) -> tuple[dict[str, Any], dict[str, Spectrum]]:
    """Distance of power spectra, and how strong the finest detail is.

    `finest_detail` is the root mean square SUVR near the Nyquist frequency;
    `checkerboard` its power over that of the held-out images, which says
    little where smooth images have next to none.

    Returns:
        The numbers, and the power spectra by kind.
    """
    samples, seed = images.samples, images.seed
    spacing = images.config.spacing_mm
    spectra = {
        kind: radial_power_spectrum(each, spacing_mm=spacing)
        for kind, each in samples.images.items()
    }
    powers = {kind: each.power for kind, each in spectra.items()}
    finest = {kind: nyquist_power(x) for kind, x in samples.images.items()}

    def amplitude(kind: str) -> Number:
        return number(
            lambda rows: float(np.sqrt(finest[kind][rows].mean())),
            (samples.subjects[kind],),
            seed=seed,
        )

    return {
        "distance": _by_comparison(spectrum_distance, powers, samples, seed),
        "checkerboard": _by_comparison(
            checkerboard_ratio, finest, samples, seed
        ),
        "finest_detail": {k: amplitude(k) for k in ("synthetic", "real")},
    }, spectra


def intensity_scores(
    images: EvaluationImages,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Wasserstein distance of the SUVR of all pixels.

    The value is exact; its interval is that of histograms.

    Returns:
        The numbers, and by kind the share of each image's pixels in equal
        bins of SUVR `[n, bins]`.
    """
    samples, suvr_max = images.samples, images.config.suvr_max
    histograms = {
        kind: intensity_histogram(each, suvr_max=suvr_max, bins=_BINS)
        for kind, each in samples.images.items()
    }

    def distance(a: np.ndarray, b: np.ndarray) -> float:
        means = a.mean(axis=0), b.mean(axis=0)
        return float(histogram_distance(*means, suvr_max=suvr_max))

    distances = _by_comparison(distance, histograms, samples, images.seed)
    for name, found in distances.items():
        if found is not None:
            kinds = samples.images["real"], samples.images[_COMPARED[name]]
            found["value"] = rounded(wasserstein(*kinds))
    return {"wasserstein": distances}, histograms


def memorization_scores(
    images: EvaluationImages,
) -> tuple[dict[str, Any], tuple[np.ndarray, np.ndarray] | None]:
    """The check for copies of training images.

    All synthetic images are searched; held-out images are those of the
    validation and test subjects together, since neither was trained on.

    Returns:
        The numbers, and the synthetic images nearest to one training subject
        compared with any other, the closest first, with the training image
        nearest to each, both `[k, size, size]` in SUVR. With one training
        subject a sentence in place of numbers, and None.
    """
    subjects = images.training.subjects
    if len(set(subjects)) < 2:
        return {"verdict": None, "words": _ONE_SUBJECT}, None
    training = images.training_suvr
    held_out = images.test, images.validation
    check = check_memorization(
        training,
        np.concatenate([each.images for each in held_out]),
        images.synthetic,
        train_subjects=subjects,
        held_out_subjects=np.concatenate([each.subjects for each in held_out]),
    )
    closest = np.argsort(check.ratios, kind="stable")[:_SHOWN]
    return {
        "verdict": check.verdict,
        "words": check.words,
        "images": len(images.synthetic),
        "held_out_subjects": check.held_out_subjects,
        "c_t": rounded(check.test.z_score),
        "p_value": rounded(check.test.p_value),
        "share_nearer": rounded(check.test.share_nearer),
        "closest_ratio": rounded(check.ratios.min()),
        "authenticity": rounded(check.authenticity),
        "held_out_authenticity": rounded(check.held_out_authenticity),
        "twins": rounded(check.twins),
        "held_out_twins": rounded(check.held_out_twins),
    }, (images.synthetic[closest], training[check.nearest[closest]])
