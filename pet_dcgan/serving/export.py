"""Exports a finished run as a numbered version that a server can load."""

import json
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from pet_dcgan import __version__
from pet_dcgan.config import TrainConfig
from pet_dcgan.data.prepared_set import load_slices
from pet_dcgan.models.model_info import GRAPH_FILE, ModelInfo
from pet_dcgan.models.saved_model import compare_model, save_model
from pet_dcgan.models.warmup import write_warmup
from pet_dcgan.runs.run import Run
from pet_dcgan.serving.exported_model import complete_versions, versions
from pet_dcgan.serving.model_card import has_copies, model_card
from pet_dcgan.serving.model_folder import (
    claimed,
    list_models,
    repair_models,
    show_newest,
    write_descriptions,
)
from pet_dcgan.training.kid_selection import generator_facts
from pet_dcgan.utils.files import replacing, restore
from pet_dcgan.utils.keras_settings import keras_defaults
from pet_dcgan.utils.locks import exclusive

_FACTS = ("phantom", "plane", "preset", "stage")


class CopiesError(ValueError):
    """A generator that copies training subjects, or is suspected to."""


@keras_defaults()
@exclusive("export", "run", reading=True)
def export_run(run: Run, to: str | Path, *, allow_copies: bool = False) -> Path:
    """Exports a run's generator as the next version of its model.

    `<to>/<name>/<version>/` appears only after the saved model was loaded
    again and gave the live generator's images; `MODEL_CARD.md` and
    `metrics.json` beside it are those of the newest version, and
    `<to>/models.config` lists all models. None of them names a subject or a
    path on this machine. The same run gives the same bytes. What a killed
    export left undone is done by the next one, see `repair_models`.

    Args:
        run: A finished run.
        to: Folder of all models, as `export/models`.
        allow_copies: Whether to export a generator whose evaluation found
            copies of training slices or more suspects than chance would
            give; its card says so first.

    Returns:
        The version's folder.

    Raises:
        BlockingIOError: If another process works in the run's folder, or
            exports the same model.
        CopiesError: If it copies training subjects, see `allow_copies`.
        FileNotFoundError: If the run is not finished.
        ValueError: If the generator cannot be exported faithfully, was
            evaluated at another epoch, or would break the clients of the last
            version.
    """
    # of an evaluation that was killed
    restore(run.evaluation)
    metrics = _evaluation(run)
    if has_copies(metrics) and not allow_copies:
        raise CopiesError(_refusal(run, metrics["copies"]))
    # the comparison is meant for one kind of arithmetic, the CPU's
    with tf.device("CPU:0"):
        return _export(run, run.load_generator(), metrics, Path(to))


def _refusal(run: Run, copies: dict[str, Any]) -> str:
    """Why the generator is not exported, in one line, and what to do."""
    suspects, certain = copies["suspects"], copies["certain"]
    return (
        f"expected a generator without copies of training subjects, found "
        f"{suspects:,} suspect{'' if suspects == 1 else 's'} in "
        f"{copies['images']:,} images, {certain:,} of them certain: look at "
        f"{run.evaluation / 'closest.png'}, train on more subjects, or export "
        "it with --allow-copies and do not share it"
    )


def _export(
    run: Run, generator: keras.Model, metrics: dict[str, Any], to: Path
) -> Path:
    """Writes the version, and then what names the newest one."""
    facts = model_facts(run.config)
    slices = _training_slices(run)
    # a list that cannot be updated is found before the work
    repair_models(to)
    with claimed(to / facts.name) as base:
        version = base / str(max(versions(base), default=0) + 1)
        text = json.dumps(metrics, indent=2, sort_keys=True, allow_nan=False)
        card = model_card(
            facts,
            version=version.name,
            subjects=len(run.subjects),
            slices=slices,
            metrics=metrics,
        )
        with replacing(version) as folder:
            save_model(generator, folder, facts)
            compare_model(generator, folder, facts)
            facts.write(folder)
            write_warmup(folder, facts)
            for last in complete_versions(base)[-1:]:
                check_compatible(folder, base / str(last))
            write_descriptions(folder, card, text + "\n")
        show_newest(base)
    list_models(to)
    return version


def model_facts(config: TrainConfig) -> ModelInfo:
    """Returns the facts of the model that a run of this config trains."""
    return ModelInfo(
        stage=config.stage,
        plane=config.plane,
        size=config.size,
        channels=config.channels,
        latent_dim=config.latent_dim,
        spacing_mm=config.spacing_mm,
        suvr_max=config.suvr_max,
        reference=config.reference,
        preset=config.preset,
        phantom=config.phantom,
        made_by=f"pet-dcgan {__version__}",
    )


def _evaluation(run: Run) -> dict[str, Any]:
    """Returns the metrics, which must be of the run's present generator."""
    facts = {name: getattr(run.config, name) for name in _FACTS}
    try:
        metrics = run.metrics()
    except FileNotFoundError:
        return {"evaluated": False, **facts}
    trained = generator_facts(run.path, epochs=run.config.epochs)
    pairs = {name: (facts[name], metrics[name]) for name in facts}
    pairs["epoch"] = trained["epoch"], metrics["training"]["generator"]["epoch"]
    for name, (wanted, found) in pairs.items():
        if wanted != found:
            raise ValueError(
                f"expected {name} {wanted} in {run.evaluation}/metrics.json, "
                f"found {found}: it is of another generator, run pet-dcgan "
                f"evaluate {run.path} again"
            )
    return {"evaluated": True, **metrics}


def _training_slices(run: Run) -> int | None:
    """Counts training slices; None where the data set is gone or another."""
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


def check_compatible(new: Path, last: Path) -> None:
    """Refuses a version that would break the clients of the last one.

    A model server moves to the highest version silently. A new version may
    add signatures; those of the last one keep their inputs, outputs, types
    and shapes, and images keep their scale.

    Args:
        new: Folder of the new version.
        last: Folder of the version that is served now.

    Raises:
        ValueError: If something is missing or changed, or the last version
            is damaged.
    """
    found, before = _contract(new), _contract(last)
    changes = [
        f"{name} {found.get(name, 'missing')} instead of {expected}"
        for name, expected in before.items()
        if found.get(name) != expected
    ]
    if changes:
        raise ValueError(
            f"the new version would break the clients of {last}, having "
            f"{'; '.join(changes)}: export to another --to, or move the old "
            "model away"
        )


def _contract(folder: Path) -> dict[str, str]:
    """Describes what clients rely on: the scale and each signature."""
    model = saved_model_pb2.SavedModel()
    try:
        facts = ModelInfo.read(folder)
        model.ParseFromString((folder / GRAPH_FILE).read_bytes())
        (graph,) = model.meta_graphs
        signatures = {
            name: _described(signature)
            for name, signature in sorted(graph.signature_def.items())
            if not name.startswith("__")
        }
    except (DecodeError, OSError, TypeError, ValueError) as error:
        raise ValueError(
            f"the model in {folder} is damaged and cannot be compared with "
            f"({error}): move that version away, then export again"
        ) from error
    return {
        "suvr_max": str(float(facts.suvr_max)),
        "spacing_mm": str(float(facts.spacing_mm)),
        "reference": facts.reference,
        **signatures,
    }


def _described(signature: meta_graph_pb2.SignatureDef) -> str:
    """Describes as `seed int64 (None,) -> suvr float32 (None, 128, 128)`."""
    return " -> ".join(
        ", ".join(
            f"{name} {tf.as_dtype(info.dtype).name} "
            f"{tf.TensorShape(info.tensor_shape)}"
            for name, info in sorted(tensors.items())
        )
        for tensors in (signature.inputs, signature.outputs)
    )
