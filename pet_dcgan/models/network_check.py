"""What is refused of two networks before they are trained together."""

import keras

from pet_dcgan.conditions import Conditions
from pet_dcgan.models.conditioned import conditions_of


def require_pair(generator: keras.Model, discriminator: keras.Model) -> None:
    """Refuses networks that cannot be trained as a pair.

    Args:
        generator: Model from latents `[n, latent_dim]` to images.
        discriminator: Model from images to logits.

    Raises:
        ValueError: If a network has no shape yet, the discriminator does not
            take the generator's images, or one ends in a sigmoid: losses are
            of logits, and images in [-1, 1].
    """
    made = _shape(generator, "generator", "output")
    _shape(generator, "generator", "input")
    taken = _shape(discriminator, "discriminator", "input")
    if isinstance(getattr(discriminator, "input", None), dict):
        taken = discriminator.input["image"].shape
    if made != taken:
        raise ValueError(
            f"expected a discriminator of the generator's images {made}, "
            f"found one of {taken}: build both of one size and channels"
        )
    require_no_sigmoid("generator", generator)
    require_no_sigmoid("discriminator", discriminator)


def require_no_sigmoid(role: str, network: keras.Model) -> None:
    """Refuses probabilities for logits, and images in [0, 1].

    Args:
        role: `"generator"` or `"discriminator"`.
        network: The network.

    Raises:
        ValueError: If it ends in a sigmoid.
    """
    last = network.layers[-1]
    if getattr(last, "activation", None) is keras.activations.sigmoid:
        wanted, remedy = {
            "generator": ("images in [-1, 1]", "end it in tanh"),
            "discriminator": ("logits", "leave it out, the losses have it"),
        }[role]
        raise ValueError(
            f"expected a {role} of {wanted}, found a sigmoid at its end: "
            f"{remedy}"
        )


def _shape(network: keras.Model, name: str, side: str) -> tuple:
    """The shape of a network's input or output."""
    try:
        return getattr(network, f"{side}_shape")
    except AttributeError:  # Keras says so where there is none
        raise ValueError(
            f"expected a {name} of known shapes, found "
            f"{type(network).__name__}, which has none: begin it with a "
            "keras.Input, and make a subclass keras.Model(inputs, "
            "network(inputs))"
        ) from None


def require_conditions(
    generator: keras.Model, discriminator: keras.Model
) -> Conditions:
    """The conditions that two networks share.

    Args:
        generator: A conditional generator.
        discriminator: A conditional discriminator.

    Raises:
        ValueError: If one has none, or others.
    """
    asked, judged = conditions_of(generator), conditions_of(discriminator)
    if asked is None or asked != judged:
        raise ValueError(
            f"expected two networks of the same conditions, found {asked} and "
            f"{judged}: build both with conditions="
        )
    return asked
