"""A model server in a thread, which answers from exported models over gRPC.

with stub_grpc.serve(models_dir) as address:
    a client of PredictionService at `address`

Needs tensorflow-serving-api.
"""

import concurrent.futures
import contextlib

import grpc
import tensorflow as tf
from stub_server import Models, Refused
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    404: grpc.StatusCode.NOT_FOUND,
}


@contextlib.contextmanager
def serve(models_dir):
    """Address of a stub of `models_dir` while in the block."""
    pool = concurrent.futures.ThreadPoolExecutor(4)
    server = grpc.server(pool)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        _Service(Models(models_dir)), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
        pool.shutdown()


class _Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, models):
        self._models = models

    def Predict(self, request, context):  # noqa: N802
        """Signature, version and tensors of the request to its outputs."""
        spec = request.model_spec
        asked = spec.version.value if spec.HasField("version") else None
        signature = spec.signature_name or "serving_default"
        inputs = {
            name: tf.make_ndarray(tensor)
            for name, tensor in request.inputs.items()
        }
        try:
            version = self._models.version(spec.name, asked)
            outputs = self._models.answer(spec.name, version, signature, inputs)
        except Refused as refused:
            context.abort(_CODES[refused.status], str(refused))
        answer = predict_pb2.PredictResponse()
        answer.model_spec.name = spec.name
        answer.model_spec.signature_name = signature
        answer.model_spec.version.value = version
        for name, value in outputs.items():
            answer.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return answer
