"""`networks.json`: what own networks are built from, past its checksum."""

import json
from pathlib import Path
from random import Random

import numpy as np
import toy_data
import toy_model
import toy_networks

from fuzzing.damage import damaged, damaged_json
from fuzzing.oracle import require
from fuzzing.plan import Files
from pet_dcgan.models.network_config import describe
from pet_dcgan.runs.run import Run

_NAME = "run/networks.json"
# classes, functions and sizes that a hostile file may name
_NAMES = (
    *("Lambda", "TFSMLayer", "TextVectorization", "StringLookup", "Functional"),
    *("__lambda__", "__numpy__", "__tensor__", "__typespec__", "function"),
    *("Dense", "Conv2D", "Reshape", "system", "load_model", "toy>Block"),
    *("os", "builtins", "keras", "keras.layers", "keras.utils", "subprocess"),
    *("keras.src.ops.numpy", "keras.src.models.functional", "pet_dcgan"),
)
_SIZES = (0, -1, 3, 10**6, 2**40, 10**30, 1.5, 1e300, "4", None, [], [4, 4], {})


def prepare(base: Path) -> None:
    toy_data.prepare(base / "data")
    config = toy_model.make_config(base / "data")
    network = toy_networks.own_generator(config)
    networks = {"generator": describe(network)}
    run = Run.create(base / "run", config, ["999_S_3000"], (), networks)
    run.save_generator(network)


def mutate(base: Path, dice: Random) -> Files:
    content = (base / _NAME).read_bytes()
    kind = dice.randrange(6)
    if kind == 0:
        content = damaged(content, dice)
    elif kind == 1:
        content = damaged_json(content, dice)
    else:
        content = _aimed(content, dice)
    return {_NAME: content, "run/SHA256SUMS": None}


def _aimed(content: bytes, dice: Random) -> bytes:
    """Other names and sizes where Keras looks for them."""
    networks = json.loads(content)
    for _ in range(dice.choice((1, 1, 2))):
        found = list(_entries(networks["generator"]))
        value, name = dice.choice(found)
        named = name in ("class_name", "module", "registered_name", "config")
        if named and dice.random() < 0.7:
            value[name] = dice.choice(_NAMES)
        elif dice.random() < 0.2:
            value[name] = dice.choice(found)[0]  # one part within another
        else:
            value[name] = dice.choice(_SIZES)
        networks = json.loads(_without_circles(networks) or content)
    return json.dumps(networks).encode()


def _without_circles(value: object) -> str:
    try:
        return json.dumps(value)
    except (ValueError, RecursionError):
        return ""


def _entries(value: object):
    """Every object of a description with each of its names."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield value, name
            yield from _entries(each)
    elif isinstance(value, list):
        for each in value:
            yield from _entries(each)


def run(folder: Path, attempt) -> None:
    found = attempt(Run.open, folder / "run")
    if found is None:
        return
    attempt(found._repr_html_)
    network = attempt(found.load_generator)
    if network is not None:
        attempt(_draw, network)


def _draw(network) -> None:
    images = np.asarray(network(np.zeros([2, 6], np.float32)))
    require(images.shape == (2, 32, 32, 1), f"{images.shape}")
