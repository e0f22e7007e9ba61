"""Pictures of what a generator draws while it is trained."""

import itertools
import math
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.config import STAGES
from pet_dcgan.data.slices import Slices
from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.image_facts import is_volume
from pet_dcgan.metrics.arrays import require_finite
from pet_dcgan.metrics.cuts import three_plane
from pet_dcgan.models.conditioned import asked, conditions_of
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.plotting import grey_scale, mosaic, save_sheet, sheet_title
from pet_dcgan.utils.array_files import read_arrays
from pet_dcgan.utils.files import replacing
from pet_dcgan.utils.progress import status

SHEET_ROWS = 4
SHEET_COLUMNS = 4
MONTAGE_COLUMNS = 8
MONTAGE_ROWS = 12
# in a row of any sheet, three cuts of each
VOLUMES = 4
_TILES = "samples_"  # and the epoch


class SampleGrid(keras.callbacks.Callback):
    """Draws the same latents after the first, every n-th and last epoch.

    Writes `epoch_0040.png` and, once, `real.png`, both as TensorBoard images
    as well. Sample `i` is the image of seed `model.seed + i`, as `pet-dcgan
    generate --seed` numbers them. The generator runs in inference mode. Of a
    conditional one there is a row of the same seeds for each stage. Volumes
    are drawn as three cuts side by side, see `pet_dcgan.plotting.save_sheet`.

    Args:
        folder: Where the pictures go.
        every: Epochs from one picture to the next.
        real: Real slices; 16, spread evenly over all, are drawn once. Of
            volumes of several stages, there is a row for each.
        tiles: Folder of the few images per epoch that `write_montage` needs;
            `folder` by default.
        writer: TensorBoard's writer, if it is to show them.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        every: int = 10,
        real: Slices | None = None,
        tiles: str | Path | None = None,
        writer: tf.summary.SummaryWriter | None = None,
    ) -> None:
        super().__init__()
        self.folder = Path(folder)
        self.every = every
        self.real = real
        self.tiles = Path(tiles or folder)
        self.writer = writer

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Draws the real slices, unless a stopped run has done so."""
        for folder in (self.folder, self.tiles):
            folder.mkdir(parents=True, exist_ok=True)
        if self.real is None or (self.folder / "real.png").exists():
            return
        rows = _real_rows(self.real)
        count, found = sum(len(x) for _, x in rows), len(self.real.images)
        noun = self.real.meta.noun
        self._draw("real", rows, f"real, {count} of {found} {noun}")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Draws the samples when due."""
        done = epoch + 1
        if done not in (1, self.params["epochs"]) and done % self.every:
            return
        rows = self._samples()
        images = np.concatenate([images for _, images in rows])
        with replacing(self.tiles / f"{_TILES}{done:04}.npz") as temporary:
            tiles = images[: self._columns].astype(np.float16)
            np.savez(temporary, suvr=tiles, epoch=done)
        self._draw(f"epoch_{done:04}", rows, f"synthetic, epoch {done}", done)

    def _samples(self) -> list[tuple[str, np.ndarray]]:
        """Rows of images in SUVR, each with what to call it."""
        network, suvr_max = self.model.sampler_network, self._scale[0]
        conditions = conditions_of(network)
        if conditions is None:
            count = SHEET_ROWS * SHEET_COLUMNS
            seeds = self.model.seed + np.arange(count)
            images = synthetic_slices(network, seeds, suvr_max=suvr_max)
            return _in_rows(_drawn(images))
        seeds = self.model.seed + np.arange(self._columns)
        return [
            (
                stage,
                _drawn(
                    synthetic_slices(
                        asked(network, stage=stage), seeds, suvr_max=suvr_max
                    )
                ),
            )
            for stage in conditions.stages[::-1]
        ]

    def write_montage(self) -> Path:
        """Draws how the same latents changed: `montage.png`, a row per epoch.

        Islam & Zhang (2020) show such rows as their Figure 4. Of more epochs
        than fit, the first, the last and every so many between are drawn; the
        title says which.
        """
        kept = {
            int(number): path
            for path in self.tiles.glob(f"{_TILES}*.npz")
            if (number := path.stem.removeprefix(_TILES)).isdecimal()
        }
        rows, (drawn, words) = [], _montage_epochs(sorted(kept), self.every)
        for epoch in drawn:
            # a picture more or less; the training is what matters
            try:
                rows.append(self._row(kept[epoch]))
            except (OSError, ValueError) as error:
                status(f"{error}: the montage is drawn without it")
        if not rows:
            return self.folder / "montage.png"
        return self._save("montage", rows, f"synthetic after {words}")

    def _row(self, path: Path) -> tuple[str, np.ndarray]:
        """The tiles of an epoch, and what to call them."""
        size = self.model.generator.output_shape[1]
        width = 3 * size if self._of_volumes else size
        shape = (self._columns, size, width)
        tiles = read_arrays(path, most=2**10 + 8 * math.prod(shape))
        suvr, epoch = tiles.get("suvr"), tiles.get("epoch")
        whole = np.shape(suvr) == shape and suvr.dtype.kind == "f"
        if not whole or np.ndim(epoch) or np.asarray(epoch).dtype.kind != "i":
            raise ValueError(f"expected tiles {shape} in {path}, found others")
        require_finite(suvr)
        return f"epoch {epoch}", suvr

    def _draw(self, name: str, rows: list, words: str, step: int = 0) -> None:
        """Draws rows of images into a PNG and to TensorBoard."""
        self._save(name, rows, words)
        if self.writer is None:
            return
        tag = "synthetic" if step else "real"
        images = np.concatenate([images for _, images in rows])
        grid = mosaic(images, len(rows[0][1])) / self._scale[0]
        facts = self.model.facts
        with self.writer.as_default(step=step):
            tf.summary.image(
                f"{tag} (phantom)" if facts and facts.phantom else tag,
                np.clip(grid, 0.0, 1.0)[None, ..., None],
            )
        self.writer.flush()

    @property
    def _of_volumes(self) -> bool:
        """Whether the generator makes volumes."""
        return is_volume(self.model.generator.output_shape)

    @property
    def _columns(self) -> int:
        """Images in a row of a montage, and of each stage."""
        return VOLUMES if self._of_volumes else MONTAGE_COLUMNS

    @property
    def _scale(self) -> tuple[float, str]:
        """SUVR of white, and the label of the colour bar."""
        return grey_scale(self.model.facts)

    def _save(self, name: str, rows: list, words: str) -> Path:
        """Saves rows of images."""
        path = self.folder / f"{name}.png"
        white, label = self._scale
        save_sheet(
            path,
            rows,
            title=sheet_title(self.model.facts, words),
            suvr_max=white,
            phantom=False,  # the title says it already
            label=label,
            cuts=self._of_volumes,
        )
        return path


def _drawn(images: np.ndarray) -> np.ndarray:
    """Images as they are drawn, of volumes three cuts side by side."""
    return three_plane(images) if images.ndim == 4 else images


def _real_rows(real: Slices) -> list[tuple[str, np.ndarray]]:
    """Real images, evenly over all or, volumes, over each stage."""
    stages = sorted({*real.stages}, key=STAGES.index, reverse=True)
    if real.meta.is_volume and len(stages) > 1:
        by_stage = {s: np.flatnonzero(real.stages == s) for s in stages}
        return [
            (stage, _some(real, rows, VOLUMES))
            for stage, rows in by_stage.items()
        ]
    rows = np.arange(len(real.images))
    return _in_rows(_some(real, rows, SHEET_ROWS * SHEET_COLUMNS))


def _some(real: Slices, rows: np.ndarray, count: int) -> np.ndarray:
    """Up to `count` of these images in SUVR as they are drawn, evenly."""
    places = np.linspace(0, len(rows) - 1, count).round().astype(int)
    chosen = rows[np.unique(places)]
    images = np.asarray(real.images[chosen])
    return _drawn(suvr_from_png(images, real.meta.suvr_max))


def _in_rows(images: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Rows of images, without words beside them."""
    return [
        ("", images[first : first + SHEET_COLUMNS])
        for first in range(0, len(images), SHEET_COLUMNS)
    ]


def _montage_epochs(kept: list[int], every: int) -> tuple[list[int], str]:
    """Which of the kept epochs are drawn, so that all fit, and in words."""
    for step in itertools.count(every, every):
        ends = {1, *kept[-1:]}
        drawn = [n for n in kept if n in ends or not n % step]
        if len(drawn) <= MONTAGE_ROWS:
            break
    if step == 1:
        return drawn, "every epoch"
    last = max(drawn, default=1)
    parts = ["epoch 1"]
    if any(n % step == 0 for n in drawn):
        parts.append(f"every {step} epochs")
    if last > 1 and last % step:
        parts.append(f"epoch {last}")
    *others, final = parts
    words = f"{', '.join(others)} and {final}" if others else final
    left_out = "; others are left out" if last > len(drawn) else ""
    return drawn, f"{words}{left_out}"
