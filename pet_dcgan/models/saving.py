"""A GAN as Keras saves it: its arguments, and those of `compile`.

Everything is a configuration of registered classes; nothing of it is code.
"""

import dataclasses
from typing import Any

import keras

from pet_dcgan.image_facts import ImageFacts

_NETWORKS = ("generator", "discriminator")
_PARTS = (*_NETWORKS, "augmenter", "bender")
_OPTIMIZERS = ("g_optimizer", "d_optimizer")


def model_config(model: keras.Model) -> dict[str, Any]:
    """The arguments that a model was made with.

    Args:
        model: A `GAN`.
    """
    facts = model.facts and dataclasses.asdict(model.facts)
    networks = {name: getattr(model, name) for name in _NETWORKS}
    return {"seed": model.seed, "facts": facts} | _serialised(networks)


def model_arguments(
    config: dict[str, Any], custom_objects: dict | None = None
) -> dict[str, Any]:
    """The arguments that a configuration describes.

    Args:
        config: From `model_config`, perhaps with a name and a dtype.
        custom_objects: Classes of the user by name.
    """
    facts = config["facts"] and ImageFacts(**config["facts"])
    parts = {
        name: keras.saving.deserialize_keras_object(
            config[name], custom_objects=custom_objects
        )
        for name in _PARTS
        if name in config
    }
    return config | parts | {"facts": facts}


def compile_config(model: keras.Model) -> dict[str, Any]:
    """The arguments that a model was compiled with.

    Args:
        model: A compiled `GAN`.

    Raises:
        ValueError: If the loss cannot be saved.
    """
    loss = model.loss_of
    if not hasattr(loss, "get_config"):
        raise ValueError(
            f"expected a loss with get_config, found {type(loss).__name__}: "
            "subclass pet_dcgan.AdversarialLoss to save the model, or save "
            "its weights alone"
        )
    optimizers = {name: getattr(model, name) for name in _OPTIMIZERS}
    parts = optimizers | {"loss": loss, "metrics": list(model.measured.members)}
    return dict(model.compile_options) | _serialised(parts)


def compile_arguments(config: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `compile` that a configuration describes.

    Args:
        config: From `compile_config`.
    """
    parts = (*_OPTIMIZERS, "loss", "metrics")
    # the optimisers are wrapped already where their loss is scaled
    return (
        config
        | {"auto_scale_loss": False}
        | {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in parts
        }
    )


def _serialised(parts: dict[str, Any]) -> dict[str, Any]:
    """Keras's configuration of each part."""
    return {
        name: keras.saving.serialize_keras_object(part)
        for name, part in parts.items()
    }
