"""What to do about a training that fails, by the names of the options.

The learning rates advised are those of the robust preset: with them every
training of docs/training-curves.md whose settings were sound came to be
healthy, and with each of the failing rates there it was not.
"""

from pet_dcgan.config import AUGMENTATIONS, TrainConfig
from pet_dcgan.presets import PRESETS

_STEADY = "robust"
_RATES = {
    name: PRESETS[_STEADY][name]
    for name in ("g_learning_rate", "d_learning_rate")
}
_NEAR = 2.0
_BETA_1 = 0.5
_SHORT = 16


def against_imbalance(config: TrainConfig) -> str:
    """What lets both networks learn, whichever has won or stands still."""
    return _advice(config, _balance(config))


def against_sameness(config: TrainConfig) -> str:
    """What makes a generator's images differ."""
    options = []
    if config.latent_dim < _SHORT:
        options.append("--set latent_dim=100")
    if config.beta_1 > _BETA_1:
        options.append(f"--set beta_1={_BETA_1}")
    return _advice(config, options + _balance(config))


def against_copies(config: TrainConfig) -> str:
    """What keeps a generator from copying what it trained on."""
    options = [f"more subjects than {config.stage} has here"]
    if not config.patience:
        every = config.select_every or 5
        options.append(
            f"--set select_every={every} --set patience=4 (which keeps the "
            "best generator and ends the training)"
        )
    return _advice(config, options + _augmentation(config))


def against_divergence() -> str:
    """What keeps losses and weights finite."""
    return (
        "train under another --run with lower --set g_learning_rate= and "
        "--set d_learning_rate="
    )


def _advice(config: TrainConfig, options: list[str]) -> str:
    if config.preset != _STEADY:
        options = [f"--preset {_STEADY}", *options]
    return f"train under another --run with {', or '.join(options)}"


def _balance(config: TrainConfig) -> list[str]:
    """Rates that are known to do; where they are, what else steadies."""
    own = {name: getattr(config, name) for name in _RATES}
    far = any(
        not 1 / _NEAR < own[name] / rate < _NEAR
        for name, rate in _RATES.items()
    )
    if far:
        return [_set(_RATES)]
    lower = _set({name: rate / 2 for name, rate in own.items()})
    return [*_augmentation(config), lower]


def _augmentation(config: TrainConfig) -> list[str]:
    if config.augmentations:
        return []
    names = ",".join(AUGMENTATIONS)
    return [f"--set augment={names} --set augment_target=0.6"]


def _set(values: dict[str, float]) -> str:
    return " ".join(f"--set {name}={v:.2g}" for name, v in values.items())
