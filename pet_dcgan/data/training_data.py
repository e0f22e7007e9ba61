"""What a training takes from a prepared set: its metadata and its slices."""

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pet_dcgan.config import (
    ALL_PLANES,
    ALL_STAGES,
    SET_FACTS,
    STAGES,
    TrainConfig,
    check_overrides,
    make_config,
)
from pet_dcgan.data.leakage import require_disjoint, require_not_held_out
from pet_dcgan.data.prepared_set import (
    ALL_SPLITS,
    NoSlicesError,
    SetMeta,
    Slices,
    load_slices,
    open_set,
)
from pet_dcgan.presets import (
    FEW_COPIES_BEND_MM,
    LEAST_STEPS,
    PRESETS,
    in_epochs,
    require_volumes,
)

FEW_SUBJECTS = 8


def resolve_config(
    preset: str,
    *,
    data_dir: str | Path,
    dataset: str,
    stage: str | None = None,
    plane: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> TrainConfig:
    """A preset completed with the metadata of a prepared set.

    Where the training slices of the stage are few, epochs are short. There are
    then more of them, until the preset has the steps it needs, and more between
    two measurements or two sheets of samples, unless `overrides` give these.

    Args:
        preset: Name of one of `pet_dcgan.PRESETS`.
        data_dir: Folder that holds `adni/<dataset>/<version>`.
        dataset: Configuration of the prepared set, as `"axial_128"`.
        stage: `"NC"`, `"MCI"` or `"AD"`; only left out with conditions,
            which are of all stages.
        plane: Only needed where the set holds several, and the plane is no
            condition.
        overrides: Settings to change, as `{"epochs": 3}`.
        seed: Fixes weights, latents and the order of the slices.

    Raises:
        FileNotFoundError: If there is no such set.
        ValueError: If a value is unknown, or stage or plane has to be named.
    """
    meta = open_set(data_dir, dataset).meta
    changes = dict(overrides or {})
    settings = check_overrides(preset, changes)
    asked = str(settings["conditions"]).split(",")
    plane = _plane(plane, meta, asked)
    kind = {"plane": plane, "size": meta.size, "dataset": dataset}
    require_volumes(settings | kind)
    if stage is None:
        stage = _only_stage(asked, meta)
    facts = {
        "stage": stage,
        "plane": plane,
        "dataset": dataset,
        "data_dir": str(Path(data_dir).resolve()),
        "seed": seed,
    } | {name: getattr(meta, name) for name in SET_FACTS}
    config = make_config(preset, overrides=changes, **facts)
    longer = _lengthened(config) if preset in LEAST_STEPS else {}
    return make_config(preset, overrides=longer | changes, **facts)


def _plane(
    plane: str | None, meta: SetMeta, conditions: Collection[str]
) -> str:
    """The plane that is asked for, or the only one; or all of them."""
    if plane is None and len(meta.planes) == 1:
        return meta.planes[0]
    if plane in (None, ALL_PLANES) and "plane" in conditions:
        return ALL_PLANES
    if plane in meta.planes:
        return plane
    if meta.is_volume:
        raise ValueError(
            f"expected no plane for {meta.dataset}, whose images are whole "
            f"brains, found {plane}: leave out --plane"
        )
    raise ValueError(
        f"expected --plane among {', '.join(meta.planes)} for {meta.dataset}, "
        f"found {plane or 'none'}: write --plane {' or '.join(meta.planes)}"
    )


def _only_stage(conditions: Collection[str], meta: SetMeta) -> str:
    """All stages of a conditional generator; another's has to be named."""
    if "stage" in conditions:
        return ALL_STAGES
    together = (
        "--conditions stage" if meta.is_volume else "--preset conditional"
    )
    raise ValueError(
        f"expected a stage among {', '.join(STAGES)}, found none: name it with "
        f"--stage, or train one generator of all with {together}"
    )


def _lengthened(config: TrainConfig) -> dict[str, int]:
    """What gives a preset its least number of steps, if anything has to."""
    try:
        slices = _load(config, "train", decode=False)
    except NoSlicesError:
        return {}  # as whoever trains will say
    per_epoch = max(1, len(slices.images) // config.batch_size)
    epochs = math.ceil(LEAST_STEPS[config.preset] / per_epoch)
    usual = PRESETS[config.preset]
    return in_epochs(usual, epochs) if epochs > usual["epochs"] else {}


def load_training_slices(
    config: TrainConfig,
    *,
    subjects: Collection[str] | None = None,
    validation: Collection[str] | None = None,
    overflow: str | Path | None = None,
    decode: bool = True,
) -> Slices:
    """The slices a configuration trains on, checked against the set.

    Args:
        config: Which stage and plane of which set.
        subjects: Only these of the training subjects; all if unset.
        validation: Subjects to measure the generator by instead of the set's;
            `subjects` may then be of any of its splits.
        overflow: Folder for a file of the slices where they do not fit in
            memory; without one they are read into memory.
        decode: Whether pixels are read, see `load_slices`.

    Raises:
        FileNotFoundError: If there is no such set.
        OSError: If the disk of `overflow` is full.
        ValueError: If the set differs from the configuration, `validation` is
            empty, or a subject trained on is also held out.
    """
    if validation is not None and not validation:
        raise ValueError(
            "expected validation subjects, found none: leave out validation= "
            "to take those of the set"
        )
    slices = _load(
        config,
        "train" if validation is None else ALL_SPLITS,
        subjects=subjects,
        overflow=overflow,
        decode=decode,
    )
    for name in SET_FACTS:
        wanted, found = getattr(config, name), getattr(slices.meta, name)
        if wanted != found:
            raise ValueError(
                f"expected a set of {name} {wanted}, found {found}: the set "
                "has been prepared again, train under another --run"
            )
    if validation is None:
        require_not_held_out(slices.subjects, config.data_dir, config.dataset)
    else:
        require_disjoint(slices.subjects, validation)
    return slices


def load_validation_slices(
    config: TrainConfig, *, subjects: Collection[str] | None = None
) -> Slices:
    """The slices of the validation subjects, of the same stage and plane.

    Args:
        config: Which stage and plane of which set.
        subjects: These, of any split of the set, instead of its own.

    Raises:
        FileNotFoundError: If there is no such set.
        ValueError: If the set holds none of that stage and plane.
    """
    if subjects is None:
        return _load(config, "validation")
    return _load(config, ALL_SPLITS, subjects=subjects)


def few_subjects_warning(slices: Slices, config: TrainConfig) -> str | None:
    """A warning if there are few training subjects, else `None`.

    Args:
        slices: The training slices.
        config: Configuration of the training.
    """
    found = len(set(slices.subjects))
    if found >= FEW_SUBJECTS:
        return None
    line = (
        f"{found} subjects of {config.stage} to train on, fewer than "
        f"{FEW_SUBJECTS}: expect images that vary little or copy these "
        "subjects, and metrics with wide errors; prepare more scans"
    )
    if config.bend_mm >= FEW_COPIES_BEND_MM:
        return line
    return f"{line}, and add --set bend_mm={FEW_COPIES_BEND_MM}"


def _load(config: TrainConfig, split: str, **options: Any) -> Slices:
    """The slices of one split, of a configuration's stage and plane."""
    return load_slices(
        config.data_dir,
        config.dataset,
        split=split,
        stage=config.stage,
        plane=config.plane,
        **options,
    )
