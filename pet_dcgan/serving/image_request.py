"""A request for images: a model, consecutive seeds, and what is asked for."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pet_dcgan.models.model_info import VOXELS
from pet_dcgan.models.png_notes import description, png_notes, row_texts
from pet_dcgan.serving import bids, image_files, nifti
from pet_dcgan.serving.exported_model import PICTURE, ExportedModel
from pet_dcgan.serving.rest_model import RemoteModel
from pet_dcgan.serving.wanted import Wanted, WantedError
from pet_dcgan.utils.png import check_png
from pet_dcgan.utils.seed_blocks import block_seeds
from pet_dcgan.utils.volume_grid import affine_of, is_mni

_TABLE = "images.csv"
_COLUMNS = (
    "file",
    "stage",
    "seed",
    "model_version",
    "suvr_max",
    "spacing_mm",
    "plane",
    "phantom",
)
# of a conditional model
_ASKED_COLUMNS = ("position_mm", "age", "sex")
# of a model of volumes
_VOLUME_COLUMNS = ("space",)


class ImageRequest:
    """A model, consecutive seeds, a file format, and what is asked for.

    Args:
        model: What draws.
        seeds: Of the images.
        format_: One of `image_files.FORMATS`.
        wanted: What a conditional model is asked for.
        as_bids: Whether files are named and described as BIDS asks.

    Raises:
        WantedError: If the model does not know it, or slices are to be a BIDS
            data set.
    """

    def __init__(
        self,
        model: ExportedModel | RemoteModel,
        seeds: range,
        format_: str,
        wanted: Wanted,
        *,
        as_bids: bool = False,
    ) -> None:
        self.model = model
        self.facts = model.facts
        self.seeds = seeds
        self.format = format_
        self.as_bids = as_bids
        self.asked = wanted.of(self.facts)
        if as_bids and not self.facts.is_volume:
            raise WantedError(
                f"expected a model of volumes with --bids, found "
                f"{self.facts.name}, a model of slices: leave it out"
            )
        # a sheet of cuts is for looking at alone
        whole = self.facts.is_volume and format_ != "png"
        self.signature = VOXELS if whole else PICTURE

    def identity(self) -> dict[str, str | int]:
        """What must be the same when a batch is resumed."""
        return {
            "model": self.facts.name,
            "version": self.model.version,
            "format": "bids" if self.as_bids else self.format,
            "seed": self.seeds.start,
            "rows": self.facts.max_rows,
            **(self.asked.identity() if self.asked else {}),
        }

    def draw(self, seeds: Sequence[int]) -> list[bytes]:
        """PNGs of seeds of one block, each computed in its place.

        The whole block is drawn, since the last bits of a float, and so a
        PNG, depend on how many images are computed at once.

        Args:
            seeds: Of one block.

        Raises:
            ValueError: If an image is not what the model's facts promise.
        """
        rows = self.facts.max_rows
        first = seeds[0] - seeds[0] % rows
        block = block_seeds(first, rows)
        asked = {}
        if self.asked:
            asked["conditions"] = self.asked.columns(block)
        if self.signature != PICTURE:
            asked["signature"] = self.signature
        drawn = self.model.draw(block, **asked)
        images = [drawn[seed - first] for seed in seeds]
        for image in images:
            self._check(image)
        return images

    def _check(self, image: bytes) -> None:
        """Refuses a PNG that is not what the model's facts promise."""
        try:
            shape = self.facts.picture_shape(self.signature)
            check_png(image, size=shape)
        except ValueError as error:
            raise ValueError(
                f"{error}, drawn by version {self.model.version} of "
                f"{self.facts.name}: try again, and if it is the same export "
                "the run again"
            ) from None

    def file_name(self, seed: int) -> str:
        """The name of a seed's file.

        Args:
            seed: The seed.

        Returns:
            As `synthetic_ad_0000012.png`, or of a conditional model as
            `synthetic_conditional_ad_0000012.png`; for BIDS a path.
        """
        if self.as_bids:
            return bids.image_name(self.facts, seed)
        kind = "phantom" if self.facts.phantom else "synthetic"
        name = self.facts.name
        if self.asked:
            name = f"{name}_{self.asked.label}"
        suffix = image_files.FORMATS[self.format]
        return f"{kind}_{name}_{seed:07d}{suffix}"

    def file_content(self, seed: int, image: bytes) -> bytes:
        """The content of a seed's file.

        Args:
            seed: The seed.
            image: Its PNG.
        """
        facts = self.facts
        row = self.asked.row(seed) if self.asked else None
        if self.format == "png":
            notes = png_notes(facts, row) | {"seed": str(seed)}
            return image_files.png_bytes(image, notes)
        suvr = image_files.suvr_of_png(image, facts.suvr_max)
        if facts.is_volume:
            suvr = suvr.reshape([facts.size] * 3)
        if self.format == "npy":
            return image_files.npy_bytes(suvr)
        packed = self._nifti(suvr, row)
        return packed if self.format == "nifti" else nifti.unpacked(packed)

    def _nifti(self, suvr: np.ndarray, row: dict[str, Any] | None) -> bytes:
        """An image in SUVR as a `.nii.gz` that lies where it should."""
        facts = self.facts
        if facts.is_volume:
            code = nifti.MNI if is_mni(facts.space) else nifti.ALIGNED
            return nifti.nifti_bytes(
                suvr,
                affine=affine_of(facts.size, facts.spacing_mm, facts.space),
                description=description(facts, row),
                sform=code,
                qform=code,
            )
        return image_files.nifti_bytes(
            suvr,
            plane=facts.plane if row is None else row["plane"],
            position_mm=(row or {}).get("position_mm") or 0.0,
            spacing_mm=facts.spacing_mm,
            description=description(facts, row),
        )

    def describe(self, folder: Path, *, license: str | None) -> str:  # noqa: A002
        """Writes the table of the images, and what else BIDS asks for.

        Args:
            folder: Of the images.
            license: Of a BIDS data set, as of `bids.texts`.

        Returns:
            The table's name.
        """
        if self.as_bids:
            rows = {s: self.asked and self.asked.row(s) for s in self.seeds}
            drawn = bids.Drawn(self.facts, self.model.version, rows)
            bids.write_texts(folder, drawn, license=license)
            return bids.TABLE
        with (folder / _TABLE).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows(self.table())
        return _TABLE

    def table(self) -> Iterator[Sequence]:
        """Yields the rows of `images.csv`, the first one with the headings."""
        facts, asked = self.facts, self.asked
        more = _ASKED_COLUMNS if asked else ()
        if facts.is_volume:
            more += _VOLUME_COLUMNS
        yield _COLUMNS + more
        for seed in self.seeds:
            texts = {"stage": facts.stage, "plane": facts.plane}
            if asked:
                texts = row_texts(asked.row(seed))
            yield (
                self.file_name(seed),
                texts["stage"],
                seed,
                self.model.version,
                facts.suvr_max,
                facts.spacing_mm,
                texts["plane"],
                str(facts.phantom).lower(),
                *(texts[name] for name in _ASKED_COLUMNS if asked),
                *([facts.space] if facts.is_volume else []),
            )
