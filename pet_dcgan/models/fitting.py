"""What `DCGAN.fit` and `evaluate` pass on to Keras, and what they refuse."""

import dataclasses
import inspect
import itertools
import os
import types
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from pet_dcgan.data.batches import (
    ordered_batches,
    slice_batches,
    whole_batches,
)
from pet_dcgan.data.leakage import require_disjoint
from pet_dcgan.data.real_images import (
    first_images,
    images_of,
    in_unit_scale,
    require_model_scale,
)
from pet_dcgan.data.slices import Slices
from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.models.monitors import watching
from pet_dcgan.models.tissue_mean import adapt_tissue_mean

_BATCH = 32  # as in Keras
# options of keras.Model.compile that two networks have no use for
_REFUSED = {
    "optimizer": "each network has its own: give g_optimizer= and d_optimizer=",
    "loss_weights": "each loss has its own optimiser: change learning rates",
    "weighted_metrics": "images have no weights: give metrics=",
}
# what Keras itself can shuffle, beside arrays
_SHUFFLED = (tuple, dict, keras.utils.PyDataset, Slices)
_WEIGHTS = ("class_weight", "sample_weight")
# options of fit that slices leave no choice of
_FIXED_BY_SLICES = {
    "validation_split": "its images would be of subjects trained on: give "
    "validation_data=, such as pet_dcgan.load_validation_slices(config)",
    "steps_per_epoch": "slices are trained on in whole epochs: give epochs=",
}


def require_known(options: dict[str, Any]) -> None:
    """Refuses options of `compile` that make no sense here.

    Args:
        options: Those that `DCGAN.compile` does not have.

    Raises:
        TypeError: If Keras does not have one of them either.
        ValueError: If one would have no effect.
    """
    for name in options:
        if name not in _REFUSED:
            raise TypeError(
                f"expected options of DCGAN.compile, found {name!r}: see "
                "help(pet_dcgan.DCGAN.compile)"
            )
        raise ValueError(f"expected no {name}: {_REFUSED[name]}")


def with_xla_chosen(options: dict[str, Any]) -> dict[str, Any]:
    """Options of `compile` with `jit_compile` as Keras takes it.

    Args:
        options: With `None` where XLA is used on a GPU alone.
    """
    if options["jit_compile"] is not None:
        return options
    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    return options | {"jit_compile": "auto" if has_gpu else False}


def fit_arguments(
    model: keras.Model, x: Any, args: tuple, options: dict[str, Any]
) -> dict[str, Any]:
    """The arguments of `keras.Model.fit`, after a look at the first images.

    Args:
        model: The `DCGAN`.
        x: What to train on.
        args: Further arguments without a name.
        options: Arguments by name.

    Raises:
        DataLeakageError: If slices to train on and to validate with share a
            subject.
        ValueError: If the images have another scale, slices other facts, or a
            callback waits for a value that this model does not log.
    """
    bound = _bound(keras.Model.fit, model, x, args, options)
    _require_usable(x, bound)
    bound["x"] = _looked_at(x)
    if not (hasattr(x, "shape") or isinstance(x, _SHUFFLED)):
        # Keras warns where it cannot shuffle, and shuffles by default
        bound.setdefault("shuffle", False)
    held_out = bound.get("validation_data")
    size = bound.get("batch_size") or _BATCH
    if isinstance(held_out, Slices):
        _require_held_out(model, x, held_out)
    if isinstance(x, Slices):
        _require_facts(model.facts, x.facts)
        adapt_tissue_mean(x, model.generator, model.sampler_network)
        bound |= _of_slices(model, x, bound, size)
    if isinstance(held_out, Slices):
        model.measured_by |= set(held_out.subjects.tolist())
        size = bound.pop("validation_batch_size", None) or size
        bound["validation_data"] = ordered_batches(
            held_out, size, conditions=getattr(model, "conditions", None)
        )
    elif held_out is not None:
        bound["validation_data"] = _looked_at(held_out)
    if held_out is not None or bound.get("validation_split"):
        _adapt(model, x)
        _adapt(model, held_out)
    members = model.measured.members
    bound["callbacks"] = watching(bound.get("callbacks"), members)
    if isinstance(x, Slices):  # what was refused was not trained on
        model.facts = x.facts
        model.subjects |= set(x.subjects.tolist())
    return bound


def evaluate_arguments(
    model: keras.Model, x: Any, args: tuple, options: dict[str, Any]
) -> dict[str, Any]:
    """The arguments of `keras.Model.evaluate`, after a look at the images.

    Args:
        model: The `DCGAN`.
        x: What to measure.
        args: Further arguments without a name.
        options: Arguments by name.

    Raises:
        ValueError: If the images have another scale, slices other facts but
            for the stage, or there are weights.
    """
    # a validation inside fit, which has looked at them
    if "_use_cached_eval_dataset" in options:
        return {"x": x, **options}
    bound = _bound(keras.Model.evaluate, model, x, args, options)
    _require_usable(x, bound)
    bound["x"] = _looked_at(x)
    _adapt(model, x)
    if isinstance(x, Slices):
        _require_scale(model.facts, x.facts)
        size = bound.pop("batch_size", None) or _BATCH
        bound["x"] = ordered_batches(
            x, size, conditions=getattr(model, "conditions", None)
        )
    return bound


def _require_usable(x: Any, bound: dict[str, Any]) -> None:
    """Refuses options without effect, and data that Keras takes otherwise."""
    for name in _WEIGHTS:
        if bound.get(name) is not None:
            raise ValueError(
                f"expected no {name}: images count equally, leave it out"
            )
    if isinstance(x, list):
        raise ValueError(
            f"expected images in one array, found a list of {len(x)}: pass "
            "numpy.stack(images)"
        )
    if isinstance(x, str | os.PathLike):
        raise ValueError(
            f"expected images, found the path {os.fspath(x)!r}: read them "
            "first, as pet_dcgan.load_training_slices does"
        )
    for name, reason in _FIXED_BY_SLICES.items():
        if isinstance(x, Slices) and bound.get(name):
            raise ValueError(f"expected no {name} with Slices: {reason}")


def _bound(method: Any, model: Any, x: Any, args: tuple, options: dict) -> dict:
    """Arguments by name."""
    arguments = inspect.signature(method).bind(model, x, *args, **options)
    named = {**arguments.arguments, **arguments.kwargs}
    return {k: v for k, v in named.items() if k not in ("self", "kwargs")}


def _looked_at(data: Any) -> Any:
    """The same data, if its first images are on the model's scale."""
    if isinstance(data, types.GeneratorType):
        return _looked_at_first(data)
    require_model_scale(first_images(data))
    return data


def _looked_at_first(batches: Iterator) -> Iterator:
    """What a generator yields, after a look at the first batch."""
    first = next(batches)
    require_model_scale(images_of(first))

    def again() -> Iterator:
        for batch in itertools.chain([first], batches):
            # Keras takes tuples alone
            yield batch if isinstance(batch, tuple) else (batch,)

    return again()


def _of_slices(
    model: keras.Model,
    slices: Slices,
    bound: dict[str, Any],
    batch_size: int,
) -> dict[str, Any]:
    """Arguments that train on slices, in the order of `train`."""
    batches = slice_batches(
        slices,
        conditions=getattr(model, "conditions", None),
        batch_size=batch_size,
        epochs=bound.get("epochs", 1),
        seed=model.seed,
        channels=model.image_shape[-1],
        first_epoch=bound.get("initial_epoch", 0),
    )
    return {
        "x": batches,
        "batch_size": None,
        "steps_per_epoch": whole_batches(slices, batch_size),
        "shuffle": False,  # the batches have their order
    }


def _require_held_out(model: keras.Model, x: Any, held_out: Slices) -> None:
    """Refuses to validate with who is trained on, and on another scale."""
    facts, subjects = model.facts, model.subjects
    if isinstance(x, Slices):
        facts, subjects = x.facts, subjects | set(x.subjects.tolist())
    require_disjoint(subjects, held_out.subjects)
    _require_scale(facts, held_out.facts)


def _require_scale(known: ImageFacts | None, found: ImageFacts) -> None:
    """Refuses pixels of another meaning; another stage may be measured."""
    if known is not None:
        _require_facts(known, dataclasses.replace(found, stage=known.stage))


def _require_facts(known: ImageFacts | None, found: ImageFacts) -> None:
    """Refuses images that mean something else than a model's."""
    if known not in (None, found):
        raise ValueError(
            f"expected slices of {known}, found {found}: build another model "
            "for them"
        )


def _adapt(model: keras.Model, data: Any) -> None:
    """Fits metrics that whiten features to some images, if there are any."""
    if data is not None and model.measured.adaptable():
        model.measured.adapt(in_unit_scale(first_images(data)))
