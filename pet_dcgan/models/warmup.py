"""The requests that TensorFlow Serving warms a model up with.

The messages are TensorFlow Serving's (tensorflow_serving/apis/).
"""

from pathlib import Path

import numpy as np
import tensorflow as tf

from pet_dcgan.models.condition_rows import as_columns, example_rows
from pet_dcgan.models.model_info import ModelInfo
from pet_dcgan.utils.messages import message_classes

WARMUP_FILE = Path("assets.extra", "tf_serving_warmup_requests")
_CLASSES = message_classes(
    {
        "ModelSpec": {"name": (1, "string"), "signature_name": (3, "string")},
        # an entry of a map; on the wire a tensor is bytes
        "Input": {"key": (1, "string"), "value": (2, "bytes")},
        "PredictRequest": {
            "model_spec": (1, "ModelSpec"),
            "inputs": (2, "Input*"),
        },
        "PredictLog": {"request": (1, "PredictRequest")},
        "PredictionLog": {"predict_log": (6, "PredictLog")},
    }
)


def write_warmup(version_folder: Path, facts: ModelInfo) -> None:
    """Writes a request of one row for every signature.

    The first request of a signature pays for TensorFlow's preparing its
    graph; a server answers those in this file before it calls a version
    available (tensorflow.org/tfx/serving/saved_model_warmup). One row and no
    more: a full batch of the paper's generator takes a CPU seconds.

    Args:
        version_folder: The version's folder.
        facts: Of the model.
    """
    path = version_folder / WARMUP_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    latent = np.zeros([1, facts.latent_dim], np.float32)
    columns = {}
    if facts.takes is not None:
        (row, *_) = example_rows(facts.takes)
        columns = as_columns(facts.takes, [row])
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name in facts.signatures:
            log = _CLASSES["PredictionLog"]()
            request = log.predict_log.request
            request.model_spec.name = facts.name
            request.model_spec.signature_name = name
            inputs = {"seed": np.zeros([1], np.int64)}
            if name == "serving_default":
                inputs = {"latent": latent}
            if name != "describe":
                inputs |= columns
            for key, values in inputs.items():
                tensor = tf.make_tensor_proto(values).SerializeToString()
                request.inputs.add(key=key, value=tensor)
            writer.write(log.SerializeToString(deterministic=True))
