"""Whether a new version of a model serves the clients of the last one."""

from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from pet_dcgan.conditions import Conditions
from pet_dcgan.models.model_info import GRAPH_FILE, ModelInfo


def check_compatible(new: Path, last: Path) -> None:
    """Refuses a version that would break the clients of the last one.

    A model server moves to the highest version silently. A new version may
    add signatures; those of the last one keep their inputs, outputs, types
    and shapes, and images keep their scale and their space. A conditional
    one knows at least what the last one did: the stages, planes, positions
    and ages that a client may ask for.

    Args:
        new: Folder of the new version.
        last: Folder of the version that is served now.

    Raises:
        ValueError: If something is missing or changed, or the last version
            is damaged.
    """
    (known, found), (knew, before) = _contract(new), _contract(last)
    changes = [
        f"{name} {found.get(name, 'missing')} instead of {expected}"
        for name, expected in before.items()
        if found.get(name) != expected
    ]
    changes += _narrower(known, knew)
    if changes:
        raise ValueError(
            f"the new version would break the clients of {last}, having "
            f"{'; '.join(changes)}: export to another --to, or move the old "
            "model away"
        )


def _narrower(known: Conditions | None, knew: Conditions | None) -> list[str]:
    """Describes what can no longer be asked for."""
    if knew is None or known is None:
        # then the signatures' inputs differ as well
        return []
    before, now = (_ranges(each) for each in (knew, known))
    return [
        f"{name} {_interval(now.get(name))} instead of {_interval(band)}"
        for name, band in before.items()
        if name not in now or now[name][0] > band[0] or now[name][1] < band[1]
    ] + [
        f"no stage {stage}"
        for stage in knew.stages
        if stage not in known.stages
    ]


def _ranges(takes: Conditions) -> dict[str, tuple[float, float]]:
    """What may be asked for in numbers, by a name in words."""
    found = {f"the {p} band": band for p, band in takes.bands_mm.items()}
    if takes.ages is not None:
        found["ages"] = takes.ages
    return found


def _interval(ends: tuple[float, float] | None) -> str:
    """Describes as `-40 to 50`."""
    return "missing" if ends is None else f"{ends[0]:g} to {ends[1]:g}"


def _contract(folder: Path) -> tuple[Conditions | None, dict[str, str]]:
    """The conditions; and what clients rely on: scale and each signature."""
    model = saved_model_pb2.SavedModel()
    try:
        facts = ModelInfo.read(folder)
        model.ParseFromString((folder / GRAPH_FILE).read_bytes())
        (graph,) = model.meta_graphs
        signatures = {
            name: _described(signature)
            for name, signature in sorted(graph.signature_def.items())
            if not name.startswith("__")
        }
    except (DecodeError, OSError, TypeError, ValueError) as error:
        raise ValueError(
            f"the model in {folder} is damaged and cannot be compared with "
            f"({error}): move that version away, then export again"
        ) from error
    return facts.takes, {
        "suvr_max": str(float(facts.suvr_max)),
        "spacing_mm": str(float(facts.spacing_mm)),
        "reference": facts.reference,
        "space": facts.space,
        **signatures,
    }


def _described(signature: meta_graph_pb2.SignatureDef) -> str:
    """Describes as `seed int64 (None,) -> suvr float32 (None, 128, 128)`."""
    return " -> ".join(
        ", ".join(
            f"{name} {tf.as_dtype(info.dtype).name} "
            f"{tf.TensorShape(info.tensor_shape)}"
            for name, info in sorted(tensors.items())
        )
        for tensors in (signature.inputs, signature.outputs)
    )
