"""Exports a generator as a numbered version that a server can load."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import keras

from pet_dcgan.data.prepared_set import load_slices
from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.models.archive import write_archive
from pet_dcgan.models.model_info import ModelInfo
from pet_dcgan.models.plain_generator import (
    described,
    generator_of,
    model_info,
)
from pet_dcgan.runs.run import Run
from pet_dcgan.runs.selection_log import generator_facts
from pet_dcgan.serving.compatibility import check_compatible
from pet_dcgan.serving.exported_model import complete_versions, versions
from pet_dcgan.serving.model_card import has_copies, model_card
from pet_dcgan.serving.model_folder import (
    claimed,
    list_models,
    repair_models,
    show_newest,
    write_descriptions,
)
from pet_dcgan.utils.files import replacing, restore
from pet_dcgan.utils.keras_settings import keras_defaults
from pet_dcgan.utils.locks import exclusive

_FACTS = ("phantom", "plane", "preset", "stage")


class CopiesError(ValueError):
    """A generator that copies training subjects, or is suspected to."""


def export(
    model: Run | keras.Model,
    to: str | Path,
    *,
    facts: ImageFacts | None = None,
    allow_copies: bool = False,
) -> Path:
    """Exports a run's generator, or one of your own, as its next version.

    `<to>/<name>/<version>/` appears only after the saved model was loaded
    again and gave the live generator's images; `MODEL_CARD.md` and
    `metrics.json` beside it are those of the newest version, and
    `<to>/models.config` lists all models.

    Args:
        model: A finished run, see `export_run`; a `DCGAN`; or any Keras
            generator, latents `[n, latent_dim]` to images
            `[n, size, size, 1 or 3]` or volumes `[n, size, size, size]` in
            [-1, 1]. The card of a model without a run says that it was not
            evaluated.
        to: Folder of all models, as `export/models`.
        facts: What the images mean, where the model has no facts of its own.
        allow_copies: Of a run: whether to export a generator that copies.

    Returns:
        The version's folder.

    Raises:
        BlockingIOError: If another process exports the same model.
        CopiesError: If a run's generator copies training subjects.
        FileNotFoundError: If a run is not finished.
        ValueError: If there are no facts, or the generator cannot be exported
            faithfully or would break the clients of the last version.
    """
    if not isinstance(model, Run):
        return export_network(model, to, facts=facts)
    if facts is not None:
        raise ValueError(
            f"expected a run without facts=, since {model.path} has its own: "
            "leave facts= out"
        )
    return export_run(model, to, allow_copies=allow_copies)


@keras_defaults()
def export_network(
    model: keras.Model, to: str | Path, *, facts: ImageFacts | None = None
) -> Path:
    """Exports a generator that no run holds, as `export` does.

    Args:
        model: A generator or a `DCGAN`.
        to: Folder of all models.
        facts: What its images mean, where it has no facts.

    Returns:
        The version's folder.

    Raises:
        BlockingIOError: If another process exports the same model.
        ValueError: As `export`.
    """
    network, info = described(model, facts)
    given = {name: getattr(info, name) for name in _FACTS}
    return _export(
        _Exported(network, info, {"evaluated": False, **given}), Path(to)
    )


@keras_defaults()
@exclusive("export", "run", reading=True)
def export_run(run: Run, to: str | Path, *, allow_copies: bool = False) -> Path:
    """Exports a run's generator, as `export` does.

    No file names a subject or a path on this machine. The same run gives the
    same bytes. What a killed export left undone is done by the next one, see
    `repair_models`.

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
    network = generator_of(run.load_generator())
    info = model_info(
        network, ImageFacts.of(run.config), preset=run.config.preset
    )
    subjects, slices = len(run.subjects), _training_slices(run)
    return _export(
        _Exported(network, info, metrics, subjects, slices), Path(to)
    )


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


class _Exported(NamedTuple):
    """A generator and all that is known of it."""

    network: keras.Model
    info: ModelInfo
    metrics: dict[str, Any]
    subjects: int | None = None
    slices: int | None = None


def _export(found: _Exported, to: Path) -> Path:
    """Writes the version, and then what names the newest one."""
    info, metrics = found.info, found.metrics
    # a list that cannot be updated is found before the work
    repair_models(to)
    with claimed(to / info.name) as base:
        version = base / str(max(versions(base), default=0) + 1)
        text = json.dumps(metrics, indent=2, sort_keys=True, allow_nan=False)
        card = model_card(
            info,
            version=version.name,
            subjects=found.subjects,
            slices=found.slices,
            metrics=metrics,
        )
        with replacing(version) as folder:
            write_archive(found.network, folder, info)
            for last in complete_versions(base)[-1:]:
                check_compatible(folder, base / str(last))
            write_descriptions(folder, card, text + "\n")
        show_newest(base)
    list_models(to)
    return version


def _evaluation(run: Run) -> dict[str, Any]:
    """Returns the metrics, which must be of the run's present generator."""
    facts = {name: getattr(run.config, name) for name in _FACTS}
    try:
        metrics = run.metrics()
    except FileNotFoundError:
        return {"evaluated": False, **facts}
    trained = generator_facts(run)
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
