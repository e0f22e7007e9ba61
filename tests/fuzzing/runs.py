"""A run folder and its evaluation, as the commands after `train` read it."""

import shutil
from pathlib import Path
from random import Random

import conftest
import toy_data
import toy_model

from fuzzing.archives import damaged_zip
from fuzzing.damage import damaged, damaged_json
from fuzzing.oracle import require
from fuzzing.plan import Files
from fuzzing.spreadsheets import damaged_table
from pet_dcgan.data.prepared_set import load_slices
from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.evaluation.evaluate import Evaluation, evaluate
from pet_dcgan.evaluation.images import evaluation_images
from pet_dcgan.evaluation.training_curves import read_curves, training_facts
from pet_dcgan.features.encoder import Encoder
from pet_dcgan.features.train_encoder import random_encoder
from pet_dcgan.runs.run import Run
from pet_dcgan.serving.export import export_run
from pet_dcgan.training.checkpoint import newest_state
from pet_dcgan.training.train import train

_CHANGES = {
    "config.json": damaged_json,
    "evaluation/metrics.json": damaged_json,
    "subjects.csv": damaged_table,
    "log.csv": damaged_table,
    "health.csv": damaged_table,
    "selection.csv": damaged_table,
    "generator.keras": damaged_zip,
    "encoder/encoder.npz": damaged_zip,
    "checkpoint/state_0001.npz": damaged_zip,
    "checkpoint/samples_0001.npz": damaged_zip,
    "samples/epoch_0001.png": damaged,
}
_OFTEN = ("config.json", "evaluation/metrics.json", "generator.keras")
_SELECTION = "epoch,val_kid,standard_error,suspects\n1,0.5,0.1,0.01\n"
# what a case changed, and what else it does: files that say so
_CHANGED, _EXPORT, _RESUME = "changed.txt", "export.txt", "resume.txt"


def prepare(base: Path) -> None:
    toy_data.prepare(base / "data")
    config = toy_model.make_config(base / "data", epochs=1)
    run = train(config, base / "run", verbose=0)
    slices = load_slices(
        base / "data", "axial_32", split="train", stage="AD", plane="axial"
    )
    images = suvr_from_png(slices.images, slices.meta.suvr_max)
    random_encoder(images, seed=1).save(run.path / "encoder")
    with conftest._blank_plots():
        evaluate(run, count=8, search=8)
    (run.path / "selection.csv").write_text(_SELECTION)
    shutil.rmtree(run.path / "tensorboard")


def mutate(base: Path, dice: Random) -> Files:
    run = base / "run"
    names = [n for n in _CHANGES if (run / n).is_file()]
    name = dice.choice(dice.choice((names, _OFTEN)))
    others = [
        (run / other).read_bytes()
        for other in names
        if Path(other).suffix == Path(name).suffix
    ]
    changed = _CHANGES[name]((run / name).read_bytes(), dice, *others)
    files: Files = {f"run/{name}": changed, _CHANGED: name.encode()}
    if "metrics" in name and dice.random() < 0.2:
        files[_EXPORT] = b""
    if name.startswith(("checkpoint", "log", "health")) and dice.random() < 0.3:
        files |= {_RESUME: b"", "run/generator.keras": None}
    return files


def run(folder: Path, attempt) -> None:
    file = folder / _CHANGED
    changed = file.read_text() if file.is_file() else "".join(_CHANGES)
    if "encoder" in changed:
        attempt(Encoder.load, folder / "run" / "encoder")
    if "checkpoint" in changed:
        attempt(newest_state, folder / "run" / "checkpoint")
    found = attempt(Run.open, folder / "run")
    if found is None:
        return
    attempt(_check, found)
    attempt(found._repr_html_)
    attempt(read_curves, folder / "run")
    attempt(training_facts, found, slices=12)
    metrics = attempt(found.metrics)
    if metrics is not None:
        attempt(Evaluation(metrics)._repr_html_)
    if any(name in changed for name in ("config", "subjects", "generator")):
        _draw(folder, found, attempt)
    if (folder / _EXPORT).is_file():
        attempt(export_run, found, folder / "models", allow_copies=True)
    if (folder / _RESUME).is_file():
        config = toy_model.make_config(folder / "data", epochs=1)
        attempt(train, config, folder / "run", resume=True, verbose=0)


def _draw(folder: Path, found: Run, attempt) -> None:
    """What `evaluate` does first."""
    options = {"data_dir": folder / "data", "count": 2, "seed": 0, "search": 2}
    images = attempt(evaluation_images, found, **options)
    if images is not None:
        attempt(_check_images, found, images)


def _check(found: Run) -> None:
    require(found.config.size in (32, 64, 128, 256), f"{found.config.size}")
    require(0 < found.config.suvr_max <= 1000, f"{found.config.suvr_max}")
    require(all(s.isprintable() for s in found.subjects), "odd subjects")


def _check_images(found: Run, images) -> None:
    size = found.config.size
    require(images.synthetic.shape[1:] == (size, size), "shape")
    require(images.real.images.max() <= found.config.suvr_max, "scale")
