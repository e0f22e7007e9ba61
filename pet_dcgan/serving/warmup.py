"""Requests that a model server answers to itself before it serves.

The first request of a signature pays for TensorFlow's preparing its graph.
TensorFlow Serving runs those in `assets.extra/tf_serving_warmup_requests`, a
TFRecord file of `PredictionLog` messages, before a version is called
available (tensorflow.org/tfx/serving/saved_model_warmup). The messages are
written by hand, as those three need no package beyond TensorFlow then.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf

from pet_dcgan.serving.model_info import SIGNATURES, ModelInfo, model_name

WARMUP_FILE = Path("assets.extra", "tf_serving_warmup_requests")
# field numbers in tensorflow_serving/apis/: prediction_log.proto,
# predict.proto and model.proto; maps are entries of key 1 and value 2
_PREDICT_LOG = 6
_REQUEST = 1
_MODEL_SPEC, _INPUTS = 1, 2
_NAME, _SIGNATURE_NAME = 1, 3
_KEY, _VALUE = 1, 2
# wire type of what is preceded by its length
_DELIMITED = 2


def write_warmup(version_folder: Path, facts: ModelInfo) -> None:
    """Writes a request of one row for every signature.

    One row and no more: a full batch of the paper's generator takes a CPU
    seconds, which a starting server would wait for.

    Args:
        version_folder: The version's folder.
        facts: Of the model.
    """
    path = version_folder / WARMUP_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    model = model_name(facts.stage, facts.plane)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name in SIGNATURES:
            writer.write(_prediction_log(model, name, _inputs(name, facts)))


def _inputs(signature: str, facts: ModelInfo) -> dict[str, np.ndarray]:
    if signature == "serving_default":
        return {"latent": np.zeros([1, facts.latent_dim], np.float32)}
    return {"seed": np.zeros([1], np.int64)}


def _prediction_log(
    model: str, signature: str, inputs: dict[str, np.ndarray]
) -> bytes:
    """`PredictionLog{predict_log{request{model_spec, inputs}}}`."""
    spec = _field(_NAME, model.encode())
    spec += _field(_SIGNATURE_NAME, signature.encode())
    request = _field(_MODEL_SPEC, spec)
    for name, values in inputs.items():
        tensor = tf.make_tensor_proto(values).SerializeToString()
        entry = _field(_KEY, name.encode()) + _field(_VALUE, tensor)
        request += _field(_INPUTS, entry)
    return _field(_PREDICT_LOG, _field(_REQUEST, request))


def _field(number: int, payload: bytes) -> bytes:
    """A field of bytes, of a number below 16, in protobuf's wire format."""
    return bytes([number << 3 | _DELIMITED]) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the last byte's top bit is 0."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])
