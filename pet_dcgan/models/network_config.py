"""The architecture of a network as data, and the network built from it.

Keras describes a network as JSON: classes by name, with their arguments. What
such a text may name, and how much it may ask for, is checked here before Keras
reads it, since it may come from somebody else. No module is imported that it
names, and no code in it is run.
"""

import copy
import json
import math
import warnings
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from pet_dcgan.models.network_classes import (
    is_known_class,
    is_known_function,
)
from pet_dcgan.utils.foreign_text import fault, one_line
from pet_dcgan.utils.keras_settings import keras_defaults

MOST_BYTES = 2**20  # of a description, as JSON
_MOST_WEIGHTS = 2**30
_DEEPEST = 60
_LARGEST = 2**24  # numbers that a layer may make of one image
# of layers, where networks within networks are called more than once
_MOST_CALLS = 10_000
_FIELDS = {
    *("module", "class_name", "config", "registered_name"),
    *("build_config", "compile_config", "name", "inbound_nodes"),
}
_TENSOR = "__keras_tensor__"
# where a description names its layers
_NAMING = ("name", "keras_history", "input_layers", "output_layers")


def describe(network: keras.Model) -> dict[str, Any]:
    """What a network is built from, as JSON, without its weights.

    Args:
        network: Functional or Sequential, of Keras's own layers or of
            registered ones.

    Raises:
        ValueError: If it cannot be rebuilt from such a description.
    """
    try:
        config = keras.saving.serialize_keras_object(network)
        text = json.dumps(_uncompiled(config), allow_nan=False)
    except Exception as error:  # of a layer without get_config, as anything
        raise ValueError(
            "expected a network that Keras can describe, found "
            f"{fault(error)}: give its layers a get_config"
        ) from error
    if len(text) > MOST_BYTES:
        raise ValueError(
            f"expected a network described in {MOST_BYTES:,} bytes, found "
            f"{len(text):,}: make it of fewer layers"
        )
    description = json.loads(text)
    _require_known(description, 0)
    return description


@keras_defaults()
def rebuild(
    description: dict[str, Any], *, most: int = _MOST_WEIGHTS
) -> keras.Model:
    """Builds a network from its description, with new weights.

    Args:
        description: From `describe`, perhaps of a file that was changed.
        most: Numbers that its weights may be.

    Raises:
        ValueError: If it is none, names a class that is not known, or asks
            for too much.
    """
    _require_known(description, 0)
    if _calls(description) > _MOST_CALLS:
        raise ValueError(
            f"expected a network that calls {_MOST_CALLS:,} layers, found one "
            "that calls more: restore it"
        )
    bounded = _Bounded(most)
    try:
        with tf.variable_creator_scope(bounded), warnings.catch_warnings():
            # of layers as the user has chosen them
            warnings.simplefilter("ignore")
            network = _deserialised(description)
        largest = _largest(network)
    except Exception as error:  # Keras reports damage as anything
        found = "one that Keras cannot build: restore it, or let get_config "
        found += "of every layer return all that its class is made with"
        if bounded.left < 0:
            found = "more weights than its file holds: restore both"
        raise ValueError(
            f"expected the description of a network, found {found}"
        ) from error
    if largest > _LARGEST:
        raise ValueError(
            "expected layers that make images, found one that makes "
            f"{largest:,} numbers of an image: restore it"
        )
    return network


def copied(network: keras.Model, description: dict[str, Any]) -> keras.Model:
    """A second network of the same weights, made from a description.

    Args:
        network: The first.
        description: Of the first, from `describe`.
    """
    second = rebuild(description)
    for own, other in zip(second.variables, network.variables, strict=True):
        own.assign(other)
    return second


def is_same_architecture(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two descriptions differ in nothing but the names of layers.

    Keras numbers the names of layers through a process, so the same code
    gives other ones when it is called again.

    Args:
        one: From `describe`.
        other: From `describe`.
    """
    try:
        return _numbered(one, {}) == _numbered(other, {})
    except RecursionError:  # of a file, which nothing has checked yet
        return False


def _uncompiled(value: Any) -> Any:
    """A description without what networks in it were compiled with."""
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if k != "compile_config"}
        return {name: _uncompiled(each) for name, each in kept.items()}
    if isinstance(value, list | tuple):
        return [_uncompiled(each) for each in value]
    return value


def _require_known(value: Any, depth: int) -> None:
    """Refuses what Keras must not be given to read."""
    if depth > _DEEPEST:
        raise ValueError(
            "expected a network, found layers without end: restore it"
        )
    if isinstance(value, dict):
        if "class_name" in value:
            _require_known_object(value)
        for each in value.values():
            _require_known(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _require_known(each, depth + 1)


def _require_known_object(value: dict[str, Any]) -> None:
    """Refuses an object of a class or a function that is not known."""
    module, name = value.get("module"), value["class_name"]
    fields = set(value)
    if name == _TENSOR and fields == {"class_name", "config"}:
        return
    # without a module Keras would read it as an older format
    whole = {"module", "config"} <= fields <= _FIELDS
    if name == "function":
        shown = value.get("config")
        known = whole and is_known_function(module, shown)
    else:
        shown = value.get("registered_name") or name
        known = whole and is_known_class(
            # where Keras looks it up
            module,
            name,
            value.get("registered_name", name),
        )
    if value.get("compile_config") or not known:
        raise ValueError(
            "expected layers of Keras that only compute, or registered ones, "
            f"found {one_line(shown, most=60)}: decorate an own class with "
            "keras.saving.register_keras_serializable() and import the module "
            "that defines it"
        )


def _calls(value: Any) -> int:
    """How many layers a network calls, those of networks within it too."""
    if isinstance(value, list):
        return sum(map(_calls, value))
    if not isinstance(value, dict):
        return 0
    nodes = value.get("inbound_nodes")
    times = max(1, len(nodes)) if isinstance(nodes, list) else 1
    own = int("module" in value)
    return times * (own + sum(map(_calls, value.values())))


def _deserialised(description: dict[str, Any]) -> keras.Model:
    """What Keras builds of a description that has been checked."""
    network = keras.saving.deserialize_keras_object(
        copy.deepcopy(description), safe_mode=True
    )
    if not getattr(network, "inputs", None):
        raise ValueError("no functional or Sequential network")
    return network


class _Bounded:
    """Makes variables until they would hold more numbers than allowed."""

    def __init__(self, most: int) -> None:
        self.left = most

    def __call__(self, make: Callable, **options: Any) -> tf.Variable:
        value = options["initial_value"]
        if callable(value):
            with tf.Graph().as_default():  # the shape, without the numbers
                value = value()
        self.left -= math.prod(value.shape)
        if self.left < 0:
            raise ValueError("too many weights")
        return make(**options)


def layer_outputs(network: keras.Model) -> dict[str, int]:
    """How many numbers each layer makes of one image, by its name.

    A layer that is used more than once counts as often; what lies within a
    composite layer does not count.

    Args:
        network: Functional or Sequential.
    """
    # a Sequential calls its layers anew whenever one is added
    sequential = isinstance(network, keras.Sequential)
    calls = slice(-1 if sequential else 0, None)
    counts = {}
    for layer in network.layers:
        tensors = [
            tensor
            for node in layer._inbound_nodes[calls]
            for tensor in node.output_tensors
        ]
        counts[layer.name] = sum(
            math.prod(side or 1 for side in each.shape[1:]) for each in tensors
        )
    return counts


def _largest(network: keras.Model) -> int:
    """The most numbers that a layer makes of an image, at any depth."""
    found = layer_outputs(network)
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            sides = (x for t in layer.inputs for x in t.shape[1:])
            if None in sides:
                raise ValueError("a network within it without fixed sides")
            found[layer.name] = max(found[layer.name], _largest(layer))
    return max(found.values())


def _numbered(value: Any, names: dict[str, int], naming: bool = False) -> Any:
    """A description with the number of each layer in place of its name."""
    if isinstance(value, dict):
        if value.get("class_name") == "DTypePolicy":
            return value
        return {
            key: _numbered(each, names, naming=key in _NAMING)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_numbered(each, names, naming) for each in value]
    if naming and isinstance(value, str):
        return names.setdefault(value, len(names))
    return value
