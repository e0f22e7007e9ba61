"""What happens between epochs: samples and logs."""

import csv
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.config import TrainConfig
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.plotting import mosaic, save_sheet
from pet_dcgan.utils.files import replacing

SHEET_ROWS = 4
SHEET_COLUMNS = 4
MONTAGE_COLUMNS = 8
MONTAGE_ROWS = 12


class SampleGrid(keras.callbacks.Callback):
    """Draws the same latents after the first, every n-th and last epoch.

    Writes `epoch_0040.png` and, once, `real.png`, and both as TensorBoard
    images. Sample `i` is the image of seed `config.seed + i`, as `pet-dcgan
    generate --seed` numbers them. The generator runs in inference mode.

    Args:
        folder: Where the pictures go.
        tiles: Folder of the few images kept for `write_montage`.
        config: Stage, plane, seed and SUVR scale.
        real: Real slices `[n, size, size]` in SUVR, to be drawn beside.
        writer: TensorBoard's writer.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        tiles: str | Path,
        config: TrainConfig,
        real: np.ndarray,
        writer: tf.summary.SummaryWriter,
    ) -> None:
        super().__init__()
        self.folder = Path(folder)
        self.tiles = Path(tiles)
        self.config = config
        self.real = real
        self.writer = writer
        first = config.seed
        self.seeds = np.arange(first, first + SHEET_ROWS * SHEET_COLUMNS)

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Draws the real slices, unless a stopped run has done so."""
        path = self.folder / "real.png"
        if not path.exists():
            self._draw(path, self.real, "real", step=0)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Draws the samples when it is time."""
        done = epoch + 1
        every, last = self.config.samples_every, self.config.epochs
        if done not in (1, last) and done % every:
            return
        images = synthetic_slices(
            self.model.sampler_network,
            self.seeds,
            suvr_max=self.config.suvr_max,
        )
        self._keep(images[:MONTAGE_COLUMNS], done)
        path = self.folder / f"epoch_{done:04}.png"
        self._draw(path, images, f"synthetic, epoch {done}", step=done)

    def write_montage(self) -> Path:
        """Draws how the same latents changed: `montage.png`, a row an epoch.

        Islam & Zhang (2020) show such rows as their Figure 4.
        """
        kept = sorted(self.tiles.glob("samples_*.npz"))
        chosen = np.linspace(0, len(kept) - 1, min(len(kept), MONTAGE_ROWS))
        kept = [kept[round(index)] for index in chosen]
        montage = self.folder / "montage.png"
        save_sheet(
            montage,
            [_montage_row(path) for path in kept],
            title=f"{self._what}, synthetic over training",
            suvr_max=self.config.suvr_max,
            phantom=self.config.phantom,
        )
        return montage

    @property
    def _what(self) -> str:
        return f"{self.config.stage} {self.config.plane}"

    def _keep(self, images: np.ndarray, done: int) -> None:
        path = self.tiles / f"samples_{done:04}.npz"
        with replacing(path) as temporary:
            np.savez(temporary, suvr=images.astype(np.float16), epoch=done)

    def _draw(
        self, path: Path, images: np.ndarray, title: str, step: int
    ) -> None:
        rows = [
            ("", images[first : first + SHEET_COLUMNS])
            for first in range(0, len(images), SHEET_COLUMNS)
        ]
        suvr_max, phantom = self.config.suvr_max, self.config.phantom
        title = f"{self._what} {title}"
        save_sheet(path, rows, title=title, suvr_max=suvr_max, phantom=phantom)
        tag = "real" if step == 0 else "synthetic"
        grid = mosaic(images, SHEET_COLUMNS) / suvr_max
        with self.writer.as_default(step=step):
            tf.summary.image(
                f"{tag} (phantom)" if phantom else tag,
                np.clip(grid, 0.0, 1.0)[None, ..., None],
            )


class EpochLog(keras.callbacks.Callback):
    """Every metric of every epoch, to a CSV and to TensorBoard.

    The CSV is replaced whole after each epoch, so it is never half a row
    long, and an epoch that a resumed run repeats stands in it once. Epochs
    count from 1.

    Args:
        path: The CSV; rows of an earlier part of the run are kept.
        phantom: Written into every row.
        writer: TensorBoard's writer.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        phantom: bool,
        writer: tf.summary.SummaryWriter,
    ) -> None:
        super().__init__()
        self.path = Path(path)
        self.phantom = phantom
        self.writer = writer
        self.rows: list[dict[str, Any]] = []

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Reads the rows of an earlier part of the run."""
        if self.path.exists():
            with self.path.open(newline="", encoding="utf-8") as file:
                self.rows = list(csv.DictReader(file))

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Starts the clock."""
        self.started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Adds the epoch's row and scalars."""
        seconds = round(time.monotonic() - self.started, 3)
        row = {"epoch": epoch + 1, **(logs or {}), "seconds": seconds}
        self.rows = [r for r in self.rows if int(r["epoch"]) <= epoch]
        self.rows.append(row | {"phantom": str(self.phantom).lower()})
        with replacing(self.path) as temporary:
            _write_rows(temporary, self.rows)
        with self.writer.as_default(step=epoch + 1):
            for name, value in (logs or {}).items():
                tf.summary.scalar(name, value)
        self.writer.flush()


class EpochProgress(keras.callbacks.Callback):
    """Tells of each epoch that is done, as a bar wants it.

    Args:
        advance: Called with the epochs done and their number, such as
            `pet_dcgan.utils.progress.progress` yields.
    """

    def __init__(self, advance: Callable[[int, int], None]) -> None:
        super().__init__()
        self.advance = advance

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Tells of the epoch."""
        self.advance(epoch + 1, self.params["epochs"])


def _montage_row(path: Path) -> tuple[str, np.ndarray]:
    with np.load(path) as kept:
        return f"epoch {kept['epoch']}", kept["suvr"]


def _write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        # not every epoch has every metric
        columns = list(max(rows, key=len))
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
