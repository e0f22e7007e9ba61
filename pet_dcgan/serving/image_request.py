"""Which images are asked of a model, and what the file of each holds."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from pet_dcgan.serving import image_files
from pet_dcgan.serving.model_info import ModelInfo
from pet_dcgan.utils.seed_blocks import block_seeds, seed_blocks

_SUFFIXES = {"png": ".png", "npy": ".npy", "nifti": ".nii.gz"}
FORMATS = tuple(_SUFFIXES)
COLUMNS = (
    "file",
    "stage",
    "seed",
    "model_version",
    "suvr_max",
    "spacing_mm",
    "plane",
    "phantom",
)


class Model(Protocol):
    """What draws images: `LocalModel` or `RemoteModel`."""

    facts: ModelInfo
    name: str
    version: str
    awaited: bool
    at_once: int

    def draw(self, seeds: Sequence[int]) -> list[bytes]:
        """The 16-bit PNG of each seed."""

    def close(self) -> None:
        """Ends what is waited for."""


class ImageRequest:
    """A model, seeds that follow each other, and a format.

    Args:
        model: What draws.
        seeds: One an image.
        format: One of `FORMATS`.
    """

    def __init__(
        self,
        model: Model,
        seeds: range,
        format: str,  # noqa: A002
    ) -> None:
        self.model = model
        self.facts = model.facts
        self.seeds = seeds
        self.format = format

    def words(self) -> dict[str, str | int]:
        """What must not change between two parts of a batch."""
        return {
            "model": self.model.name,
            "version": self.model.version,
            "format": self.format,
            "seed": self.seeds.start,
            "rows": self.facts.max_rows,
        }

    def draw(self, seeds: Sequence[int]) -> list[bytes]:
        """PNGs of seeds of one block, each computed in its own place.

        The whole block is drawn, since the last bits of a float, and so a
        PNG, depend on how many images are computed at once.

        Args:
            seeds: Those of a block of `blocks`.
        """
        rows = self.facts.max_rows
        first = seeds[0] - seeds[0] % rows
        drawn = self.model.draw(block_seeds(first, rows))
        return [drawn[seed - first] for seed in seeds]

    def blocks(self, seeds: Sequence[int]) -> list[list[int]]:
        """Seeds by the block that they are drawn with."""
        return list(seed_blocks(seeds, self.facts.max_rows).values())

    def file_name(self, seed: int) -> str:
        """Name of a seed's file, as `synthetic_ad_0000012.png`."""
        kind = "phantom" if self.facts.phantom else "synthetic"
        suffix = _SUFFIXES[self.format]
        return f"{kind}_{self.model.name}_{seed:07d}{suffix}"

    def file_content(self, seed: int, image: bytes) -> bytes:
        """What a seed's file holds.

        Args:
            seed: Of the image.
            image: Its PNG.
        """
        if self.format == "png":
            return image_files.png_bytes(image, self._notes(seed))
        suvr = image_files.suvr_of_png(image, self.facts.suvr_max)
        if self.format == "npy":
            return image_files.npy_bytes(suvr)
        return image_files.nifti_bytes(
            suvr,
            plane=self.facts.plane,
            spacing_mm=self.facts.spacing_mm,
            description=self._description(),
        )

    def rows(self) -> Iterator[tuple]:
        """The table's row of each image, in the order of `COLUMNS`."""
        facts = self.facts
        for seed in self.seeds:
            yield (
                self.file_name(seed),
                facts.stage,
                seed,
                self.model.version,
                facts.suvr_max,
                facts.spacing_mm,
                facts.plane,
                str(facts.phantom).lower(),
            )

    def _description(self) -> str:
        phantom = " phantom" if self.facts.phantom else ""
        return f"synthetic{phantom} PET slice, not for diagnosis"

    def _notes(self, seed: int) -> dict[str, str]:
        facts = self.facts
        return {
            "Description": self._description(),
            "synthetic": "true",
            "phantom": str(facts.phantom).lower(),
            "stage": facts.stage,
            "plane": facts.plane,
            "seed": str(seed),
            "suvr_max": str(facts.suvr_max),
            "spacing_mm": str(facts.spacing_mm),
        }
