"""The tables of numbers: which are shown, and where they stand."""

from typing import Any

from pet_dcgan.evaluation.conditional_tables import conditional_groups
from pet_dcgan.evaluation.region_rows import region_tables
from pet_dcgan.evaluation.table_rows import COLUMNS as COLUMNS
from pet_dcgan.evaluation.table_rows import KINDS as KINDS
from pet_dcgan.evaluation.table_rows import Group as Group
from pet_dcgan.evaluation.table_rows import Row as Row
from pet_dcgan.evaluation.volume_tables import volume_groups

# Islam & Zhang 2020, doi 10.1186/s40708-020-00104-2, over their images
_PAPER_PSNR = "32.83 dB"
_PAPER_SSIM = "77.48 %"


def groups(metrics: dict[str, Any]) -> list[Group]:
    """The tables of a page, without those the run has no numbers for."""
    privacy = [_MEMORIZATION]
    if metrics["membership"]["missing"] is None:
        privacy.append(_MEMBERSHIP)
    if metrics.get("volume"):
        return [*volume_groups(metrics), *privacy]
    if metrics.get("conditional"):
        return [*conditional_groups(metrics), *privacy]
    encoders = [
        _of_encoder(name)
        for name, found in metrics.get("features", {}).items()
        if "kid" in found
    ]
    regions = [
        Group(title, words, tuple(Row(**row) for row in rows))
        for title, words, rows in region_tables(metrics["regions"])
    ]
    return [_PAIRS, *encoders, _VARIETY, _TEXTURE, *regions, *privacy]


_PAIRS = Group(
    "Image by image",
    "Each image beside a held-out real one: the nearest, or one at random. "
    "The paper does not say which images it paired, so its figures are no "
    "yardstick for either.",
    tuple(
        Row(f"{label}, {rule}", f"{name}.*.{rule}", **options)
        for label, name, options in (
            (
                "PSNR",
                "psnr",
                {"digits": 2, "unit": "dB", "paper": _PAPER_PSNR},
            ),
            ("SSIM (whole image)", "ssim", {"paper": _PAPER_SSIM}),
            ("SSIM (windowed)", "windowed_ssim", {}),
        )
        for rule in ("nearest", "random")
    ),
)
_VARIETY = Group(
    "Variety",
    "How alike two random images of one kind are: synthetic ones, and real "
    "ones of two subjects. Above the real figure, the generator repeats "
    "itself.",
    (Row("MS-SSIM between images", "diversity.*"),),
)
_TEXTURE = Group(
    "Intensities and texture",
    "Whether values stay quantitative, and whether the texture is that of a "
    "scan.",
    (
        Row(
            "SUVR Wasserstein distance", "intensity.wasserstein.*", unit="SUVR"
        ),
        Row("Power spectrum distance", "spectrum.distance.*", unit="decades"),
        Row(
            "Finest detail, root mean square",
            "spectrum.finest_detail.*",
            digits=4,
            unit="SUVR",
        ),
        Row("Power of the finest detail, over real", "spectrum.checkerboard.*"),
    ),
)
_COUNT = {"wanted": "0", "digits": 0, "real_path": "-"}
_SHARE = {"digits": 4}
_MEMORIZATION = Group(
    "Copies of training subjects",
    "Synthetic images beside held-out real ones, which cannot be copies. A "
    "suspect is less than half as far from one training subject as from any "
    "other, a certain copy less than 0.3 times.",
    (
        Row("Suspected copies", "copies.suspects", **_COUNT),
        Row("Certain copies", "copies.certain", **_COUNT),
        Row("Share of suspects, at most", "copies.bound", **_COUNT | _SHARE),
        Row(
            "Share of suspects among real images",
            "-",
            real_path="copies.held_out_suspects",
            **_SHARE,
        ),
        Row(
            "Share of mixtures of two subjects",
            "copies.mixtures.synthetic",
            real_path="copies.mixtures.held_out",
        ),
        Row(
            "Authenticity",
            "copies.authenticity",
            real_path="copies.held_out_authenticity",
        ),
        Row(
            "Nearer to training images than held-out ones are",
            "copies.share_nearer",
            wanted="0.5",
            real_path="-",
        ),
        Row(
            "Copy test C_T (copies far below 0)",
            "copies.c_t",
            **_COUNT | {"digits": 1},
        ),
    ),
)
_MEMBERSHIP = Group(
    "Who was trained on",
    "An attack takes the subjects nearest to the synthetic images for those "
    "that were trained on. That it fails does not prove that others would. "
    "1 % of false positives takes 100 held-out subjects. Chance puts one in "
    "n + 1 before all of n held-out ones.",
    tuple(
        Row(label, f"membership.{name}", wanted, digits=2, real_path="-")
        for label, name, wanted in (
            ("AUC of the attack", "auc", "0.5"),
            (
                "Training subjects found at 1 % false positives",
                "true_positives_at_1_percent",
                "as by chance",
            ),
            (
                "Training subjects nearer than all held-out ones",
                "true_positives_at_0",
                "as by chance",
            ),
        )
    ),
)
_ENCODERS = {
    "trained": (
        "by the encoder that was trained on this run's training slices",
        "its own training images are not among those compared",
    ),
    "random": (
        "by fixed random convolutions",
        "a second opinion, which no training has shaped",
    ),
    "inception": (
        "by InceptionV3",
        "trained on photographs, for comparison with other papers",
    ),
}


def _of_encoder(name: str) -> Group:
    """The table of the scores by one encoder's features."""
    words, note = _ENCODERS.get(name, (f"by {name}", ""))
    place = f"features.{name}"
    return Group(
        f"All images together, {words}",
        f"Features of as many images of each kind; {note}. The real figure is "
        "of validation subjects beside test subjects.",
        (
            Row("KID", f"{place}.kid.*"),
            Row(
                "KID: p-value, subjects permuted",
                f"{place}.kid.*.p_value",
                wanted="not small",
            ),
            Row(
                "KID: shift of every feature that would give it",
                f"{place}.kid.*.shift",
                digits=2,
                unit="SD",
            ),
            Row("Fréchet distance", f"{place}.frechet.*"),
            Row(
                "Fréchet ratio, real halves over real and synthetic",
                f"{place}.frechet_ratio",
                wanted="1",
                real_path="-",
            ),
            Row("Precision", f"{place}.precision.*"),
            Row("Recall", f"{place}.recall.*"),
            Row("Density", f"{place}.density.*"),
            Row("Coverage", f"{place}.coverage.*"),
        ),
    )
