"""Which numbers of `metrics.json` page and console show, and how."""

from typing import Any, NamedTuple

NONE = "–"
# numbers that nobody wants all digits of
_ENDLESS = 10_000


def written(found: Any, digits: int) -> tuple[str, str]:
    """A number with its standard error, and its interval.

    Args:
        found: A number, or what `pet_dcgan.evaluation.numbers` makes of one;
            None where there is none.
        digits: Behind the point.

    Returns:
        `"1.23 ± 0.04"`, and `"[1.15, 1.31]"` or `""`.
    """
    if not isinstance(found, dict):
        found = {"value": found}
    value = found.get("mean", found.get("value"))
    if value is None:
        return NONE, ""
    text = _fixed(value, digits)
    if found.get("standard_error") is not None:
        text += f" ± {_fixed(found['standard_error'], digits)}"
    if not found.get("interval"):
        return text, ""
    low, high = (_fixed(end, digits) for end in found["interval"])
    return text, f"[{low}, {high}]"


def _fixed(value: float, digits: int) -> str:
    """Fixed digits, a power of ten for what would be nothing or endless."""
    text = f"{value:.{digits}f}"
    if (value and float(text) == 0) or abs(value) >= _ENDLESS:
        text = f"{value:.1e}"
    return text.replace("-", "−")


# Islam & Zhang 2020, doi 10.1186/s40708-020-00104-2, over their images
_PAPER_PSNR = "32.83 dB"
_PAPER_SSIM = "77.48 %"


class Row(NamedTuple):
    """One line of a table.

    Args:
        label: What it is, in words.
        path: Where it stands in `metrics.json`, with `*` for the kind
            (`synthetic` or `real`).
        wanted: What a good generator's number is like.
        digits: Behind the point.
        unit: Of the number, if any.
        paper: What the paper states, if it does.
        real_path: Where the real one stands, if not by the kind.
    """

    label: str
    path: str
    wanted: str = "as real"
    digits: int = 3
    unit: str = ""
    paper: str = ""
    real_path: str = ""

    def number(self, metrics: dict[str, Any], kind: str) -> Any:
        """The number of a kind, or None where there is none.

        Args:
            metrics: What `metrics.json` holds.
            kind: `"synthetic"` or `"real"`.
        """
        path = self.path.replace("*", kind)
        if kind == "real" and self.real_path:
            path = self.real_path
        found: Any = metrics
        for name in path.split("."):
            if not isinstance(found, dict) or found.get(name) is None:
                return None
            found = found[name]
        return found


class Group(NamedTuple):
    """Rows under one heading.

    Args:
        title: The heading.
        words: What these numbers tell.
        rows: The rows.
    """

    title: str
    words: str
    rows: tuple[Row, ...]


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


def groups(metrics: dict[str, Any]) -> list[Group]:
    """The tables of a page, without those the run has no numbers for."""
    encoders = [
        _of_encoder(name)
        for name, found in metrics.get("features", {}).items()
        if "kid" in found
    ]
    bands = tuple(
        Row(f"Uptake difference, {band}", f"bands.*.{band}", unit="SUVR")
        for band in metrics["bands"]["synthetic"]
    )
    uptake = _UPTAKE._replace(rows=_UPTAKE.rows + bands)
    return [_PAIRS, *encoders, _VARIETY, uptake, _COPIES]


_PAIRS = Group(
    "Image by image",
    "Each image beside a held-out real one: the nearest, or one at random. "
    "The paper does not say which images it paired, so its figures are no "
    "yardstick for either.",
    (
        Row(
            "PSNR, nearest",
            "psnr.*.nearest",
            digits=2,
            unit="dB",
            paper=_PAPER_PSNR,
        ),
        Row(
            "PSNR, random",
            "psnr.*.random",
            digits=2,
            unit="dB",
            paper=_PAPER_PSNR,
        ),
        Row("SSIM (whole image), nearest", "ssim.*.nearest", paper=_PAPER_SSIM),
        Row("SSIM (whole image), random", "ssim.*.random", paper=_PAPER_SSIM),
        Row("SSIM (windowed), nearest", "windowed_ssim.*.nearest"),
        Row("SSIM (windowed), random", "windowed_ssim.*.random"),
    ),
)
_VARIETY = Group(
    "Variety",
    "How alike two random images of one kind are: synthetic ones, and real "
    "ones of two subjects. Above the real figure, the generator repeats "
    "itself.",
    (Row("MS-SSIM between images", "diversity.*"),),
)
_UPTAKE = Group(
    "Uptake and texture",
    "Whether values stay quantitative, and whether the texture is that of a "
    "scan. Band rows are mean differences to the nearest real image.",
    (
        Row("SUVR histograms apart by", "intensity.wasserstein.*", unit="SUVR"),
        Row("Power spectra apart by", "spectrum.distance.*", unit="decades"),
        Row(
            "Finest detail, root mean square",
            "spectrum.finest_detail.*",
            digits=4,
            unit="SUVR",
        ),
        Row("Power of the finest detail, over real", "spectrum.checkerboard.*"),
    ),
)
_COPIES = Group(
    "Copies of training subjects",
    "Synthetic images beside held-out real ones, which cannot be copies.",
    (
        Row(
            "Images with a twin among training subjects",
            "copies.twins",
            real_path="copies.held_out_twins",
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
            wanted="0",
            digits=1,
            real_path="-",
        ),
    ),
)


def _of_encoder(name: str) -> Group:
    words, note = _ENCODERS.get(name, (f"by {name}", ""))
    rows = (
        ("KID", "kid", "as real"),
        ("Fréchet distance", "frechet", "as real"),
        ("Fréchet ratio, real halves over real and synthetic", "", "1"),
        ("Precision", "precision", "as real"),
        ("Recall", "recall", "as real"),
        ("Density", "density", "as real"),
        ("Coverage", "coverage", "as real"),
    )
    return Group(
        f"All images together, {words}",
        f"Features of as many images of each kind; {note}. The real figure is "
        "of validation subjects beside test subjects.",
        tuple(
            Row(label, f"features.{name}.{key}.*", wanted)
            if key
            else Row(
                label, f"features.{name}.frechet_ratio", wanted, real_path="-"
            )
            for label, key, wanted in rows
        ),
    )


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
