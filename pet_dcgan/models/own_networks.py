"""Networks of a user's own in the place of ours, checked before a training."""

from collections.abc import Callable, Iterable

import keras

from pet_dcgan.config import TrainConfig
from pet_dcgan.models.conditioned import conditions_of, latent_length
from pet_dcgan.models.network_check import require_no_sigmoid

ROLES = ("generator", "discriminator")
# a network, or what makes one of the configuration
Network = keras.Model | Callable[[TrainConfig], keras.Model]
_FLOAT = "float32"


def own_networks(
    config: TrainConfig,
    *,
    generator: Network | None = None,
    discriminator: Network | None = None,
) -> dict[str, keras.Model]:
    """The user's networks by role, if they fit a configuration.

    Args:
        config: Size, channels, length of a latent vector, precision.
        generator: From latents to images in [-1, 1]; ours if `None`.
        discriminator: From images to logits; ours if `None`.

    Raises:
        TypeError: If one is neither a network nor a function that makes one.
        ValueError: If one has other shapes, another precision, or ends in
            something else than such images or logits; or there is one where
            the configuration, or the network itself, has conditions.
    """
    given = {"generator": generator, "discriminator": discriminator}
    found = {n: _made(n, x, config) for n, x in given.items() if x is not None}
    if found and config.condition_names:
        raise ValueError(
            f"expected no {min(found)}= with conditions, found one: build both "
            "networks with conditions= and call ConditionalDCGAN.fit"
        )
    for role, network in found.items():
        if conditions_of(network) is not None:
            raise ValueError(
                f"expected a {role} without conditions, found one of "
                f"{', '.join(conditions_of(network).names)}: train it with "
                "ConditionalDCGAN.fit, or leave it out and name conditions"
            )
        require_shapes(role, network, config)
        _require_precision(role, network, config)
        require_no_sigmoid(role, network)
    return found


def require_shapes(
    role: str, network: keras.Model, config: TrainConfig
) -> None:
    """Refuses a network of other shapes than those of a configuration.

    Args:
        role: One of `ROLES`.
        network: The network.
        config: Size, channels and length of a latent vector.

    Raises:
        ValueError: If it has, or is neither functional nor Sequential.
    """
    images = (None, config.size, config.size, config.channels)
    wanted = {
        "generator": ((None, config.latent_dim), images),
        "discriminator": (images, (None, 1)),
    }[role]
    if role == "generator" and conditions_of(network) is not None:
        found = (None, latent_length(network)), network.output_shape
    else:
        found = _shapes(role, network)
    if found != wanted:
        raise ValueError(
            f"expected a {role} from {wanted[0]} to {wanted[1]}, found one "
            f"from {found[0]} to {found[1]}: build it with size, channels and "
            "latent_dim of the configuration"
        )


def _made(role: str, given: Network, config: TrainConfig) -> keras.Model:
    """The network that was given, or that is made by what was given."""
    network = given
    if not isinstance(given, keras.Model) and callable(given):
        network = given(config)
    if not isinstance(network, keras.Model):
        raise TypeError(
            f"expected {role}= to be a Keras model, or a function of the "
            f"configuration that returns one, found {type(network).__name__}"
        )
    return network


def _shapes(role: str, network: keras.Model) -> tuple[tuple, tuple]:
    """Shapes of a network's one input and one output."""
    ends = getattr(network, "inputs", None), getattr(network, "outputs", None)
    if not all(isinstance(end, list) and len(end) == 1 for end in ends):
        raise ValueError(
            f"expected a functional or Sequential {role} of one keras.Input "
            f"and one output, found {type(network).__name__} without: build "
            "it as keras.Model(inputs, outputs)"
        )
    return tuple(end[0].shape for end in ends)


def _require_precision(
    role: str, network: keras.Model, config: TrainConfig
) -> None:
    """Refuses layers of another precision than `config.json` will state."""
    found = {
        layer.dtype_policy.name
        for layer in layers_of(network)
        if layer.count_params()
    }
    wanted = {config.precision}
    if found - wanted - {_FLOAT} or not found & wanted:
        raise ValueError(
            f"expected a {role} whose layers compute in {config.precision}, "
            f"found {', '.join(sorted(found)) or 'none'}: build them with "
            "dtype=config.precision, or change precision"
        )
    kinds = {weight.dtype for weight in network.weights} - {_FLOAT}
    if kinds:
        raise ValueError(
            f"expected a {role} of weights in {_FLOAT}, found "
            f"{', '.join(sorted(kinds))}: keep what is counted elsewhere"
        )
    last = network.outputs[0].dtype
    if last != _FLOAT:
        raise ValueError(
            f"expected a {role} that ends in {_FLOAT}, found {last}: give its "
            f'last layer dtype="{_FLOAT}"'
        )


def layers_of(network: keras.Model) -> Iterable[keras.layers.Layer]:
    """The layers of a network and of the networks in it.

    Args:
        network: Functional or Sequential.
    """
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)
        else:
            yield layer
