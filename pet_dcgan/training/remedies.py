"""Options that help against each state of a failing training.

The learning rates advised are those of the presets `robust` and `conditional`:
every training there whose settings were sensible became healthy with them, and
none did with the failing rates (docs/training-curves.md).
"""

from pet_dcgan.config import ALL_STAGES, AUGMENTATIONS, TrainConfig
from pet_dcgan.presets import FEW_COPIES_BEND_MM, PRESETS

_RATES = ("g_learning_rate", "d_learning_rate")


def joined(options: list[str], config: TrainConfig) -> str:
    """Joins options into one line, after the preset that trains best.

    Args:
        options: What helps, each by itself.
        config: Of the training.
    """
    if config.preset != _preset(config):
        options = [f"--preset {_preset(config)}", *options]
    return f"train under another --run with {', or '.join(options)}"


def balance(config: TrainConfig) -> list[str]:
    """Learning rates that work; where they are set, what else steadies.

    Args:
        config: Of the training.
    """
    preset = {name: PRESETS[_preset(config)][name] for name in _RATES}
    own = {name: getattr(config, name) for name in _RATES}
    if not all(0.5 < own[n] / preset[n] < 2 for n in _RATES):
        return [_set_options(preset)]
    halved = {name: rate / 2 for name, rate in own.items()}
    return [*_augmentation(config), _set_options(halved)]


def variety(config: TrainConfig) -> list[str]:
    """Options that make generated images differ.

    Args:
        config: Of the training.
    """
    options = []
    if config.latent_dim < 16:
        options.append("--set latent_dim=100")
    if config.beta_1 > 0.5:
        options.append("--set beta_1=0.5")
    return options + balance(config)


def novelty(config: TrainConfig) -> list[str]:
    """Options that keep a generator from copying training images.

    Args:
        config: Of the training.
    """
    whose = "the set" if config.stage == ALL_STAGES else config.stage
    options = [f"more subjects than {whose} has here"]
    if not config.patience:
        options.append(
            f"--set select_every={config.select_every or 5} --set patience=4 "
            "(which keeps the best generator and ends the training)"
        )
    return options + _bends(config) + _augmentation(config)


def variety_within_conditions(config: TrainConfig) -> list[str]:
    """Options that make images of one condition differ.

    Args:
        config: Of a conditional training.
    """
    slower = {"g_learning_rate": config.g_learning_rate / 2}
    return [
        *_transition(config),
        *_bends(config),
        _set_options(slower),
        *_fewer_conditions(config),
    ]


def obedience(config: TrainConfig) -> list[str]:
    """Options that make conditions count.

    Args:
        config: Of a conditional training.
    """
    longer = f"--epochs {2 * config.epochs}"
    return [longer, *_transition(config), *_fewer_conditions(config)]


def _preset(config: TrainConfig) -> str:
    """The preset that trains best, of such a generator."""
    return "conditional" if config.condition_names else "robust"


def _augmentation(config: TrainConfig) -> list[str]:
    """Adaptive augmentation, unless images are augmented already."""
    if config.augmentations:
        return []
    return [f"--set augment={','.join(AUGMENTATIONS)} --set augment_target=0.6"]


def _bends(config: TrainConfig) -> list[str]:
    """Bends as strong as help against copies, unless they are."""
    if config.bend_mm >= FEW_COPIES_BEND_MM:
        return []
    return [f"--set bend_mm={FEW_COPIES_BEND_MM}"]


def _transition(config: TrainConfig) -> list[str]:
    """The transition, unless it is on."""
    return [] if config.transition else ["--set transition=true"]


def _fewer_conditions(config: TrainConfig) -> list[str]:
    """All conditions but the last, unless there is one."""
    names = config.condition_names[:-1]
    return [f"--conditions {','.join(names)}"] if names else []


def _set_options(values: dict[str, float]) -> str:
    """Values as `--set` options."""
    return " ".join(f"--set {name}={v:.2g}" for name, v in values.items())
