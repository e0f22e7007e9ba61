"""The presets that a training's settings start from, and changes to them."""

from collections.abc import Iterable, Mapping
from typing import Any

# all stages, or all planes
ALL = "ALL"
# in place of a plane where an image is a whole brain
VOLUME = "volume"
AUGMENTATIONS = ("translate", "cutout", "rotate", "scale")
# The options that `paper` does not use, all off; other presets switch on those
# that were measured to help.
PLAIN: dict[str, Any] = {
    "ema_decay": 0.0,
    "augment": "none",
    "augment_probability": 0.0,
    "augment_target": 0.0,
    "bend_mm": 0.0,
    "select_every": 0,
    "patience": 0,
    "conditions": "none",
    "transition": False,
    "precision": "float32",
    "xla": False,
    "deterministic": False,
}
# settings that have no effect while the first is off
PARTS_OF = {
    "augment": ("augment_probability", "augment_target"),
    "select_every": ("patience",),
    "conditions": ("transition",),
}
# `paper` is Islam & Zhang (2020), doi 10.1186/s40708-020-00104-2. Their text
# states the latent length, the batch, the optimiser and the epochs; the
# widths and the kernel's place in each layer are read from DCGAN (Radford,
# Metz & Chintala 2016, arXiv 1511.06434), on which they build.
_PAPER: dict[str, Any] = PLAIN | {
    "channels": 3,
    "latent_dim": 100,
    "width": 64,
    "kernel_size": 5,
    "batch_size": 64,
    "epochs": 500,
    "g_learning_rate": 1e-4,
    "d_learning_rate": 1e-4,
    "beta_1": 0.5,
    "beta_2": 0.999,
    "samples_every": 20,
}
# Networks a quarter as wide, which two CPU cores train, with the options that
# helped most with 24 training subjects (benchmarks/few_subjects.py). The
# generator's rate is five times the discriminator's: at ten times the images
# were noisier and less varied (one run of each, NC, by eye).
_ROBUST: dict[str, Any] = _PAPER | {
    "channels": 1,
    "width": 16,
    "batch_size": 16,
    "epochs": 200,
    "g_learning_rate": 1e-3,
    "d_learning_rate": 2e-4,
    "ema_decay": 0.995,
    "augment": "translate,cutout,rotate,scale",
    "augment_target": 0.6,
    "bend_mm": 2.5,
    "select_every": 5,
    "patience": 10,
    "samples_every": 10,
}
PRESETS: dict[str, dict[str, Any]] = {
    "robust": _ROBUST,
    # for a GPU: four times the work of a step, and four times the steps; in
    # float32, as no GPU has shown yet what less does to the images
    "best": _ROBUST
    | {"width": 32, "epochs": 800, "select_every": 20, "samples_every": 40},
    "paper": _PAPER,
    # one generator in place of three, in as many steps as they take together
    "conditional": _ROBUST
    | {
        "conditions": "stage,plane,position",
        "transition": True,
        "ema_decay": 0.999,
    },
    # whole brains of every stage
    "volume": _ROBUST
    | {
        "channels": 64,
        "width": 8,
        "kernel_size": 4,
        "batch_size": 8,
        "conditions": "stage",
        "transition": True,
        "ema_decay": 0.999,
    },
    # short enough to watch
    "demo": _ROBUST
    | {"epochs": 50, "select_every": 0, "patience": 0, "samples_every": 5},
}

# Steps that a preset's training has at least: few slices make short epochs, of
# which there are then more.
LEAST_STEPS: dict[str, int] = {
    "robust": 8000,
    "best": 32_000,
    "conditional": 24_000,
    "volume": 7000,
    "demo": 4000,
}
# SD of the bends that left the fewest suspected copies of few subjects, in mm
# (docs/small-data.md)
FEW_COPIES_BEND_MM = 3
# settings that count epochs between two events
EVERY = ("select_every", "samples_every")


def in_epochs(values: Mapping[str, Any], epochs: int) -> dict[str, int]:
    """What changes where a training has another number of epochs.

    Args:
        values: `epochs`, `select_every` and `samples_every` of a preset.
        epochs: Passes over the slices in place of `values["epochs"]`.

    Returns:
        The same three: what happens every few epochs, 0 for never, happens as
        often in total.
    """
    share = epochs / values["epochs"]
    every = {name: values[name] for name in EVERY}
    return {"epochs": epochs} | {
        name: value and max(1, round(value * share))
        for name, value in every.items()
    }


def parse_overrides(items: Iterable[str]) -> dict[str, str]:
    """Turns `["epochs=3", "width=8"]` into `{"epochs": "3", "width": "8"}`.

    Raises:
        ValueError: If an item has no `=`, no name, or a name comes twice.
    """
    overrides: dict[str, str] = {}
    for item in items:
        name, equals, value = (part.strip() for part in item.partition("="))
        if not (name and equals and value):
            raise ValueError(
                f"expected --set name=value, found {item!r}: write for "
                "example --set batch_size=8"
            )
        if name in overrides:
            raise ValueError(
                f"expected each setting once, found {name!r} twice: "
                "keep one --set of it"
            )
        overrides[name] = value
    return overrides


def require_consistent(values: Mapping[str, Any]) -> None:
    """Refuses settings that contradict each other.

    Args:
        values: The settings of a preset by name, perhaps among others.

    Raises:
        ValueError: If two of them do, with what to change.
    """
    augment = values["augment"]
    strength = values["augment_probability"] or values["augment_target"]
    if augment == "none" and strength:
        raise ValueError(
            "expected an augmentation with augment_probability or "
            "augment_target, found augment none: name some of "
            f"{','.join(AUGMENTATIONS)} with --set augment=, or set both to 0"
        )
    if augment != "none" and not strength:
        raise ValueError(
            f"expected a probability for augment {augment}, found 0: add "
            "--set augment_probability= or --set augment_target="
        )
    if values["transition"] and values["conditions"] == "none":
        raise ValueError(
            "expected conditions with transition true, found none: add --set "
            "conditions=stage,plane,position, or --set transition=false"
        )
    if values["patience"] and not values["select_every"]:
        raise ValueError(
            f"expected select_every with patience {values['patience']}, found "
            "0: add --set select_every="
        )


def require_whole(values: Mapping[str, Any]) -> None:
    """Refuses all stages or planes of a generator that is not asked for one.

    Args:
        values: `stage`, `plane` and `conditions`, among others.

    Raises:
        ValueError: If it is, or one stage of a generator that is asked.
    """
    conditions, stage = values["conditions"], values["stage"]
    if stage == ALL and conditions == "none":
        raise ValueError(
            f"expected conditions with stage {ALL}, found none: add "
            "--conditions stage,plane,position, or name a stage"
        )
    if stage != ALL and conditions != "none":
        raise ValueError(
            f"expected stage {ALL} with conditions {conditions}, found {stage}"
            ": leave out --stage, or add --conditions none"
        )
    require_volumes(values)
    if values["plane"] == ALL and "plane" not in conditions.split(","):
        raise ValueError(
            f"expected plane among the conditions with plane {ALL}, found "
            f"{conditions}: add it to --conditions, or name a plane"
        )


def require_volumes(values: Mapping[str, Any]) -> None:
    """Refuses a generator of slices for volumes, and the other way round.

    Args:
        values: `channels`, `size`, `plane`, `dataset` and `conditions`, among
            others.

    Raises:
        ValueError: If the generator is not of the set's images, or asked for
            a place in a volume.
    """
    channels, size = values["channels"], values["size"]
    whole = values["plane"] == VOLUME
    if whole and channels != size:
        raise ValueError(
            f"expected a generator of volumes for {values['dataset']}, found "
            f"one of slices (channels={channels}): choose --preset volume, or "
            f"add --set channels={size}"
        )
    if not whole and channels not in (1, 3):
        raise ValueError(
            f"expected a generator of slices for {values['dataset']}, found "
            f"one of volumes (channels={channels}): choose --config "
            "volume_64, or another --preset"
        )
    places = {"plane", "position"} & set(values["conditions"].split(","))
    if whole and places:
        raise ValueError(
            f"expected volumes without {' and '.join(sorted(places))} as a "
            f"condition, found {values['conditions']}: leave it out of "
            "--conditions"
        )
