"""Ways to ask a server of an exported model.

A call takes a signature's name and its inputs, a dict of arrays, and gives
its outputs, a dict of arrays; it raises `Refused` with the server's words.
"""

import base64
import contextlib
import json

import numpy as np
import requests
import tensorflow as tf

_SECONDS = 60


class Refused(Exception):  # noqa: N818
    """The server's words for why there is no answer."""


def rest_call(url):
    """Asks `<url>:predict`, `url` as http://localhost:8501/v1/models/ad."""

    def call(signature, inputs):
        values = {name: each.tolist() for name, each in inputs.items()}
        body = {"signature_name": signature, "inputs": values}
        outputs = _posted(f"{url}:predict", body)["outputs"]
        if not isinstance(outputs, dict) or "b64" in outputs:
            # a signature's only output comes without its name
            outputs = {_OUTPUTS[signature]: outputs}
        return {name: _array(name, each) for name, each in outputs.items()}

    return call


_OUTPUTS = {
    "serving_default": "image",
    "generate": "suvr",
    "generate_png": "image_bytes",
    "describe": "facts_bytes",
}


def _posted(url, body):
    # NaN and Infinity are written as such, which the server reads
    reply = requests.post(url, json.dumps(body), timeout=_SECONDS)
    if reply.status_code in (400, 404):
        raise Refused(reply.json()["error"])
    reply.raise_for_status()
    return reply.json()


def _array(name, values):
    if name.endswith("_bytes") or name == "status":
        texts = [
            each.encode() if name == "status" else base64.b64decode(each["b64"])
            for each in values
        ]
        return np.array([*texts, None], object)[:-1]
    return np.array(values, np.float32)


@contextlib.contextmanager
def grpc_call(address, model):
    """Asks the PredictionService at `address`, as localhost:8500."""
    import grpc
    from tensorflow_serving.apis import (
        predict_pb2,
        prediction_service_pb2_grpc,
    )

    channel = grpc.insecure_channel(
        address, options=[("grpc.max_receive_message_length", -1)]
    )
    service = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def call(signature, inputs):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model
        request.model_spec.signature_name = signature
        for name, values in inputs.items():
            proto = tf.make_tensor_proto(values, shape=values.shape)
            request.inputs[name].CopyFrom(proto)
        try:
            reply = service.Predict(request, timeout=_SECONDS)
        except grpc.RpcError as error:
            raise Refused(error.details()) from error
        return {
            name: tf.make_ndarray(proto)
            for name, proto in reply.outputs.items()
        }

    with channel:
        yield call


def folder_call(folder):
    """Asks a SavedModel in this process."""
    loaded = tf.saved_model.load(str(folder))

    def call(signature, inputs):
        try:
            outputs = loaded.signatures[signature](
                **{name: tf.constant(each) for name, each in inputs.items()}
            )
        except (KeyError, TypeError, ValueError, tf.errors.OpError) as error:
            raise Refused(str(error)) from error
        return {name: values.numpy() for name, values in outputs.items()}

    return call
