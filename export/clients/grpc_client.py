#!/usr/bin/env python3
"""Draws synthetic slices or volumes from a model server over gRPC.

    grpc_client.py localhost:8500 ad --count 4 --suvr --out images

As rest_client.py, for programs that want floats: an image in SUVR is a third
of what it is as JSON. Needs tensorflow-serving-api: pip install
"pet-dcgan[serving]". Exit codes: 0 done, 1 failed, 2 options.
"""

import argparse
import math
import os
import re
import sys
from typing import Any

import images
import synthetic
import wanted

# bytes of an answer; the default is 4 MiB: three volumes of 64 x 64 x 64
_LIMIT = 256 * 2**20
_VALUES = 256**2  # of an image, until its size is known
_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+):\d{1,5}")


class ServerError(Exception):
    """A server that cannot be reached or gives another answer."""


def main(arguments: list[str] | None = None) -> int:
    """Parses the options, draws, and returns the exit code."""
    parser = synthetic.parser(__doc__)
    parser.add_argument("address", type=_address, help="HOST:PORT")
    parser.add_argument("model", help="name of the model, as ad")
    parser.add_argument(
        "--version", type=synthetic.whole(1), help="the newest if not given"
    )
    synthetic.add_arguments(parser)
    options = parser.parse_args(arguments)
    return synthetic.run(lambda: _draw(options), ServerError)


class Model:
    """A model on a server, pinned to its version by the first answer."""

    def __init__(self, options: argparse.Namespace) -> None:
        grpc, self._tf, self._predict_pb2, service = _packages()
        self._error = grpc.RpcError
        self._options = options
        channel = grpc.insecure_channel(
            options.address,
            [("grpc.max_receive_message_length", _LIMIT)],
        )
        self._stub = service.PredictionServiceStub(channel)
        self.version = options.version
        self.values = _VALUES

    def predict(
        self,
        signature: str,
        seeds: list[int],
        columns: dict[str, list] | None = None,
    ) -> Any:
        """Returns an array with one row for each seed."""
        request = self._predict_pb2.PredictRequest()
        request.model_spec.name = self._options.model
        request.model_spec.signature_name = signature
        if self.version is not None:
            request.model_spec.version.value = self.version
        tensor = self._tf.make_tensor_proto(seeds, self._tf.int64)
        request.inputs["seed"].CopyFrom(tensor)
        for name, values in (columns or {}).items():
            texts = isinstance(values[0], str)
            kind = self._tf.string if texts else self._tf.float32
            proto = self._tf.make_tensor_proto(values, kind)
            request.inputs[name].CopyFrom(proto)
        try:
            answer = self._stub.Predict(request, self._options.timeout)
        except self._error as error:
            lines = (error.details() or "").splitlines() or ["no reason"]
            raise ServerError(
                f"{self._options.model} at {self._options.address} answered "
                f"{error.code().name}: {synthetic.one_line(lines[0])}"
            ) from error
        self.version = answer.model_spec.version.value
        outputs = dict(answer.outputs)
        status = outputs.pop("status", None) if columns else None
        found = self._array(list(outputs.values()), len(seeds))
        if status is not None:
            wanted.fine(self._array([status], len(seeds)).tolist())
        return found

    def _array(self, outputs: list[Any], rows: int) -> Any:
        """Returns the only output as an array, if it is of a sane shape."""
        shapes = [
            [each.size for each in output.tensor_shape.dim]
            for output in outputs
        ]
        # one value can stand for all of a shape, however large
        if [shape[:1] for shape in shapes] == [[rows]] and math.prod(
            shapes[0]
        ) <= rows * self.values:
            try:
                return self._tf.make_ndarray(outputs[0])
            except (TypeError, ValueError, IndexError):
                pass
        raise ServerError(
            f"expected {rows} images of {self._options.model} from "
            f"{self._options.address}, found another answer"
        )


def _draw(options: argparse.Namespace) -> None:
    """Draws all images from one version."""
    model = Model(options)
    facts = synthetic.parse_facts(*model.predict("describe", [0]))
    model.values = math.prod(images.shape(facts, suvr=options.suvr))
    signature = "generate" if options.suvr else "generate_png"
    synthetic.write(
        options,
        facts=facts,
        name=options.model,
        version=str(model.version),
        draw=lambda *asked: list(model.predict(signature, *asked)),
    )


def _address(text: str) -> str:
    """Parses an argument that is an address."""
    if not _ADDRESS.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"expected HOST:PORT as localhost:8500, found {text}"
        )
    return text


def _packages() -> tuple[Any, Any, Any, Any]:
    """Imports packages that take seconds, without TensorFlow's messages."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        import grpc
        import tensorflow as tf
        from tensorflow_serving.apis import (
            predict_pb2,
            prediction_service_pb2_grpc,
        )
    except ImportError as error:
        raise ServerError(
            f"the package tensorflow-serving-api is missing ({error}): "
            'pip install "pet-dcgan[serving]"'
        ) from error
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    return grpc, tf, predict_pb2, prediction_service_pb2_grpc


if __name__ == "__main__":
    sys.exit(main())
