"""What whoever serves an exported model has to answer, and how it is asked.

A call takes a signature's name and its inputs, a dict of arrays, and gives
its outputs, a dict of arrays; it raises `Refused` with the server's words.
Each check takes a call and one that is known to be right.

    python tests/serving_contract.py http://localhost:8501/v1/models/ad MODEL
    python tests/serving_contract.py grpc://localhost:8500/ad MODEL

checks a server that is up against the folder of the version that it serves.
"""

import base64
import json
import sys
import urllib.parse

import numpy as np
import requests

# the same rows, asked for together
TOLERANCE = 1e-5
# what README and export/README.md promise of a seed alone and among others
ROWS_TOLERANCE = 1e-4
ROWS_STEPS = 3
PNG_MAX = 65535
SEEDS = np.array([0, 1, 77, 2**40, 5])
_SECONDS = 60


class Refused(Exception):  # noqa: N818
    """The server's words for why there is no answer."""


# --- what has to be answered --------------------------------------------------


def latents_give_the_same_images(call, right):
    inputs = {"latent": _latents(right, 5)}
    found = _only(call("serving_default", inputs), "image")
    expected = right("serving_default", inputs)["image"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)
    assert np.abs(found).max() <= 1
    assert np.ptp(found, axis=0).max() > 0.01


def seeds_give_the_same_slices(call, right):
    inputs = {"seed": SEEDS}
    found = _only(call("generate", inputs), "suvr")
    expected = right("generate", inputs)["suvr"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)
    assert np.ptp(found, axis=0).max() > 0.01


def png_files_hold_the_same_slices(call, right):
    inputs = {"seed": SEEDS}
    found = _only(call("generate_png", inputs), "image_bytes")
    scale = _facts(right)["suvr_max"] / PNG_MAX
    expected = right("generate", inputs)["suvr"]
    for png, suvr in zip(found, expected, strict=True):
        assert png[:8] == b"\x89PNG\r\n\x1a\n"
        assert png[24] == 16  # bit depth, in the header
        steps = _pixels(png) - np.rint(np.clip(suvr / scale, 0, PNG_MAX))
        assert np.abs(steps).max() <= 1


def the_model_describes_itself(call, right):
    inputs = {"seed": np.zeros(2, np.int64)}
    rows = _only(call("describe", inputs), "facts_bytes")
    expected = right("describe", inputs)["facts_bytes"]
    assert list(rows) == list(expected)
    assert json.loads(rows[0])["max_rows"] >= len(SEEDS)


def a_seed_alone_is_the_seed_in_a_batch(call, right):
    """To the stated tolerance: kernels are chosen by the number of rows."""
    rows = np.arange(_facts(right)["max_rows"])
    suvr = call("generate", {"seed": rows})["suvr"]
    pixels = _all_pixels(call("generate_png", {"seed": rows})["image_bytes"])
    for count in (1, 2, 3, 7, 8):
        some = {"seed": rows[-count:]}
        found = call("generate", some)["suvr"]
        np.testing.assert_allclose(found, suvr[-count:], atol=ROWS_TOLERANCE)
        stored = _all_pixels(call("generate_png", some)["image_bytes"])
        assert np.abs(stored - pixels[-count:]).max() <= ROWS_STEPS


def a_bad_row_leaves_its_neighbours(call, right):
    good = _latents(right, 5)
    bad = good.copy()
    bad[1, :3] = np.nan, np.inf, -np.inf
    bad[3] = 1e30
    meant = good.copy()
    meant[1, :3], meant[3] = 0, 1
    found = call("serving_default", {"latent": bad})["image"]
    expected = right("serving_default", {"latent": meant})["image"]
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)


def any_seed_gives_a_finite_image(call, right):
    limits = np.iinfo(np.int64)
    seeds = np.array([limits.min, -1, 0, limits.max])
    suvr = call("generate", {"seed": seeds})["suvr"]
    assert np.isfinite(suvr).all()
    assert len(np.unique(suvr, axis=0)) == len(seeds)
    assert len(call("generate_png", {"seed": seeds})["image_bytes"]) == 4


def as_many_rows_as_stated_are_answered(call, right):
    rows = _facts(right)["max_rows"]
    assert call("generate", {"seed": np.arange(rows)})["suvr"].shape[0] == rows


def more_rows_are_refused_by_number(call, right):
    rows = _facts(right)["max_rows"] + 1
    requests = [
        (name, {"seed": np.arange(rows)})
        for name in ("generate", "generate_png", "describe")
    ]
    requests.append(("serving_default", {"latent": _latents(right, rows)}))
    for name, inputs in requests:
        assert f"at most {rows - 1}" in _refusal(call, name, inputs)


def no_rows_are_no_images_or_an_error(call, right):
    for name in ("generate", "generate_png", "describe"):
        _none_or_refused(call, name, {"seed": np.zeros(0, np.int64)})
    _none_or_refused(call, "serving_default", {"latent": _latents(right, 0)})


def other_shapes_are_refused(call, right):
    latents = _latents(right, 2)
    for wrong in (latents[:, 1:], latents[0], latents[None]):
        _refusal(call, "serving_default", {"latent": wrong})
    for wrong in (np.int64(1), np.ones([2, 2], np.int64)):
        inputs = {"seed": np.asarray(wrong)}
        for name in ("generate", "generate_png", "describe"):
            _refusal(call, name, inputs)


def other_types_are_refused(call, right):
    _refusal(call, "generate", {"seed": np.array([0.5], np.float32)})


def other_names_are_refused(call, right):
    _refusal(call, "absent", {"seed": SEEDS})
    _refusal(call, "generate", {"number": SEEDS})


CHECKS = (
    latents_give_the_same_images,
    seeds_give_the_same_slices,
    png_files_hold_the_same_slices,
    the_model_describes_itself,
    a_seed_alone_is_the_seed_in_a_batch,
    a_bad_row_leaves_its_neighbours,
    any_seed_gives_a_finite_image,
    as_many_rows_as_stated_are_answered,
    more_rows_are_refused_by_number,
    no_rows_are_no_images_or_an_error,
    other_shapes_are_refused,
    other_types_are_refused,
    other_names_are_refused,
)


def _facts(right):
    (row,) = right("describe", {"seed": np.zeros(1, np.int64)})["facts_bytes"]
    return json.loads(row)


def _latents(right, rows):
    width = _facts(right)["latent_dim"]
    drawn = np.random.default_rng(0).uniform(-1, 1, (rows, width))
    return drawn.astype(np.float32)


def _only(outputs, name):
    assert list(outputs) == [name]
    return outputs[name]


def _answer(call, name, inputs):
    """The outputs and no words, or None and the words of the refusal."""
    try:
        return call(name, inputs), ""
    except Refused as error:
        return None, str(error).strip()


def _refusal(call, name, inputs):
    outputs, words = _answer(call, name, inputs)
    assert outputs is None, f"{name} answered {inputs}"
    assert words
    return words


def _none_or_refused(call, name, inputs):
    outputs, words = _answer(call, name, inputs)
    if outputs is None:
        assert words
    else:
        assert [len(values) for values in outputs.values()] == [0]


def _all_pixels(pngs):
    return np.stack([_pixels(png) for png in pngs])


def _pixels(png):
    import tensorflow as tf

    decoded = tf.io.decode_png(png, dtype=tf.uint16).numpy()
    assert decoded.shape[-1] == 1
    return decoded[..., 0].astype(float)


# --- how it is asked ----------------------------------------------------------


def call_for(address):
    """A call by REST for http(s)://, by gRPC for grpc://HOST:PORT/NAME."""
    parts = urllib.parse.urlsplit(address)
    if parts.scheme == "grpc":
        return grpc_call(parts.netloc, parts.path.strip("/"))
    return rest_call(address.rstrip("/"))


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
    if name.endswith("_bytes"):
        texts = [base64.b64decode(each["b64"]) for each in values]
        return np.array([*texts, None], object)[:-1]
    return np.array(values, np.float32)


def grpc_call(address, model):
    """Asks the PredictionService at `address`, as localhost:8500."""
    import grpc
    import tensorflow as tf
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

    call.close = channel.close
    return call


def folder_call(folder):
    """Asks a SavedModel in this process."""
    import tensorflow as tf

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


def main(address, folder):
    """Runs every check against a server; the number of those that fail."""
    call, right = call_for(address), folder_call(folder)
    failed = 0
    for check in CHECKS:
        try:
            check(call, right)
        except (AssertionError, Refused, OSError) as error:
            failed += 1
            print(f"FAILED {check.__name__}: {error}")
        else:
            print(f"passed {check.__name__}")
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) > 0)
