"""A finished run to a numbered version that a model server can load."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from pet_dcgan import __version__
from pet_dcgan.config import TrainConfig
from pet_dcgan.data.prepared_set import load_slices
from pet_dcgan.runs.run import Run
from pet_dcgan.runs.selection_log import generator_facts
from pet_dcgan.serving.compatibility import check_compatible
from pet_dcgan.serving.model_card import Training, has_copies, model_card
from pet_dcgan.serving.model_info import (
    ModelInfo,
    complete_versions,
    model_name,
    versions,
)
from pet_dcgan.serving.models_config import update_models_config
from pet_dcgan.serving.saved_model import compare_model, save_model
from pet_dcgan.serving.warmup import write_warmup
from pet_dcgan.utils.files import locked, replacing, sweep

_LOCK = ".exporting"
_FACTS = ("phantom", "plane", "preset", "stage")


def export_run(run: Run, to: str | Path, *, allow_copies: bool = False) -> Path:
    """Exports a run's generator as the next version of its model.

    `<to>/<name>/<version>/` appears only after the saved model was loaded
    again and gave the live generator's images; `MODEL_CARD.md` and
    `metrics.json` beside it describe the newest version, and
    `<to>/models.config` lists all models. None of them names a subject or a
    place on this machine.

    Args:
        run: A finished run.
        to: Folder of all models, as `export/models`.
        allow_copies: Whether to export a generator whose evaluation found
            copies of training subjects; its card says so first.

    Returns:
        The version's folder.

    Raises:
        BlockingIOError: If another process exports the same model.
        FileNotFoundError: If the run is not finished.
        ValueError: If the generator cannot be exported faithfully, copies
            training subjects, was evaluated at another epoch, or would break
            the clients of the last version.
    """
    metrics = _metrics(run)
    with _readable(run):
        _require_own(metrics, run)
        _require_nobody_copied(metrics, allow_copies)
    # the comparison is meant for one kind of arithmetic, the CPU's
    with tf.device("CPU:0"):
        return _export(run, run.load_generator(), metrics, Path(to))


def _export(
    run: Run, generator: keras.Model, metrics: dict[str, Any], to: Path
) -> Path:
    facts = model_facts(run.config)
    training = Training(len(run.subjects), _training_slices(run))
    name = model_name(facts.stage, facts.plane)
    with _claimed(to, name) as base:
        version = base / str(max(versions(base), default=0) + 1)
        with _readable(run):
            card = model_card(
                facts, version=version.name, training=training, metrics=metrics
            )
        with (
            replacing(base / "MODEL_CARD.md") as card_file,
            replacing(base / "metrics.json") as metrics_file,
            replacing(version) as folder,
        ):
            _write_version(folder, generator, facts)
            for last in complete_versions(base)[-1:]:
                check_compatible(folder, base / str(last))
            card_file.write_text(card, encoding="utf-8")
            metrics_file.write_text(_json(metrics), encoding="utf-8")
        with locked(to / _LOCK, wait=True):
            update_models_config(to)
    return version


def _write_version(
    folder: Path, generator: keras.Model, facts: ModelInfo
) -> None:
    save_model(generator, folder, facts)
    compare_model(generator, folder, facts)
    facts.write(folder)
    write_warmup(folder, facts)


def model_facts(config: TrainConfig) -> ModelInfo:
    """What a model's user has to know, without what only its maker needs."""
    return ModelInfo(
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


def _metrics(run: Run) -> dict[str, Any]:
    """The run's evaluation, or a note that there is none."""
    try:
        return {"evaluated": True, **run.metrics()}
    except FileNotFoundError:
        facts = {name: getattr(run.config, name) for name in _FACTS}
        return {"evaluated": False, **facts}


@contextlib.contextmanager
def _readable(run: Run) -> Iterator[None]:
    """Takes what the block does not find in the metrics for a damaged file."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(
            f"expected all that pet-dcgan evaluate writes in {run.evaluation}"
            f"/metrics.json, found a fault at {error}: run pet-dcgan evaluate "
            f"{run.path} again"
        ) from error


def _require_own(metrics: dict[str, Any], run: Run) -> None:
    """Refuses numbers of another generator than the one there is now."""
    if not metrics["evaluated"]:
        return
    trained = generator_facts(run.path, epochs=run.config.epochs)
    pairs = {
        name: (getattr(run.config, name), metrics[name]) for name in _FACTS
    }
    pairs["epoch"] = trained["epoch"], metrics["training"]["generator"]["epoch"]
    for name, (wanted, found) in pairs.items():
        if wanted != found:
            raise ValueError(
                f"expected numbers of {name} {wanted} in {run.evaluation}"
                f"/metrics.json, found {found}: they are of another "
                f"generator, run pet-dcgan evaluate {run.path} again"
            )


def _require_nobody_copied(metrics: dict[str, Any], allowed: bool) -> None:
    if has_copies(metrics) and not allowed:
        raise ValueError(
            "expected a generator that copies nobody, found by its "
            f"evaluation: {metrics['copies']['words']} Train on more "
            "subjects, or export it with --allow-copies and do not share it"
        )


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
            decode=False,
        )
    except (FileNotFoundError, ValueError):
        return None
    same = set(slices.subjects) == set(run.subjects)
    return len(slices.images) if same else None


@contextlib.contextmanager
def _claimed(to: Path, name: str) -> Iterator[Path]:
    """The model's folder for one process, without what a killed one left."""
    base = to / name
    with _folder(base):
        try:
            with locked(base / _LOCK):
                sweep(base)
                yield base
        except BlockingIOError:
            raise BlockingIOError(
                f"expected nobody else to write {base}, found another "
                "pet-dcgan export at work; wait for it or choose another --to"
            ) from None


@contextlib.contextmanager
def _folder(path: Path) -> Iterator[None]:
    """Makes a folder, and removes it if it stays empty."""
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.rmdir()


def _json(values: dict[str, Any]) -> str:
    return json.dumps(values, indent=2, sort_keys=True, allow_nan=False) + "\n"
