"""Warm-up requests, read by TensorFlow Serving's messages."""

import numpy as np
import pytest
import tensorflow as tf
from test_model_info import CONDITIONAL, FACTS

from pet_dcgan.models.model_info import SIGNATURES
from pet_dcgan.models.warmup import write_warmup


@pytest.fixture
def records(tmp_path):
    write_warmup(tmp_path, FACTS)
    file = tmp_path / "assets.extra" / "tf_serving_warmup_requests"
    return [each.numpy() for each in tf.data.TFRecordDataset(str(file))]


def requests(records):
    """Read by the official messages."""
    pytest.importorskip("tensorflow_serving", reason="the official messages")
    from tensorflow_serving.apis import prediction_log_pb2

    logs = [prediction_log_pb2.PredictionLog.FromString(r) for r in records]
    assert {log.WhichOneof("log_type") for log in logs} == {"predict_log"}
    return [log.predict_log.request for log in logs]


def test_a_row_for_every_signature(records):
    found = requests(records)
    assert [each.model_spec.name for each in found] == ["ad"] * len(SIGNATURES)
    signatures = [each.model_spec.signature_name for each in found]
    assert signatures == list(SIGNATURES)
    for each in found:
        ((name, proto),) = each.inputs.items()
        values = tf.make_ndarray(proto)
        if each.model_spec.signature_name == "serving_default":
            assert name == "latent"
            assert (values.shape, values.dtype) == ((1, 6), np.float32)
        else:
            assert name == "seed"
            assert (values.shape, values.dtype) == ((1,), np.int64)


def test_bytes_are_those_of_the_official_messages(records):
    for record, request in zip(records, requests(records), strict=True):
        from tensorflow_serving.apis import prediction_log_pb2

        log = prediction_log_pb2.PredictionLog()
        log.predict_log.request.CopyFrom(request)
        assert log.SerializeToString(deterministic=True) == record


def test_a_conditional_model_is_asked_for_what_it_knows(tmp_path):
    write_warmup(tmp_path, CONDITIONAL)
    file = tmp_path / "assets.extra" / "tf_serving_warmup_requests"
    records = [each.numpy() for each in tf.data.TFRecordDataset(str(file))]
    found = requests(records)
    asked = {"stage", "plane", "position_mm", "age"}
    for each in found:
        values = {n: tf.make_ndarray(v) for n, v in each.inputs.items()}
        name = each.model_spec.signature_name
        given = {"latent"} if name == "serving_default" else {"seed"}
        assert set(values) == given | (set() if name == "describe" else asked)
        if name != "describe":
            assert values["stage"].tolist() == [[1, 0, 0]]
            assert values["plane"].tolist() == [b"axial"]
            assert values["position_mm"].tolist() == [-40]
            assert values["age"].dtype == np.float32
