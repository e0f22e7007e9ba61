"""A finished run to a numbered version that a model server can load."""

import contextlib
import json
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from pet_dcgan import __version__
from pet_dcgan.config import TrainConfig
from pet_dcgan.data import load_slices
from pet_dcgan.files import replacing
from pet_dcgan.run import Run
from pet_dcgan.serving.archive import compare_archive, save_archive
from pet_dcgan.serving.model_card import model_card
from pet_dcgan.serving.served import ModelFacts, model_name, versions


def export_run(run: Run, to: str | Path) -> Path:
    """Exports a run's generator as the next version of its model.

    `<to>/<name>/<version>/` appears only after the saved model was loaded
    again and gave the live generator's images; `MODEL_CARD.md` and
    `metrics.json` beside it describe the newest version. Neither names a
    subject or a place on this machine.

    Args:
        run: A finished run.
        to: Folder of all models, as `export/models`.

    Returns:
        The version's folder.

    Raises:
        FileNotFoundError: If the run is not finished.
        ValueError: If the generator cannot be exported faithfully.
    """
    # the comparison is meant for one kind of arithmetic, the CPU's
    with tf.device("CPU:0"):
        return _export(run, run.load_generator(), Path(to))


def _export(run: Run, generator: keras.Model, to: Path) -> Path:
    facts = model_facts(run.config)
    metrics = _metrics(run, facts)
    card = model_card(
        facts,
        subjects=len(run.subjects),
        slices=_training_slices(run),
        metrics=metrics,
    )
    base = to / model_name(facts.stage, facts.plane)
    with _folder(base):
        version = base / str(max(versions(base), default=0) + 1)
        with (
            replacing(base / "MODEL_CARD.md") as card_file,
            replacing(base / "metrics.json") as metrics_file,
            replacing(version) as folder,
        ):
            save_archive(generator, folder, suvr_max=facts.suvr_max)
            compare_archive(generator, folder, suvr_max=facts.suvr_max)
            facts.write(folder)
            card_file.write_text(card, encoding="utf-8")
            metrics_file.write_text(_json(metrics), encoding="utf-8")
    return version


def model_facts(config: TrainConfig) -> ModelFacts:
    """What a model's user has to know, without what only its maker needs."""
    return ModelFacts(
        stage=config.stage,
        plane=config.plane,
        size=config.size,
        channels=config.channels,
        latent_dim=config.latent_dim,
        spacing_mm=config.spacing_mm,
        suvr_max=config.suvr_max,
        preset=config.preset,
        phantom=config.phantom,
        made_by=f"pet-dcgan {__version__}",
    )


def _metrics(run: Run, facts: ModelFacts) -> dict[str, Any]:
    """The run's evaluation, or a note that there is none."""
    try:
        return {"evaluated": True, **run.metrics()}
    except FileNotFoundError:
        return {
            "evaluated": False,
            "phantom": facts.phantom,
            "plane": facts.plane,
            "preset": facts.preset,
            "stage": facts.stage,
        }


def _training_slices(run: Run) -> int | None:
    """Slices it trained on, or None where its data set is gone or another."""
    config = run.config
    try:
        slices = load_slices(
            config.data_dir,
            config.dataset,
            split="train",
            stage=config.stage,
            plane=config.plane,
        )
    except (FileNotFoundError, ValueError):
        return None
    same = set(slices.subjects) == set(run.subjects)
    return len(slices.images) if same else None


@contextlib.contextmanager
def _folder(path: Path):
    """Makes a folder, and removes it if it stays empty."""
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.rmdir()


def _json(values: dict[str, Any]) -> str:
    return json.dumps(values, indent=2, sort_keys=True, allow_nan=False) + "\n"
