"""The configuration of a training run, and the limits of each value."""

import dataclasses
import json
from collections.abc import Collection, Mapping
from typing import Any

from pet_dcgan.presets import (
    ALL,
    AUGMENTATIONS,
    PARTS_OF,
    PLAIN,
    PRESETS,
    require_consistent,
    require_whole,
)
from pet_dcgan.presets import (
    VOLUME as VOLUME,
)
from pet_dcgan.references import (
    NATIVE,
    RECIPE,
    REFERENCES,
    SPACES,
    require_recipe,
)
from pet_dcgan.utils.choices import (
    checked_names,
    closest,
    split_names,
    unknown_choice,
)
from pet_dcgan.utils.foreign_text import one_line, parse_object
from pet_dcgan.utils.plain_values import converted, shown

STAGES = ("NC", "MCI", "AD")
PLANES = ("axial", "coronal", "sagittal")
# all stages, and all planes of a set, of a conditional generator
ALL_STAGES = ALL_PLANES = ALL
# what a generator may be asked for beside a latent vector
CONDITIONS = ("stage", "plane", "position", "age", "sex")
# that `pet-dcgan prepare` makes
DATASETS = (
    *("axial_128", "coronal_128", "sagittal_128", "all_128"),
    *("axial_64", "all_64", "volume_64"),
)
# in place of a preset's name where something else than `train` has trained
OWN = "own"
# what is then not known: the settings, but what the network itself shows
_LEFT_OPEN = frozenset(PRESETS["paper"]) - {"channels", "latent_dim"}
# what a run shares with the prepared set that it is trained on
SET_FACTS = (
    *("size", "spacing_mm", "suvr_max", "reference", "phantom"),
    "space",
)


_SIZES = (32, 64, 128, 256)


def _among(choices: Collection[Any]) -> Any:
    """A field whose value is one of some choices."""
    return dataclasses.field(metadata={"choices": choices})


def _between(low: float, high: float) -> Any:
    """A field whose value lies in a closed interval."""
    return dataclasses.field(metadata={"limits": (low, high)})


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Everything needed to run one training again.

    Args:
        preset: Name of the preset the values started from; `"own"` where
            `train` did not train: a setting that is not known is `None` then.
        stage: `"NC"`, `"MCI"` or `"AD"`; with conditions `"ALL"`.
        plane: `"axial"`, `"coronal"` or `"sagittal"`, or `"ALL"` where the
            plane is a condition; `"volume"` for whole brains.
        dataset: Configuration of the prepared set, as `"axial_128"`.
        data_dir: Folder that holds `adni/<dataset>/<version>`.
        phantom: True where every subject of the set is a phantom.
        size: Height and width of an image in pixels: 32, 64, 128 or 256.
        spacing_mm: Millimetres per pixel.
        suvr_max: SUVR that the network's +1 stands for.
        reference: What volumes were divided by, one of `REFERENCES`.
        channels: 1, or 3 for the one channel repeated; of volumes their size,
            a channel for each axial plane.
        latent_dim: Length of a latent vector.
        width: Channels at half the image size; each halving doubles them.
        kernel_size: Side of every (transposed) convolution, in pixels.
        batch_size: Real images, and latent vectors, per step.
        epochs: Passes over the slices; with few slices a preset takes more,
            until it has its least number of steps.
        g_learning_rate: Adam's learning rate of the generator.
        d_learning_rate: Adam's learning rate of the discriminator.
        beta_1: Adam's decay of the first moment.
        beta_2: Adam's decay of the second moment.
        samples_every: Epochs between two sheets of samples.
        ema_decay: Decay of the generator's exponential moving average, which
            samples and exports then use; 0 keeps none.
        augment: How images are changed before the discriminator sees them:
            `"none"`, or some of `AUGMENTATIONS` joined by commas.
        augment_probability: Probability of each augmentation; with adaptive
            augmentation (ADA) the initial one.
        augment_target: Mean sign of the real images' logits that ADA aims at;
            0 keeps the probability fixed.
        bend_mm: SD of the smooth random bends of the training slices, in mm,
            anew in every step; 0 leaves them as they are.
        recipe: How the set's brains were placed and scaled, see `RECIPE`.
        space: `"native"`, each brain about its own centre; or the template
            that all scans of the set were registered to, one of `SPACES`.
        select_every: Epochs between two evaluations of the KID on validation
            subjects and of suspected copies; the generator with the lowest
            sum is kept. 0 keeps the last one.
        patience: Evaluations without a lower sum that end the training; 0
            trains to the last epoch.
        conditions: What one generator of all stages is asked for: some of
            `CONDITIONS` joined by commas, `stage` among them; `"none"` for a
            generator of one stage.
        transition: Whether a conditional training begins as an unconditional
            one, and becomes conditional between a quarter and a half of its
            steps; few subjects may collapse without.
        precision: `"float32"`, `"mixed_bfloat16"` or `"mixed_float16"`.
        xla: Whether XLA compiles a step: faster on some GPUs, several times
            slower on a CPU. It draws other latents from the same seed.
        deterministic: Whether ops are deterministic (slower on a GPU).
        seed: Fixes weights, latents and the order of the slices.

    Raises:
        ValueError: If a value is of the wrong kind or outside its limits.
    """

    preset: str = _among(PRESETS)
    stage: str = _among((*STAGES, ALL_STAGES))
    plane: str = _among((*PLANES, ALL_PLANES, VOLUME))
    dataset: str
    data_dir: str
    phantom: bool
    size: int = _among(_SIZES)
    spacing_mm: float = _between(0.1, 100.0)
    suvr_max: float = _between(0.1, 1000.0)
    reference: str = _among(REFERENCES)
    channels: int = _among((1, 3, *_SIZES))
    latent_dim: int = _between(1, 4096)
    width: int = _between(1, 512)
    kernel_size: int = _between(2, 9)
    batch_size: int = _between(2, 4096)
    epochs: int = _between(1, 1_000_000)
    g_learning_rate: float = _between(1e-8, 1.0)
    d_learning_rate: float = _between(1e-8, 1.0)
    beta_1: float = _between(0.0, 0.9999)
    beta_2: float = _between(0.0, 0.999999)
    samples_every: int = _between(1, 1_000_000)
    ema_decay: float = _between(0.0, 0.999999)
    augment: str
    augment_probability: float = _between(0.0, 1.0)
    augment_target: float = _between(0.0, 1.0)
    bend_mm: float = _between(0.0, 10.0)
    select_every: int = _between(0, 1_000_000)
    patience: int = _between(0, 1_000_000)
    conditions: str
    transition: bool
    precision: str = _among(("float32", "mixed_bfloat16", "mixed_float16"))
    xla: bool
    deterministic: bool
    seed: int = _between(0, 2**31 - 1)
    recipe: int = RECIPE
    space: str = dataclasses.field(default=NATIVE, metadata={"choices": SPACES})

    def __post_init__(self) -> None:
        own = self.preset == OWN
        for name, value in dataclasses.asdict(self).items():
            left_open = value is None and name in _LEFT_OPEN
            if not own or not (left_open or name == "preset"):
                object.__setattr__(self, name, checked_value(name, value))
        if not own:
            values = dataclasses.asdict(self)
            require_consistent(values)
            require_whole(values)

    @property
    def augmentations(self) -> tuple[str, ...]:
        """Names of the augmentations, none for `"none"`."""
        return () if self.augment == "none" else split_names(self.augment)

    @property
    def condition_names(self) -> tuple[str, ...]:
        """Names of the conditions, none for `"none"`."""
        return (
            ()
            if self.conditions in ("none", None)
            else split_names(self.conditions)
        )

    def to_json(self) -> str:
        """The configuration as indented JSON, in the order of the fields."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(
        cls, text: str | bytes, *, source: str = "a run's configuration"
    ) -> "TrainConfig":
        """Reads what `to_json` wrote.

        Args:
            text: A JSON object with every field and no other; options that
                an earlier version did not have are off.
            source: Where it is from, for an error.

        Raises:
            RecipeError: If the run's slices were made by another recipe.
            ValueError: If it is no JSON object, or a field is missing,
                unknown or invalid.
        """
        values = parse_object(text, source=source)
        config = _from_values(PLAIN | {"recipe": 1} | values)
        require_recipe(
            config.recipe,
            "a run on slices",
            remedy="prepare the data set again and train another run",
        )
        return config


# fields that hold names joined by commas, and the names they may have
_NAMES = {"augment": AUGMENTATIONS, "conditions": CONDITIONS}
_FIELDS = {field.name: field for field in dataclasses.fields(TrainConfig)}


def make_config(
    preset: str,
    *,
    overrides: Mapping[str, Any] | None = None,
    **facts: Any,
) -> TrainConfig:
    """A preset with facts of the data and the user's changes put in.

    Args:
        preset: Name of one of `PRESETS`.
        overrides: Fields to change, as values or as text (`{"epochs": "3"}`).
            They win over the preset; a fact of the data cannot be overridden.
        **facts: The remaining fields: `stage`, `plane`, `dataset`, `data_dir`,
            `phantom`, `size`, `spacing_mm`, `suvr_max`, `reference`, `seed`.

    Raises:
        ValueError: If the preset or a field is unknown, or a value invalid.
    """
    values = check_overrides(preset, overrides or {})
    return _from_values(values | facts | {"preset": preset})


def check_overrides(
    preset: str, overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """The values of a preset with changes made, if they can be made.

    An option that is switched off also switches off the settings that depend
    on it, unless they are among the changes; so do conditions that are asked
    for switch on their transition.

    Args:
        preset: Name of one of `PRESETS`.
        overrides: Fields to change, as values or as text.

    Raises:
        ValueError: If the preset or a field is unknown, a value invalid, or
            two contradict each other.
    """
    if preset not in PRESETS:
        raise ValueError(unknown_choice("preset", preset, PRESETS))
    unknown = sorted(set(overrides) - set(PRESETS[preset]))
    if unknown:
        raise ValueError(_unknown_settings(unknown, preset))
    own = {name: checked_value(name, v) for name, v in overrides.items()}
    off = [name for name in PARTS_OF if own.get(name) == PLAIN[name]]
    parts = {part: PLAIN[part] for name in off for part in PARTS_OF[name]}
    if own.get("conditions", "none") != "none":
        # few data collapse without, whatever the preset
        parts["transition"] = True
    values = PRESETS[preset] | parts | own
    require_consistent(values)
    return values


def _unknown_settings(names: list[str], preset: str) -> str:
    """The error for names that are no settings, by the first of them."""
    first = names[0]
    known = sorted(PRESETS[preset])
    if first in (*SET_FACTS, "recipe"):
        expected, remedy = "", "that is a fact of the set, choose its --config"
    elif first in _FIELDS:
        option = {"dataset": "config"}.get(first, first.replace("_", "-"))
        expected, remedy = "", f"it has an option, --{option}"
    else:
        expected = f" among {closest(first, known)}"
        remedy = "correct the name, see pet-dcgan train --list-settings"
    found = one_line(", ".join(names))
    return f"expected a setting{expected}, found {found}: {remedy}"


def checked_value(name: str, value: Any) -> Any:
    """The value of a field in the field's type; nothing is rounded silently.

    Args:
        name: A field of `TrainConfig`.
        value: Of the field's type, or as text.

    Raises:
        ValueError: If it is of another type, none of the field's choices (the
            closest are named), or outside its limits.
    """
    field = _FIELDS[name]
    value = converted(name, field.type, value)
    choices = field.metadata.get("choices")
    if choices and value not in choices:
        raise ValueError(unknown_choice(name, value, choices))
    low, high = field.metadata.get("limits", (value, value))
    if not low <= value <= high:
        raise ValueError(
            f"expected {name} between {low} and {high}, found {shown(value)}"
        )
    if name in _NAMES:
        checked_names(name, value, _NAMES[name])
    return _in_order(value) if name == "conditions" else value


def _in_order(conditions: str) -> str:
    """Conditions in the order of `CONDITIONS`, if the stage is one."""
    names = split_names(conditions)
    if names == ("none",):
        return conditions
    if "stage" not in names:
        raise ValueError(
            f"expected stage among the conditions, found {conditions}: write "
            f"stage,{conditions}, or train each stage by itself without"
        )
    return ",".join(name for name in CONDITIONS if name in names)


def _from_values(values: Mapping[str, Any]) -> TrainConfig:
    """A configuration from exactly its fields; some may miss."""
    missing = sorted(set(_FIELDS) - set(values) - {"recipe", "space"})
    unknown = sorted(set(values) - set(_FIELDS))
    if missing or unknown:
        raise ValueError(
            "expected the fields of a run's configuration, found missing: "
            f"{missing}, unknown: {one_line(unknown)}"
        )
    return TrainConfig(**values)
