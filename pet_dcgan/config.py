"""The configuration of a training run, and the limits of each value."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pet_dcgan.limits import (
    ALL_STAGES,
    AUGMENTATIONS,
    PLANES,
    PRECISIONS,
    STAGES,
    names_in,
    nearest,
    of_kind,
    require_sense,
    within_limits,
)
from pet_dcgan.presets import PARTS_OF, PLAIN, PRESETS

__all__ = [
    "ALL_STAGES",
    "AUGMENTATIONS",
    "PLANES",
    "PRECISIONS",
    "PRESETS",
    "STAGES",
    "TrainConfig",
    "check_overrides",
    "make_config",
    "parse_overrides",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Everything needed to run one training again.

    Args:
        preset: Name of the preset the values started from.
        stage: `"NC"`, `"MCI"` or `"AD"`, or `"ALL"` for all of them.
        plane: `"axial"`, `"coronal"` or `"sagittal"`.
        dataset: Configuration of the prepared set, as `"axial_128"`.
        data_dir: Folder that holds `adni/<dataset>/<version>`.
        phantom: True where every subject of the set is a phantom.
        size: Height and width of an image in pixels: 32, 64, 128 or 256.
        spacing_mm: Millimetres per pixel.
        suvr_max: SUVR that the network's +1 stands for.
        channels: 1, or 3 for the one channel repeated.
        latent_dim: Length of a latent vector.
        width: Channels of the widest-resolution hidden layer.
        kernel_size: Side of every (transposed) convolution, in pixels.
        batch_size: Real images, and latent vectors, a step.
        epochs: Passes over the slices.
        g_learning_rate: Adam's learning rate of the generator.
        d_learning_rate: Adam's learning rate of the discriminator.
        beta_1: Adam's decay of the first moment.
        beta_2: Adam's decay of the second moment.
        samples_every: Epochs between two sheets of samples.
        ema_decay: Share of the generator's running average that a step keeps;
            0 keeps no average. Samples and exports are then of the average.
        augment: `"none"`, or names of `AUGMENTATIONS` joined by commas: what
            is done to real and generated images before the discriminator.
        augment_probability: Probability of each augmentation, where adaptive
            the first one.
        augment_target: Share of real images called real, as the mean sign of
            their logits, that the probability is steered to; 0 keeps it.
        label_smoothing: What the label of real images falls short of 1.
        r1_weight: Weight (gamma) of the R1 penalty on real images; 0 is none.
        r1_every: Steps between two R1 penalties, each weighted by it.
        spectral_norm: Whether the discriminator's kernels are divided by
            their largest singular value, in place of batch normalisation.
        warm_start: Run folder whose networks a training starts from, or "".
        select_every: Epochs between two looks at the KID on validation
            subjects, whose best generator is kept; 0 keeps the last one.
        patience: Looks without a better KID before the training ends; 0 goes
            on to the last epoch.
        precision: `"float32"`, `"mixed_bfloat16"` or `"mixed_float16"`.
        xla: Whether a step is compiled by XLA, which helps on some GPUs and
            makes a CPU several times slower; it draws other latents from the
            same seed.
        deterministic: Whether every operation must give the same bits again,
            which costs speed on a GPU.
        seed: Fixes weights, latents and the order of the slices.

    Raises:
        ValueError: If a value is of the wrong kind or outside its limits.
    """

    preset: str
    stage: str
    plane: str
    dataset: str
    data_dir: str
    phantom: bool
    size: int
    spacing_mm: float
    suvr_max: float
    channels: int
    latent_dim: int
    width: int
    kernel_size: int
    batch_size: int
    epochs: int
    g_learning_rate: float
    d_learning_rate: float
    beta_1: float
    beta_2: float
    samples_every: int
    ema_decay: float
    augment: str
    augment_probability: float
    augment_target: float
    label_smoothing: float
    r1_weight: float
    r1_every: int
    spectral_norm: bool
    select_every: int
    patience: int
    precision: str
    xla: bool
    deterministic: bool
    seed: int
    warm_start: str = ""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = of_kind(field.name, field.type, getattr(self, field.name))
            within_limits(field.name, value)
            object.__setattr__(self, field.name, value)
        require_sense(dataclasses.asdict(self))

    @property
    def augmentations(self) -> tuple[str, ...]:
        """The augmentations by name, none where there is none."""
        return () if self.augment == "none" else names_in(self.augment)

    def to_json(self) -> str:
        """The configuration as indented JSON, in the order of the fields."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "TrainConfig":
        """Reads what `to_json` wrote.

        Args:
            text: A JSON object with every field and no other; options that
                a run of an earlier version did not know are off.

        Raises:
            ValueError: If it is no JSON object, or a field is missing,
                unknown or invalid.
        """
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(
                f"expected a run's configuration as JSON, found: {error}"
            ) from error
        if not isinstance(values, dict):
            raise ValueError(
                "expected a run's configuration as a JSON object, found "
                f"{type(values).__name__}"
            )
        return _from_values(PLAIN | values)


_KINDS = {f.name: f.type for f in dataclasses.fields(TrainConfig)}


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
            `phantom`, `size`, `spacing_mm`, `suvr_max`, `seed`, and
            `warm_start` if there is one.

    Raises:
        ValueError: If the preset or a field is unknown, or a value invalid.
    """
    values = _with_overrides(preset, overrides or {})
    return _from_values(values | facts, preset=preset)


def check_overrides(preset: str, overrides: Mapping[str, Any]) -> None:
    """Refuses changes to a preset that cannot be made.

    Args:
        preset: Name of one of `PRESETS`.
        overrides: Fields to change, as values or as text.

    Raises:
        ValueError: If the preset or a field is unknown, a value invalid, or
            two contradict each other.
    """
    _with_overrides(preset, overrides)


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


def _with_overrides(
    preset: str, overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """A preset's values with others in their place.

    What is switched off takes what belongs to it along, unless that is asked
    for.
    """
    within_limits("preset", preset)
    allowed = sorted(PRESETS[preset])
    unknown = sorted(set(overrides) - set(allowed))
    if unknown:
        raise ValueError(
            f"expected a setting among {nearest(unknown[0], allowed)}, found "
            f"{', '.join(unknown)}: correct the name after --set"
        )
    own = {n: of_kind(n, _KINDS[n], value) for n, value in overrides.items()}
    for name, value in own.items():
        within_limits(name, value)
    off = [n for n in PARTS_OF if own.get(n) == PLAIN[n]]
    parts = {part: PLAIN[part] for name in off for part in PARTS_OF[name]}
    values = PRESETS[preset] | parts | own
    require_sense(values)
    return values


def _from_values(values: Mapping[str, Any], **more: Any) -> TrainConfig:
    values = dict(values) | more
    missing = sorted(set(_KINDS) - set(values) - {"warm_start"})
    unknown = sorted(set(values) - set(_KINDS))
    if missing or unknown:
        raise ValueError(
            "expected the fields of a run's configuration, found missing: "
            f"{missing}, unknown: {unknown}"
        )
    return TrainConfig(**values)
