"""The TFDS builder `adni`: a folder of brain PET scans to labelled slices."""

import dataclasses
import importlib.metadata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from tfds_adni.brain import scale_to_suvr
from tfds_adni.cohort import SELECTION, Verdict, gather
from tfds_adni.diagnosis import STAGES
from tfds_adni.slices import BANDS_MM, PLANES, Slice, cut_slices, resample
from tfds_adni.splits import SPLITS, assign_splits, require_disjoint
from tfds_adni.tally import Tally
from tfds_adni.volumes import VolumeError, load_volume

_FULL_SCALE = 65535


@dataclasses.dataclass(kw_only=True)
class AdniConfig(tfds.core.BuilderConfig):
    """What differs between the variants on disk.

    Attributes:
        planes: The planes that slices are cut in.
        size: Height and width of a slice in pixels.
        spacing_mm: Pixel size and distance of slices; 1.5 is ADNI's own grid.
        bands_mm: For each plane the first and last position (excluded) of its
            slices, in mm from the centre of the brain mask.
        suvr_max: SUVR that the largest stored value stands for.
    """

    planes: tuple[str, ...] = ("axial",)
    size: int = 128
    spacing_mm: float = 1.5
    bands_mm: Mapping[str, tuple[float, float]] = dataclasses.field(
        default_factory=lambda: dict(BANDS_MM)
    )
    suvr_max: float = 2.5


class _Metadata(tfds.core.MetadataDict):
    """The data set's facts; writes the account of its scans beside them."""

    account = None

    def save_metadata(self, data_dir) -> None:
        super().save_metadata(data_dir)
        if self.account is not None:
            self.account.to_csv(Path(data_dir) / "scans.csv", index=False)


class Builder(tfds.core.GeneratorBasedBuilder):
    """DatasetBuilder for labelled slices of ADNI's brain PET.

    Args:
        split_seed: Another seed gives another split of the subjects. One
            `data_dir` holds one split: prepare all its configurations with
            the same seed.
        progress: Called with scans done and scans in all, after each scan.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Initial release."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "manual_dir is the folder that the PET zips from LONI "
        "(https://ida.loni.usc.edu) were unpacked into, as NIfTI, with the "
        "collection's CSV beside them; or a phantom made with "
        "`pet-dcgan phantom FOLDER`."
    )
    BUILDER_CONFIGS = [
        *(
            AdniConfig(
                name=f"{plane}_128",
                description=f"{plane} slices of 128 x 128 pixels of 1.5 mm",
                planes=(plane,),
            )
            for plane in PLANES
        ),
        AdniConfig(
            name="all_128",
            description="slices of all three planes, 128 x 128 of 1.5 mm",
            planes=PLANES,
        ),
        AdniConfig(
            name="axial_64",
            description="axial slices of 64 x 64 pixels of 3 mm",
            size=64,
            spacing_mm=3.0,
        ),
    ]

    def __init__(
        self,
        *,
        split_seed: int = 0,
        progress: Callable[[int, int], None] | None = None,
        **kwargs,
    ) -> None:
        self._split_seed = split_seed
        self._progress = progress
        super().__init__(**kwargs)

    def _info(self) -> tfds.core.DatasetInfo:
        config = self.builder_config
        shape = (config.size, config.size, 1)
        text = tfds.features.Text()
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=shape, dtype=np.uint16),
                    "label": tfds.features.ClassLabel(names=list(STAGES)),
                    "plane": tfds.features.ClassLabel(names=list(PLANES)),
                    "slice": np.int32,
                    "position_mm": np.float32,
                    "subject": text,
                    "scan": text,
                    "visit": text,
                    "date": text,
                    "age": np.float32,
                    "sex": text,
                }
            ),
            supervised_keys=("image", "label"),
            metadata=_Metadata(self._facts()),
        )

    def _facts(self) -> dict:
        """Gives what holds before a scan is read."""
        config = self.builder_config
        return {
            "suvr_max": config.suvr_max,
            "spacing_mm": config.spacing_mm,
            "size": config.size,
            "planes": list(config.planes),
            "bands_mm": {p: list(config.bands_mm[p]) for p in config.planes},
            "source": "ida",
            "selection": SELECTION,
            "split_seed": self._split_seed,
            "made_by": f"pet-dcgan {importlib.metadata.version('pet-dcgan')}",
        }

    def _split_generators(self, dl_manager: tfds.download.DownloadManager):
        folder = Path(dl_manager.manual_dir)
        cohort = gather(folder)
        split_of = assign_splits(cohort.stage_of_subject, seed=self._split_seed)
        tally = Tally(cohort, split_of, folder)
        scans = defaultdict(list)
        for verdict in cohort.used:
            scans[split_of[verdict.record.subject]].append(verdict)
        require_disjoint(
            {s: {v.record.subject for v in scans[s]} for s in scans}
        )
        return {
            split: self._generate_examples(scans[split], split, tally)
            for split in SPLITS
        }

    def _generate_examples(
        self, scans: list[Verdict], split: str, tally: Tally
    ) -> Iterator[tuple[str, dict]]:
        for verdict in scans:
            try:
                yield from self._examples(verdict, tally)
                tally.subjects[verdict.stage][split] += 1
            except VolumeError as error:
                tally.reasons[verdict.record.image_id] = str(error)
            tally.count_scan(self._progress)
        tally.require_subjects(split)
        self._note(tally)

    def _note(self, tally: Tally) -> None:
        """Puts what is known so far into the data set's metadata."""
        self.info.metadata.update(tally.facts())
        self.info.metadata.account = tally.account()

    def _examples(
        self, verdict: Verdict, tally: Tally
    ) -> list[tuple[str, dict]]:
        """Cuts the examples of one scan."""
        config = self.builder_config
        volume = load_volume(verdict.record.paths)
        brain = resample(scale_to_suvr(volume), config.spacing_mm)
        examples = []
        for plane in config.planes:
            for piece in cut_slices(
                brain, plane, size=config.size, band_mm=config.bands_mm[plane]
            ):
                tally.count_clipped(piece, config.suvr_max)
                key = f"{verdict.record.image_id}-{plane}-{piece.index}"
                example = _example(verdict, plane, piece, config.suvr_max)
                examples.append((key, example))
        return examples


def _example(
    verdict: Verdict, plane: str, piece: Slice, suvr_max: float
) -> dict:
    """Words one example; SUVR becomes uint16 on a constant scale."""
    record = verdict.record
    stored = np.rint(
        np.clip(piece.image / suvr_max, 0, 1) * np.float32(_FULL_SCALE)
    )
    return {
        "image": stored.astype(np.uint16)[..., None],
        "label": verdict.stage,
        "plane": plane,
        "slice": piece.index,
        "position_mm": piece.position_mm,
        "subject": record.subject,
        "scan": record.image_id,
        "visit": record.visit,
        "date": record.date,
        "age": record.age,
        "sex": record.sex,
    }
