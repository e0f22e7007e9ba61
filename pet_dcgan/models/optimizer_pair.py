"""The two optimisers, as callbacks made for one see them."""

from collections.abc import Iterable

import keras

from pet_dcgan.models.optimization import paper_adam
from pet_dcgan.models.own_networks import layers_of


class OptimizerPair:
    """What `DCGAN.optimizer` is: the generator's optimiser and the other.

    `keras.callbacks.LearningRateScheduler` and `ReduceLROnPlateau` read and
    set `model.optimizer.learning_rate`. Here that is the generator's rate, and
    setting it multiplies the discriminator's by the same factor, so that the
    ratio of the two stays.

    Args:
        generator: The generator's optimiser.
        discriminator: The discriminator's optimiser.
    """

    built = True

    def __init__(
        self,
        generator: keras.optimizers.Optimizer,
        discriminator: keras.optimizers.Optimizer,
    ) -> None:
        self.generator = generator
        self.discriminator = discriminator

    @property
    def iterations(self) -> keras.Variable:
        """Steps of the generator's optimiser."""
        return self.generator.iterations

    @property
    def learning_rate(self) -> keras.Variable:
        """The generator's learning rate."""
        return self.generator.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        """Sets the generator's rate, and the discriminator's in proportion.

        Raises:
            ValueError: If it is not above 0.
        """
        value = float(value)
        if not value > 0:
            raise ValueError(
                f"expected a learning rate above 0, found {value}: change "
                "the schedule"
            )
        before = rate_of(self.generator)
        if not before > 0:
            raise ValueError(
                f"expected a generator's rate above 0, found {before}: its "
                "ratio to the discriminator's cannot be kept, use "
                "pet_dcgan.ForOptimizer"
            )
        factor = value / before
        self.generator.learning_rate = value
        self.discriminator.learning_rate = rate_of(self.discriminator) * factor

    @property
    def use_ema(self) -> bool:
        """Refuses `keras.callbacks.SwapEMAWeights`, the one that asks.

        Raises:
            ValueError: Always, with what to use instead.
        """
        raise ValueError(
            "expected SwapEMAWeights for one of two optimisers, found it for "
            "both: write pet_dcgan.ForOptimizer('generator', SwapEMAWeights())"
        )

    @property
    def variables(self) -> list[keras.Variable]:
        """Refuses `get_state_tree`, and `OrbaxCheckpoint`, which calls it.

        Raises:
            ValueError: Always, with what to use instead.
        """
        raise ValueError(
            "expected a way to save two optimisers, found a tree of one, as "
            "OrbaxCheckpoint writes it: use ModelCheckpoint or model.save"
        )

    def get_config(self) -> dict:
        """Refuses files that hold one optimiser, as Keras's HDF5 files do.

        Raises:
            ValueError: Always, with what to use instead.
        """
        raise ValueError(
            "expected a file that holds two optimisers, found an HDF5 file: "
            "write model.save('model.keras')"
        )

    def build(self, *networks: keras.Model) -> None:
        """Makes the state of both optimisers.

        Args:
            *networks: The generator and the discriminator.

        Raises:
            ValueError: If nothing of a network is to be trained.
        """
        pair = self.generator, self.discriminator
        for optimizer, network in zip(pair, networks, strict=True):
            if not network.trainable_variables:
                raise ValueError(
                    f"expected variables to train in {network.name!r}, found "
                    "none: set trainable = True, at least for one layer"
                )
            optimizer.build(network.trainable_variables)

    def finish(self, *networks: keras.Model) -> None:
        """Ends a `fit`: averages that optimisers keep become the weights.

        Keras does that for the optimisers of its own models, where they are
        made with `use_ema=True`.

        Args:
            *networks: The generator and the discriminator.
        """
        pair = self.generator, self.discriminator
        for optimizer, network in zip(pair, networks, strict=True):
            optimizer.finalize_variable_values(network.trainable_variables)


def require_separate(
    generator: keras.optimizers.Optimizer,
    discriminator: keras.optimizers.Optimizer,
    *,
    own: OptimizerPair | None = None,
) -> None:
    """Refuses optimisers that more than one network would use.

    Args:
        generator: The generator's.
        discriminator: The discriminator's.
        own: Those that the model has been compiled with, which it may keep.

    Raises:
        ValueError: If both are one, or another network has used one.
    """
    if generator is discriminator:
        raise ValueError(
            "expected an optimiser for each network, found one for both: "
            "make a second one"
        )
    kept = (own.generator, own.discriminator) if own else (None, None)
    for optimizer, before in zip((generator, discriminator), kept, strict=True):
        if optimizer.built and optimizer is not before:
            raise ValueError(
                "expected an optimiser that no network has used, found "
                f"{optimizer.name!r} of another: make a second one"
            )


def as_optimizer(
    optimizer: keras.optimizers.Optimizer | str | dict | None,
    *,
    scaled_for: Iterable[keras.Model] = (),
) -> keras.optimizers.Optimizer:
    """An optimiser from what `compile` was given.

    Args:
        optimizer: One, its name as `"adam"`, its configuration, or `None` for
            the paper's.
        scaled_for: Networks; with layers that compute in float16, which holds
            nothing below 6e-8, the loss is scaled.

    Raises:
        ValueError: If Keras has no optimiser of that name.
    """
    try:
        found = keras.optimizers.get(optimizer or paper_adam())
    except ValueError:
        raise ValueError(
            "expected an optimiser, its name or its configuration, found "
            f"{optimizer!r}: pass for instance keras.optimizers.Adam(1e-4)"
        ) from None
    halved = any(
        layer.compute_dtype == "float16"
        for network in scaled_for
        for layer in layers_of(network)
    )
    if halved and not isinstance(found, keras.optimizers.LossScaleOptimizer):
        found = keras.optimizers.LossScaleOptimizer(found)
    return found


def rate_of(optimizer: keras.optimizers.Optimizer) -> float:
    """The learning rate, also where replicas share it.

    Args:
        optimizer: Any.
    """
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))
